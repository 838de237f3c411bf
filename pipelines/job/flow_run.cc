#include "pipelines/job/flow_run.h"

#include <chrono>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "framework/byte_size.h"
#include "framework/error.h"
#include "pipelines/job/data_check.h"
#include "pipelines/job/memory_watch.h"
#include "pipelines/job/run_folder.h"
#include "pipelines/job/signals.h"
#include "pipelines/job/ways_to_fit.h"
#include "pipelines/report/bottleneck.h"
#include "pipelines/report/plan_text.h"
#include "pipelines/report/progress.h"

namespace weir {
namespace {

using Clock = std::chrono::steady_clock;

class FlowRun {
 public:
  FlowRun(const Recipe& recipe, const RunOptions& options, Trace* trace)
      : workers_(Workers(recipe.config)),
        session_(recipe, {.model = ModelOf(recipe, Fetching::kAllowed),
                          .on_drop =
                              [this](const std::string& stage, const Drop& drop) {
                                folder_->Dropped(drop.sample, stage, drop.reason);
                              },
                          .trace = trace}) {
    try {
      session_.Plan();
    } catch (const Error& refusal) {
      throw WithWaysToFit(refusal, options.config, options.overrides, session_);
    }
    about_data_ = CheckDataOfRun(session_, /*trains=*/false);
    session_.Open();
  }

  void Run(RunFolder folder, const std::string& resolved_yaml) {
    folder_.emplace(std::move(folder));
    folder_->WriteConfig(resolved_yaml);
    folder_->WritePlan(ToJson(session_.plan(), session_.device()));
    memory_.emplace(session_.pipeline(),
                    MemoryWatchOptions{.log = folder_->memory_log(),
                                       .limit_bytes = session_.plan().limit_bytes});
    const auto counts = session_.resources().Find<SampleCounts>();
    total_ = counts ? (*counts)[Split::kTrain] : 0;
    if (counts && (*counts)[Split::kValidation] > 0) {
      std::printf("%llu samples are for validation, and not among those of this job\n",
                  static_cast<unsigned long long>((*counts)[Split::kValidation]));
    }
    for (const std::string& line : about_data_) std::printf("%s\n", line.c_str());
    std::printf("%s: %s planned, the ceiling is %s\n", folder_->path().c_str(),
                ToRoundText(ByteSize{session_.plan().peak_bytes()}).c_str(),
                ToRoundText(ByteSize{session_.plan().limit_bytes}).c_str());
    for (const std::string& note : folder_->notes()) std::printf("%s\n", note.c_str());
    std::fflush(stdout);
    try {
      Pass();
      Finish();
    } catch (const Error& error) {
      memory_->End(error.kind() == ErrorKind::kInterrupted
                       ? "interrupted"
                       : std::string("failed: ") + error.what());
      throw;
    }
    memory_->End("done");
  }

 private:
  std::uint64_t done() const { return session_.pipeline().figures().front().figures.items; }

  void Pass() {
    const Clock::time_point begin = Clock::now();
    {
      Progress progress(
          {.title = "samples",
           .limit_bytes = session_.plan().limit_bytes,
           .is_terminal = IsTerminal()},
          [this] { return ProgressState{.done = done(), .total = total_}; },
          [this] {
            if (SignalReceived()) session_.pipeline().Stop();
            Watch();
          });
      session_.pipeline().Run({.split = Split::kTrain});
    }
    Watch();
    seconds_ = std::chrono::duration<double>(Clock::now() - begin).count();
    if (SignalReceived()) {
      throw Error(ErrorKind::kInterrupted,
                  "interrupted after " + std::to_string(done()) + " samples",
                  "What is written is whole; begin anew to have all of it.");
    }
  }

  void Watch() {
    const std::string said = memory_->Tick("samples", done(), total_);
    if (!said.empty()) std::printf("%s%s\n", IsTerminal() ? "\r\033[K" : "", said.c_str());
  }

  void Finish() {
    const auto shares = SharesOfTime(session_.pipeline().figures(), seconds_, workers_);
    const double rate = seconds_ > 0 ? static_cast<double>(done()) / seconds_ : 0;
    folder_->WriteSummary(
        {{"images_per_second", rate},
         {"images", done()},
         {"seconds", seconds_},
         {"peak_budget_bytes", session_.pipeline().peak_leased_bytes()},
         {"peak_rss_anon_bytes", Progress::peak_held_bytes()},
         {"planned_bytes", session_.plan().peak_bytes()},
         {"share_of_time", std::map<std::string, double>(shares.begin(), shares.end())},
         {"dropped", folder_->dropped()},
         {"left_out", LeftOutByKind(session_)}});
    std::printf("%llu samples, %.0f a second, %s held at most of %s\n",
                static_cast<unsigned long long>(done()), rate,
                ToRoundText(ByteSize{Progress::peak_held_bytes()}).c_str(),
                ToRoundText(ByteSize{session_.plan().limit_bytes}).c_str());
    const std::string bottleneck = BottleneckText(shares, workers_);
    if (!bottleneck.empty()) std::printf("%s\n", bottleneck.c_str());
    if (folder_->dropped() >= done() && done() > 0) {
      throw Error(ErrorKind::kData, "not one picture could be used",
                  (folder_->path() / "dropped.jsonl").string() + " says why.");
    }
    if (folder_->dropped() > 0) {
      std::printf("%llu could not be used: %s says which, and why\n",
                  static_cast<unsigned long long>(folder_->dropped()),
                  (folder_->path() / "dropped.jsonl").c_str());
    }
  }

  const int workers_;
  std::optional<RunFolder> folder_;  // from Run() on
  std::optional<MemoryWatch> memory_;
  Session session_;
  std::vector<std::string> about_data_;
  std::uint64_t total_ = 0;
  double seconds_ = 0;
};

}  // namespace

void RunFlow(const Recipe& recipe, const RunOptions& options, Trace* trace) {
  if (options.resume) {
    throw Error(ErrorKind::kConfig, "--resume goes on with a training, and this pipeline has none",
                "Leave it out: the job begins anew.");
  }
  const std::string resolved_yaml = ResolvedYaml(recipe);  // one that is too long leaves no folder
  FlowRun job(recipe, options, trace);
  job.Run(RunFolder::Create(options.out.empty() ? RunFolder::MakeDefault(recipe.config.name)
                                                : options.out),
          resolved_yaml);
}

}  // namespace weir
