// What a run says and leaves while it goes on and when it ends, whichever kind of run it is
// (finetune.h, flow_run.h): its folder with the configuration, the plan, the pictures that were
// lost, who holds what memory, the summary, and how it ended. A run may go on from one session to
// the next.
//
//   RunReport report(RunFolder::Create(out), resolved_yaml, plan, session, {.workers = 2});
//   report.Record([&] {
//     report.RunPass({.split = Split::kTrain}, {.title = "samples", .state = state});
//     report.WriteSummary({{"images", 12}});
//   });
//
// There is none before its folder is there and written. One thread. Holds 64 KiB beside what the
// folder and the watch hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "framework/flow/trace.h"
#include "pipelines/job/session.h"
#include "pipelines/record/memory_watch.h"
#include "pipelines/record/run_folder.h"
#include "pipelines/report/progress.h"

namespace weir {

struct RunReportOptions {
  int workers = 1;         // threads of the pipeline
  Trace* trace = nullptr;  // where what is held is written too; null: nowhere; outlives the report
  bool is_shared = false;  // with other ranks, with which a signal and what is lost are agreed on
};

// What is shown of a pass.
struct ShownPass {
  std::string title;
  std::function<ProgressState()> state{};  // asked by a thread of its own
  std::uint64_t images_after = 0;          // images in the passes that follow this one
};

class RunReport {
 public:
  // Writes the configuration and `plan`. From now on what the pipeline of `session`, which is open,
  // drops is listed in the folder, and who holds what memory is noted there. Throws Error(kData)
  // where the folder cannot be written.
  RunReport(RunFolder folder, const std::string& resolved_yaml, const nlohmann::json& plan,
            Session& session, const RunReportOptions& options);
  RunReport(const RunReport&) = delete;
  RunReport& operator=(const RunReport&) = delete;
  ~RunReport();

  // The session ends, or this does before it; another one goes on, which is open.
  void Leave();
  void GoOnWith(Session& session);

  RunFolder& folder() { return folder_; }
  const MemorySnapshot& memory() const { return memory_.last(); }  // what the last tick saw

  // Does `work`, all of the run, and notes how it ends, whatever ends it. Throws what it throws.
  void Record(const std::function<void()>& work);

  // One pass with its progress on the terminal, which a signal stops. Gives its seconds.
  double RunPass(const Pass& pass, const ShownPass& shown);

  // What was lost since this was asked last; of a run that is shared. Between passes.
  struct Lost {
    std::string path, stage, reason;
  };
  std::vector<Lost> TakeNewLosses();

  // summary.json: `own` and what every run has.
  void WriteSummary(nlohmann::json own) const;
  // "112 MiB held at most of 256 MiB".
  std::string HeldText() const;
  void SayBottleneck() const;
  // How many `things`, which is empty or ends in a blank, were lost; nothing where none was.
  void SayDropped(const std::string& things) const;

 private:
  void NoteEnd(const std::function<std::string()>& state) noexcept;
  void Watch(const ShownPass& shown);
  void TraceMemory() const;
  std::optional<DeviceHolding> OnDevice() const;
  std::vector<Pipeline::Figures> AllFigures() const;
  std::vector<std::pair<std::string, double>> SharesOfTime() const;

  RunFolder folder_;
  Session* session_ = nullptr;  // null between two
  const RunReportOptions options_;
  const bool is_terminal_;
  MemoryWatch memory_;
  double seconds_ = 0;                                // what the passes took
  std::vector<Pipeline::Figures> figures_;            // of the sessions that were left
  std::size_t limit_bytes_ = 0;                       // of the last session
  std::size_t planned_bytes_ = 0, leased_bytes_ = 0;  // the most of any session
  std::size_t device_bytes_ = 0;                      // the same on the device; 0 without one
  std::map<std::string, std::uint64_t> left_out_;     // of the last session
  std::mutex new_losses_mutex_;
  std::vector<Lost> new_losses_;            // guarded by it
  std::unique_ptr<std::byte[]> last_room_;  // given back to write how it ended without memory
};

// A line on standard output; nothing where `text` is empty.
void PrintLine(const std::string& text);

}  // namespace weir
