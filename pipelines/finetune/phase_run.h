// One phase of a training as it runs: its passes, their figures, when it ends, which model is kept,
// and a checkpoint to go on from at every save interval.
//
// One thread, but for what the pass calls back. Holds nothing but its figures.
#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>

#include "pipelines/finetune/lost_classes.h"
#include "pipelines/finetune/phase_job.h"
#include "pipelines/finetune/training_ranks.h"
#include "pipelines/job/run_report.h"
#include "pipelines/record/kept_model.h"
#include "pipelines/record/tally.h"

namespace weir {

// What goes on from one phase to the next.
struct TrainingCourse {
  RunReport& report;
  RunFolder folder;                // the run's; beside the first rank the report has another
  TrainingRanks* ranks = nullptr;  // null where the training is not shared
  Tally tally;
  std::optional<KeptEpoch> lost{};  // what model/ held by the checkpoint, and does not any more
  LostClasses lost_classes{};
  std::set<std::string> not_computed{};  // metrics of which that was said

  // Whether this process writes the run, as the first rank does.
  bool writes() const { return !ranks || ranks->is_first(); }

  KeptModelFolder kept_model() const { return {folder.model(), folder.checkpoint().parent_path()}; }
};

class PhaseRun {
 public:
  // The job is open, and its learner stands where `course` says. `next` is the phase that follows,
  // null behind the last one; `epochs_after` are those of all that follow. All outlive this.
  PhaseRun(PhaseJob& job, TrainingCourse& course, const Recipe* next, int epochs_after);
  PhaseRun(const PhaseRun&) = delete;
  PhaseRun& operator=(const PhaseRun&) = delete;
  ~PhaseRun();

  // To the end of the phase. Where another one follows, its first model and a checkpoint that tells
  // of it are left in the folder; behind the last one the model that is kept is in its place.
  // Throws Error: kInterrupted where a signal stopped it, after the checkpoint is saved.
  void Run();

  int epochs() const { return last_epoch_ + epochs_after_; }  // of the whole training
  bool is_over() const;

 private:
  bool has_kept_features() const;  // whether this pass is given from kept ones
  void RunEpoch(int epoch);
  Metrics RunPass(Split split, int epoch, bool of_average = false);
  Metrics Validate(int epoch);
  void Report(Split split, int epoch, bool of_average, const Metrics& metrics, double seconds);
  void CheckIsLearnt(Split split, int epoch, const std::string& title, const Metrics& metrics);
  void CheckIsFinite(const std::string& title, const Metrics& metrics) const;
  bool KeepBest(int epoch, const Metrics& validation);
  bool wants_last() const;
  void KeepLast();
  void Stage(const KeptEpoch& kept) const;
  void LeaveForNext();
  void Publish() const;
  void ShareLosses();
  void Save();
  [[noreturn]] void Interrupted();
  std::uint64_t ImagesAfter(Split split, int epoch) const;
  ProgressState State(Split split) const;
  std::string Title(Split split, int epoch, bool of_average = false) const;

  PhaseJob& job_;
  TrainingCourse& course_;
  RunReport& report_;
  Learner& learner_;
  const TrainingConfig& config_;
  const Recipe* const next_;
  const int last_epoch_;  // behind it, from 0, over all phases
  const int epochs_after_;
  bool has_left_ = false;
  std::optional<Metrics> last_validation_;  // of this sitting
  std::chrono::steady_clock::time_point last_save_;
};

}  // namespace weir
