#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "framework/error.h"
#include "pipelines/commands/commands.h"
#include "pipelines/drawing/plot.h"
#include "pipelines/drawing/rasterise.h"
#include "pipelines/job/calibrate.h"
#include "pipelines/job/data_check.h"
#include "pipelines/job/range_test.h"
#include "pipelines/job/session.h"
#include "pipelines/job/signals.h"
#include "pipelines/job/ways_to_fit.h"
#include "pipelines/report/progress.h"
#include "stages/files/atomic_file.h"
#include "stages/learner.h"
#include "stages/writers/picture_encoder.h"

namespace weir {
namespace {

constexpr int kWidth = 900, kHeight = 560;  // of the plot, in pixels

// "0.00012": three digits that count.
std::string RateText(double rate) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", rate);
  return text;
}

// The test as it runs: passes over the train split, one after the other, until it is over.
class RangeTest {
 public:
  RangeTest(Session& session, const LrFindOptions& options)
      : session_(session),
        learner_(*session.resources().Find<Learner>()),
        is_shown_(IsTerminal() && !options.json),
        range_(options.range),
        curve_(options.range) {}

  RateCurve Run() {
    learner_.after_step = [this] { AddStep(); };
    for (int epoch = 0; curve_.end() == RateCurve::End::kNotYet; ++epoch) RunPass(epoch);
    learner_.after_step = {};
    return std::move(curve_);
  }

 private:
  void RunPass(int epoch) {
    const int steps_before = steps_;
    before_ = {};
    {
      const Progress progress(
          {.title = "learning rates",
           .limit_bytes = session_.plan().limit_bytes,
           .is_terminal = is_shown_},
          [this] { return State(); },
          [this] {
            if (SignalReceived()) session_.pipeline().Stop();
          });
      session_.pipeline().Run({.split = Split::kTrain, .epoch = epoch});
    }
    if (SignalReceived()) throw Error(ErrorKind::kInterrupted, "interrupted", "");
    if (curve_.end() == RateCurve::End::kNotYet && steps_ == steps_before) {
      throw Error(ErrorKind::kData, "not one batch of the train split could be learnt from",
                  "`weir check` says why.");
    }
  }

  // Called after each step, in the thread that trains.
  void AddStep() {
    const Metrics now = learner_.metrics();
    const double images = static_cast<double>(now.images - before_.images);
    curve_.Add((now.loss_sum - before_.loss_sum) / images);
    before_ = now;
    ++steps_;
    if (curve_.end() != RateCurve::End::kNotYet) session_.pipeline().Stop();
  }

  ProgressState State() const {
    return {.done = learner_.metrics().images,
            .metrics = "step " + std::to_string(steps_) + "/" + std::to_string(range_.steps) +
                       "  rate " + RateText(range_.RateOf(steps_))};
  }

  Session& session_;
  Learner& learner_;
  const bool is_shown_;
  const RateRange range_;
  RateCurve curve_;
  std::atomic<int> steps_{0};
  Metrics before_;  // as they were after the step before, in this pass
};

// Says what there is to say of the data, on standard error where standard output is for JSON.
RateCurve RunRangeTest(const Recipe& recipe, const LrFindOptions& options) {
  const auto model = ModelOf(recipe, Fetching::kAllowed);
  Session session(recipe, {.training = true, .model = model});
  PlanOrNameWays(recipe, session);
  for (const std::string& line : CheckDataOfRun(session, /*trains=*/true)) {
    std::fprintf(options.json ? stderr : stdout, "%s\n", line.c_str());
  }
  if (CalibrationSession::IsNeeded(session)) {
    model->maps = CalibrationSession(recipe, model).Run();
  }
  session.Open();
  if (!options.json) {
    std::printf("learning rates from %s to %s, in at most %d steps\n",
                RateText(options.range.from).c_str(), RateText(options.range.to).c_str(),
                options.range.steps);
    std::fflush(stdout);
  }
  return RangeTest(session, options).Run();
}

void Draw(const RateCurve& curve, const std::optional<RateCurve::Findings>& findings,
          const LrFindOptions& options) {
  Plot plot{.x_name = "learning rate",
            .y_name = "loss",
            .x_low = options.range.from,
            .x_high = options.range.to};
  PlotLine each{.name = "each batch", .colour = {0.75, 0.8, 0.9}, .width = 1};
  PlotLine smoothed{.name = "smoothed", .colour = {0.1, 0.3, 0.7}, .width = 2.5};
  double low = curve.steps().front().smoothed, high = low;
  for (const RateCurve::Step& step : curve.steps()) {
    each.points.push_back({step.rate, step.loss});
    smoothed.points.push_back({step.rate, step.smoothed});
    low = std::min(low, step.smoothed);
    high = std::max(high, step.smoothed);
  }
  const double margin = high > low ? (high - low) / 10 : 1;
  plot.y_low = low - margin;
  plot.y_high = high + margin;
  plot.lines = {std::move(each), std::move(smoothed)};
  if (findings) {
    plot.marks = {{"steepest", {0.2, 0.6, 0.2}, findings->steepest},
                  {"lowest", {0.8, 0.2, 0.2}, findings->lowest},
                  {"suggested " + RateText(findings->suggested), {}, findings->suggested}};
  }
  const SvgAllowed allowed;
  const std::vector<std::uint8_t> png = EncodePicture(Rasterised(PlotSvg(plot, kWidth, kHeight)),
                                                      kHeight, kWidth, PictureFormat::kPng);
  AtomicFile file(options.out);
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
    std::printf("%6zu %14s %10.4f %10.4f\n", i + 1, RateText(steps[i].rate).c_str(), steps[i].loss,
                steps[i].smoothed);
  }
  if (curve.end() == RateCurve::End::kDiverged) {
    std::printf("the loss diverged after %zu of %d steps\n", steps.size(), range.steps);
  }
}

// As the configuration calls it.
std::string NameOf(const Optimizer& optimizer) {
  const YamlNode written = optimizer.ToYaml();
  return written.is_scalar() ? written.scalar() : written.entries().front().key;
}

void PrintFindings(const RateCurve::Findings& findings, const std::string& optimizer) {
  std::printf(
      "the loss falls fastest at %s; it is lowest at %s, a tenth of which is the most to "
      "take: %s\n",
      RateText(findings.steepest).c_str(), RateText(findings.lowest).c_str(),
      RateText(findings.lowest / 10).c_str());
  const std::string rate = RateText(findings.suggested);
  std::printf("suggested learning rate: %s (--set training.optimizer.%s.learning_rate=%s)\n",
              rate.c_str(), optimizer.c_str(), rate.c_str());
}

}  // namespace

void LrFindCommand(const LrFindOptions& options, StageTable& stages) {
  if (options.range.from >= options.range.to) {
    throw Error(ErrorKind::kConfig,
                "--from is " + RateText(options.range.from) + ", not below --to, which is " +
                    RateText(options.range.to),
                "Give a lower one, or a higher --to.");
  }
  Recipe recipe = LoadRecipe(stages, options.config, options.overrides);
  if (!recipe.trains()) {
    throw Error(ErrorKind::kConfig, "the pipeline does not train",
                "End it with the stage `train`: a learning rate is looked for by learning.");
  }
  recipe.training.schedule = std::make_shared<RangeTestSchedule>(options.range);
  // The pipeline and what it holds end before the plot is drawn.
  const RateCurve curve = RunRangeTest(recipe, options);
  if (curve.steps().empty()) {
    throw Error(ErrorKind::kConfig, "the loss of the first batch is no finite number",
                "Look at the weights and the pictures by `weir check`.");
  }
  const auto findings = curve.Find();
  Draw(curve, findings, options);
  if (options.json) {
    PrintJson(curve, findings);
  } else {
    PrintTable(curve, options.range);
    if (findings) {
      PrintFindings(*findings, NameOf(*recipe.training.optimizer));
    }
    std::printf("plot: %s\n", options.out.c_str());
  }
  if (!findings) {
    throw Error(ErrorKind::kConfig,
                "no learning rate can be suggested: the loss did not fall by a twentieth",
                "Give more --steps, or a lower --from.");
  }
}

}  // namespace weir
