#include <algorithm>
#include <cstdio>
#include <mutex>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "framework/error.h"
#include "framework/text.h"
#include "pipelines/commands/commands.h"
#include "pipelines/job/data_check.h"
#include "pipelines/job/signals.h"
#include "pipelines/job/trained_session.h"
#include "stages/learner.h"

namespace weir {
namespace {

using nlohmann::json;

// The labels of the most probable classes, the first the most; ties by label.
std::vector<int> Ranked(std::span<const float> probabilities, int top) {
  std::vector<int> labels(probabilities.size());
  std::iota(labels.begin(), labels.end(), 0);
  const auto count = std::min<std::size_t>(labels.size(), static_cast<std::size_t>(top));
  std::partial_sort(labels.begin(), labels.begin() + static_cast<std::ptrdiff_t>(count),
                    labels.end(), [&](int a, int b) {
                      return std::pair(-probabilities[a], a) < std::pair(-probabilities[b], b);
                    });
  labels.resize(count);
  return labels;
}

class Printer {
 public:
  // Both outlive it.
  Printer(const PredictOptions& options, const std::vector<std::string>& classes)
      : options_(options), classes_(classes) {}

  void Print(const Sample& sample, std::span<const float> probabilities) {
    const std::vector<int> ranked = Ranked(probabilities, options_.top);
    options_.json ? PrintJson(sample, probabilities, ranked)
                  : PrintText(sample, probabilities, ranked);
    if (std::ferror(stdout)) {
      throw Error(ErrorKind::kData, "cannot write to standard output");
    }
    ++printed_;
  }
  std::uint64_t printed() const { return printed_; }

 private:
  void PrintText(const Sample& sample, std::span<const float> probabilities,
                 const std::vector<int>& ranked) const {
    std::printf("%s:", OneLine(sample.path).c_str());
    for (int label : ranked) {
      std::printf("  %s %.3f", classes_[label].c_str(), probabilities[label]);
    }
    std::putchar('\n');
  }

  // A class at a time: --top may ask for all of 65,536.
  void PrintJson(const Sample& sample, std::span<const float> probabilities,
                 const std::vector<int>& ranked) const {
    std::printf(R"({"path":%s,"predictions":[)", Text(sample.path).c_str());
    for (std::size_t i = 0; i < ranked.size(); ++i) {
      const int label = ranked[i];
      const json prediction = {{"class", classes_[label]}, {"probability", probabilities[label]}};
      std::printf("%s%s", i > 0 ? "," : "", Text(prediction).c_str());
    }
    std::printf("]}\n");
  }

  static std::string Text(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
  }

  const PredictOptions& options_;
  const std::vector<std::string>& classes_;
  std::uint64_t printed_ = 0;
};

}  // namespace

void PredictCommand(const PredictOptions& options, StageTable& stages) {
  TrainedSession trained(stages, options.run, options.overrides,
                         {.data = GivenData{.use = DataUse::kUnlabelled, .paths = options.paths},
                          .on_drop = [](const std::string&, const Drop& drop) {
                            std::fprintf(stderr, "weir: %s: %s\n", OneLine(drop.sample).c_str(),
                                         drop.reason.c_str());
                          }});
  SayWhatIsLeftOut(trained.session());
  Printer printer(options, trained.classes());
  trained.learner().on_prediction = [&](const Sample& sample, std::span<const float> values) {
    printer.Print(sample, values);
  };
  trained.Run();
  if (printer.printed() == 0) {
    throw Error(ErrorKind::kData, "not one picture could be read", "The lines above say why.");
  }
}

}  // namespace weir
