#include "pipelines/finetune/range_test_run.h"

#include <atomic>
#include <functional>
#include <string>
#include <utility>

#include "framework/error.h"
#include "pipelines/job/calibrate.h"
#include "pipelines/job/data_check.h"
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

}  // namespace

RateCurve RunRangeTest(Recipe recipe, const RateRange& range, std::FILE* out,
                       const std::function<void()>& begin) {
  recipe.training.schedule = std::make_shared<RangeTestSchedule>(range);
  const auto model = ModelOf(recipe, Fetching::kAllowed);
  Session session(recipe, {.training = true, .model = model});
  PlanOrNameWays(recipe, session);
  for (const std::string& line : CheckDataOfRun(session, /*trains=*/true)) {
    std::fprintf(out, "%s\n", line.c_str());
  }
  if (CalibrationSession::IsNeeded(session)) {
    model->maps = CalibrationSession(recipe, model).Run();
  }
  session.Open();
  begin();
  std::fprintf(out, "learning rates from %s to %s, in at most %d steps\n",
               RateText(range.from).c_str(), RateText(range.to).c_str(), range.steps);
  std::fflush(out);
  return RangeTest(session, range, out == stdout && IsTerminal()).Run();
}

}  // namespace weir
