#include "pipelines/job/flow_run.h"

#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "framework/byte_size.h"
#include "framework/error.h"
#include "pipelines/job/data_check.h"
#include "pipelines/job/model_setup.h"
#include "pipelines/job/run_report.h"
#include "pipelines/job/signals.h"
#include "pipelines/job/ways_to_fit.h"
#include "pipelines/report/plan_text.h"

namespace weir {
namespace {

class FlowRun {
 public:
  // `session` is open; `about_data` are lines to say before it begins. All outlive this.
  FlowRun(Session& session, RunReport& report, const std::vector<std::string>& about_data)
      : session_(session), report_(report), about_data_(about_data) {
    if (const auto counts = session.resources().Find<SampleCounts>()) counts_ = *counts;
  }

  void Run() {
    Announce();
    const double seconds = Pass();
    Finish(seconds);
  }

 private:
  std::uint64_t done() const { return session_.pipeline().figures().front().figures.items; }

  void Announce() {
    if (counts_[Split::kValidation] > 0) {
      std::printf("%llu samples are for validation, and not among those of this job\n",
                  static_cast<unsigned long long>(counts_[Split::kValidation]));
    }
    for (const std::string& line : about_data_) PrintLine(line);
    std::printf("%s: %s planned, the ceiling is %s\n", report_.folder().path().c_str(),
                ToRoundText(ByteSize{session_.plan().peak_bytes()}).c_str(),
                ToRoundText(ByteSize{session_.plan().limit_bytes}).c_str());
    for (const std::string& note : report_.folder().notes()) PrintLine(note);
    std::fflush(stdout);
  }

  double Pass() {
    const double seconds =
        report_.RunPass({.split = Split::kTrain},
                        {.title = "samples", .state = [this] {
                           return ProgressState{.done = done(), .total = counts_[Split::kTrain]};
                         }});
    if (SignalReceived()) {
      throw Error(ErrorKind::kInterrupted,
                  "interrupted after " + std::to_string(done()) + " samples",
                  "What is written is whole; begin anew to have all of it.");
    }
    return seconds;
  }

  void Finish(double seconds) {
    const double rate = seconds > 0 ? static_cast<double>(done()) / seconds : 0;
    report_.WriteSummary({{"images_per_second", rate}, {"images", done()}, {"seconds", seconds}});
    std::printf("%llu samples, %.0f a second, %s\n", static_cast<unsigned long long>(done()), rate,
                report_.HeldText().c_str());
    report_.SayBottleneck();
    if (report_.folder().dropped() >= done() && done() > 0) {
      throw Error(ErrorKind::kData, "not one picture could be used",
                  report_.folder().dropped_list().string() + " says why.");
    }
    report_.SayDropped("");
  }

  Session& session_;
  RunReport& report_;
  const std::vector<std::string>& about_data_;
  SampleCounts counts_{};
};

}  // namespace

void RunFlow(const Recipe& recipe, const RunOptions& options, Trace* trace) {
  if (options.resume) {
    throw Error(ErrorKind::kConfig, "--resume goes on with a training, and this pipeline has none",
                "Leave it out: the job begins anew.");
  }
  const std::string resolved_yaml = ResolvedYaml(recipe);  // one that is too long leaves no folder
  Session session(recipe, {.model = ModelOf(recipe, Fetching::kAllowed), .trace = trace});
  PlanOrNameWays(recipe, session);
  const std::vector<std::string> about_data = CheckDataOfRun(session, /*trains=*/false);
  session.Open();
  RunReport report(
      RunFolder::Create(
          options.out.empty() ? RunFolder::MakeDefault(recipe.config.name) : options.out,
          RunKind::kFlow),
      resolved_yaml, ToJson(session.plan(), session.device()), session,
      {.workers = Workers(recipe.config), .trace = trace});
  report.Record([&] { FlowRun(session, report, about_data).Run(); });
}

}  // namespace weir
