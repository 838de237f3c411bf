#include "pipelines/finetune/range_test_run.h"

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "framework/config/yaml_emitter.h"
#include "framework/error.h"
#include "pipelines/finetune/phase_job.h"
#include "pipelines/job/model_setup.h"
#include "pipelines/job/session.h"
#include "pipelines/job/signals.h"
#include "pipelines/job/ways_to_fit.h"
#include "pipelines/report/progress.h"
#include "stages/learner.h"

namespace weir {
namespace {

// The test as it runs: passes over the train split, one after the other, until it is over.
class RangeTest {
 public:
  RangeTest(Session& session, const RateRange& range, bool is_shown)
      : session_(session),
        learner_(*session.resources().Find<Learner>()),
        is_shown_(is_shown),
        range_(range),
        curve_(range) {}

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
                       "  rate " + LearningRateText(range_.RateOf(steps_))};
  }

  Session& session_;
  Learner& learner_;
  const bool is_shown_;
  const RateRange range_;
  RateCurve curve_;
  std::atomic<int> steps_{0};
  Metrics before_;  // as they were after the step before, in this pass
};

}  // namespace

RateCurve RunRangeTest(Recipe recipe, const RateRange& range, std::FILE* out,
                       const std::function<void()>& begin) {
  recipe.training.schedule = std::make_shared<RangeTestSchedule>(range);
  return InPhase(recipe, [&] {
    PhaseJob job(recipe, ModelOf(recipe, Fetching::kAllowed), nullptr, nullptr);
    PlanOrNameWays(recipe, job.session());
    job.Open();
    begin();
    for (const auto& about : {job.about_data(), job.about_model()}) {
      for (const std::string& line : about) std::fprintf(out, "%s\n", line.c_str());
    }
    std::fprintf(out, "learning rates from %s to %s, in at most %d steps\n",
                 LearningRateText(range.from).c_str(), LearningRateText(range.to).c_str(),
                 range.steps);
    std::fflush(out);
    return RangeTest(job.session(), range, out == stdout && IsTerminal()).Run();
  });
}

std::string LearningRateOption(const Recipe& recipe, const std::string& rate) {
  constexpr const char* kOptimizer = "optimizer";
  const YamlNode training = recipe.config.Section("training");
  std::optional<YamlNode> own = training.Find(kOptimizer), common;
  if (!recipe.phase_name.empty()) {
    common = std::exchange(
        own,
        training.Find("phases")->items()[static_cast<std::size_t>(recipe.phase)].Find(kOptimizer));
  }
  const std::string key = KeyOf(recipe, "training", kOptimizer);
  const YamlNode chosen = recipe.training.optimizer->ToYaml();  // {name: {parameters}}
  const std::string name = chosen.entries().front().key;
  const bool is_written_whole = own ? own->is_map() : !common;
  if (is_written_whole) return key + "." + name + ".learning_rate=" + rate;
  const std::optional<YamlNode> parameters = own ? std::nullopt : common->Find(name);
  const YamlNode with_rate = (parameters && parameters->is_map() ? *parameters : YamlNode::Map({}))
                                 .With({"learning_rate", YamlNode::Scalar(rate)});
  return key + "=" + EmitFlow(YamlNode::Map({{name, with_rate}}));
}

}  // namespace weir
