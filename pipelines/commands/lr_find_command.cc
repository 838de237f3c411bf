#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "framework/config/suggestion.h"
#include "framework/error.h"
#include "framework/text.h"
#include "pipelines/commands/commands.h"
#include "pipelines/drawing/plot.h"
#include "pipelines/drawing/rasterise.h"
#include "pipelines/finetune/range_test.h"
#include "pipelines/finetune/range_test_run.h"
#include "pipelines/recipe/recipe.h"
#include "stages/files/atomic_file.h"
#include "stages/writers/picture_encoder.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

constexpr int kWidth = 900, kHeight = 560;  // of the plot, in pixels

// The losses that the plot shows: all that fell, and of what rose after it the beginning.
struct LossRange {
  double low, high;
};
LossRange ShownLosses(const std::vector<RateCurve::Step>& steps) {
  const auto lowest = std::ranges::min_element(steps, {}, &RateCurve::Step::smoothed);
  const double low = std::ranges::min(steps, {}, &RateCurve::Step::loss).loss;
  double high = lowest->smoothed;
  for (auto step = steps.begin(); step != lowest; ++step) high = std::max(high, step->smoothed);
  const double margin = high > low ? (high - low) / 4 : 1;
  return {low - margin, high + margin};
}

void Draw(const RateCurve& curve, const std::optional<RateCurve::Findings>& findings,
          const RateRange& range, AtomicFile& file) {
  Plot plot{.x_name = "learning rate", .y_name = "loss", .x_low = range.from, .x_high = range.to};
  PlotLine each{.name = "each batch", .colour = {0.75, 0.8, 0.9}, .width = 1};
  PlotLine smoothed{.name = "smoothed", .colour = {0.1, 0.3, 0.7}, .width = 2.5};
  for (const RateCurve::Step& step : curve.steps()) {
    each.points.push_back({step.rate, step.loss});
    smoothed.points.push_back({step.rate, step.smoothed});
  }
  const LossRange shown = ShownLosses(curve.steps());
  plot.y_low = shown.low;
  plot.y_high = shown.high;
  plot.lines = {std::move(each), std::move(smoothed)};
  if (findings) {
    plot.marks = {{"steepest", {0.2, 0.6, 0.2}, findings->steepest},
                  {"lowest", {0.8, 0.2, 0.2}, findings->lowest},
                  {"suggested " + LearningRateText(findings->suggested), {}, findings->suggested}};
  }
  const SvgAllowed allowed;
  const std::vector<std::uint8_t> png = EncodePicture(Rasterised(PlotSvg(plot, kWidth, kHeight)),
                                                      kHeight, kWidth, PictureFormat::kPng);
  file.Write(std::as_bytes(std::span(png)));
  file.Commit();
}

void PrintJson(const RateCurve& curve, const std::optional<RateCurve::Findings>& findings) {
  nlohmann::json json = {{"diverged", curve.end() == RateCurve::End::kDiverged},
                         {"suggested_learning_rate", nullptr},
                         {"steepest_learning_rate", nullptr},
                         {"lowest_loss_learning_rate", nullptr},
                         {"steps", nlohmann::json::array()}};
  if (findings) {
    json["suggested_learning_rate"] = findings->suggested;
    json["steepest_learning_rate"] = findings->steepest;
    json["lowest_loss_learning_rate"] = findings->lowest;
  }
  for (const RateCurve::Step& step : curve.steps()) {
    json["steps"].push_back(
        {{"learning_rate", step.rate}, {"loss", step.loss}, {"smoothed_loss", step.smoothed}});
  }
  std::printf("%s\n", json.dump(2).c_str());
}

// Some twenty of the steps, and the last.
void PrintTable(const RateCurve& curve, const RateRange& range) {
  constexpr std::size_t kRows = 20;
  const std::vector<RateCurve::Step>& steps = curve.steps();
  std::printf("%6s %14s %10s %10s\n", "step", "learning rate", "loss", "smoothed");
  const std::size_t every = (steps.size() + kRows - 1) / kRows;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (i % every != 0 && i + 1 != steps.size()) continue;
    std::printf("%6zu %14s %10.4f %10.4f\n", i + 1, LearningRateText(steps[i].rate).c_str(),
                steps[i].loss, steps[i].smoothed);
  }
  if (curve.end() == RateCurve::End::kDiverged) {
    std::printf("the loss diverged after %zu of %d steps\n", steps.size(), range.steps);
  }
}

// The phase that is tested: the first where none is named.
Recipe PhaseOf(const Recipe& recipe, const std::string& name) {
  std::vector<std::string> names;
  for (Recipe& phase : PhasesOf(recipe)) {
    if (name.empty() || phase.phase_name == name) return std::move(phase);
    if (!phase.phase_name.empty()) names.push_back(phase.phase_name);
  }
  throw Error(
      ErrorKind::kConfig,
      "there is no phase " + InBackticks(name) + " in training.phases" + DidYouMean(name, names),
      names.empty() ? "Leave --phase out: the training has no phases."
                    : "Give one of them: " + Enumerate(names, "or") + ".");
}

void PrintFindings(const RateCurve::Findings& findings, const Recipe& recipe) {
  std::printf(
      "the loss falls fastest at %s; it is lowest at %s, a tenth of which is the most to "
      "take: %s\n",
      LearningRateText(findings.steepest).c_str(), LearningRateText(findings.lowest).c_str(),
      LearningRateText(findings.lowest / 10).c_str());
  const std::string rate = LearningRateText(findings.suggested);
  const std::string option = LearningRateOption(recipe, rate);
  const char* const quote = option.find(' ') == std::string::npos ? "" : "'";
  std::printf("suggested learning rate: %s (--set %s%s%s)\n", rate.c_str(), quote, option.c_str(),
              quote);
}

}  // namespace

void LrFindCommand(const LrFindOptions& options, StageTable& stages) {
  if (!(options.range.from < options.range.to) || !std::isfinite(options.range.to)) {
    throw Error(ErrorKind::kConfig,
                "--from is " + LearningRateText(options.range.from) +
                    ", not below --to, which is " + LearningRateText(options.range.to),
                "Give a lower one, or a higher --to.");
  }
  const Recipe recipe =
      PhaseOf(LoadRecipe(stages, options.config, options.overrides), options.phase);
  if (!recipe.trains()) {
    throw Error(ErrorKind::kConfig, "the pipeline does not train",
                "End it with the stage `train`: a learning rate is looked for by learning.");
  }
  std::optional<AtomicFile> file;
  // A place that cannot be written is refused before anything is learnt; a job that does not fit
  // leaves no folder behind.
  const auto begin = [&] {
    std::error_code ignored;  // the file says why it cannot be written
    if (options.out.has_parent_path()) fs::create_directories(options.out.parent_path(), ignored);
    file.emplace(options.out);
  };
  // The pipeline and what it holds end before the plot is drawn.
  const RateCurve curve =
      RunRangeTest(recipe, options.range, options.json ? stderr : stdout, begin);
  if (curve.steps().empty()) {
    throw Error(ErrorKind::kConfig, "the loss of the first batch is no finite number",
                "Look at the weights and the pictures by `weir check`.");
  }
  const auto findings = curve.Find();
  Draw(curve, findings, options.range, *file);
  if (options.json) {
    PrintJson(curve, findings);
  } else {
    PrintTable(curve, options.range);
    if (findings) PrintFindings(*findings, recipe);
    std::printf("plot: %s\n", options.out.c_str());
  }
  if (!findings) {
    throw Error(ErrorKind::kConfig,
                "no learning rate can be suggested: the loss did not fall by a twentieth",
                "Give more --steps, or a lower --from.");
  }
}

}  // namespace weir
