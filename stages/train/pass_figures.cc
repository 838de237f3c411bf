#include "stages/train/pass_figures.h"

#include <algorithm>

#include "stages/train/metrics/accuracy.h"

namespace weir {

PassFigures::PassFigures(const ListOfMetrics& metrics, const Options& options)
    : metrics_(metrics),
      of_picture_(OfSort<PictureMetric>(metrics)),
      of_pass_(OfSort<PassMetric>(metrics)),
      options_(options) {
  for (const auto& metric : metrics) metric->CheckClasses(options.classes);
  if (options_.confusion) options_.confusion->Declare(options.classes, options.pictures);
  if (!keeps_predictions()) return;
  kept_ = {.classes = options.classes,
           .pictures = options.pictures,
           .has_rankings = std::ranges::any_of(
               of_pass_, [](const auto& metric) { return metric->needs_rankings(); }),
           .numbers = options.bootstrap ? static_cast<int>(of_picture_.size()) : 0};
  predictions_ = Predictions(kept_);
}

std::vector<HeldPart> PassFigures::held() const {
  std::vector<HeldPart> held;
  const std::size_t counts = options_.confusion ? options_.confusion->bytes() : 0;
  held.push_back({"confusion counts", MemoryTag::kReserve, counts});
  held.push_back({"predictions", MemoryTag::kReserve, predictions_.bytes()});
  if (options_.bootstrap) {
    held.push_back({"resamples", MemoryTag::kReserve,
                    BootstrapBytes(options_.bootstrap->resamples, static_cast<int>(metrics_.size()),
                                   options_.threads, kept_)});
  }
  return held;
}

void PassFigures::Open() {
  if (options_.confusion) options_.confusion->Open();
  predictions_.Open();
  numbers_.resize(kept_.numbers);
}

void PassFigures::Begin(const Pass& pass) {
  is_measured_ = pass.split == options_.split;
  if (!is_measured_) return;
  predictions_.Begin();
  if (options_.confusion) options_.confusion->Begin();
}

void PassFigures::Add(const Sample& sample, std::span<const float> logits) {
  if (!is_measured_) return;
  if (options_.confusion) options_.confusion->Add(sample.label, Largest(logits));
  if (!keeps_predictions()) return;
  for (std::size_t i = 0; i < numbers_.size(); ++i) {
    numbers_[i] = static_cast<float>(of_picture_[i]->Of(logits, sample));
  }
  predictions_.Add(sample.label, logits, numbers_);
}

std::vector<Metrics::OfPass> PassFigures::End() {
  if (!is_measured_ || !keeps_predictions()) return {};
  predictions_.Finish();
  const PredictionView view = predictions_.view();
  if (view.all.empty()) return {};
  if (options_.bootstrap) {
    options_.bootstrap->intervals =
        BootstrapIntervals(predictions_, metrics_, options_.bootstrap->resamples, options_.threads);
  }
  std::vector<Metrics::OfPass> figures;
  for (const auto& metric : of_pass_) {
    figures.push_back(
        {std::string(metric->name()), metric->Of(view), std::string(metric->needs())});
  }
  return figures;
}

}  // namespace weir
