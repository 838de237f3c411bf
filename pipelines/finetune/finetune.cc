#include "pipelines/finetune/finetune.h"

#include <malloc.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "framework/byte_size.h"
#include "framework/config/device_selection.h"
#include "framework/error.h"
#include "framework/text.h"
#include "pipelines/finetune/phase_job.h"
#include "pipelines/finetune/phase_plans.h"
#include "pipelines/finetune/phase_run.h"
#include "pipelines/finetune/resumed_run.h"
#include "pipelines/job/host_ceiling.h"
#include "pipelines/job/model_setup.h"
#include "pipelines/record/config_changes.h"
#include "pipelines/record/tally.h"
#include "pipelines/report/metrics_text.h"
#include "pipelines/report/plan_text.h"
#include "stages/device/device.h"
#include "stages/features/feature_keeper.h"
#include "stages/model/export/saved_model.h"
#include "stages/picture_lists.h"
#include "stages/train/checkpoint.h"
#include "stages/train/torch/torch_library.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

class Finetuning {
 public:
  Finetuning(const Recipe& recipe, const RunOptions& options, Trace* trace, TrainingRanks* ranks)
      : recipe_(recipe),
        options_(options),
        trace_(trace),
        ranks_(ranks),
        resolved_yaml_(ResolvedYaml(recipe)),
        phases_(PhasesOf(recipe)) {}

  void Run() {
    // The folder is looked at first, to know the phase, and opened last: what it has listed is not
    // to be taken for what the process needs, and what is refused before leaves no folder behind.
    std::optional<Tally> before;
    Tally tally;
    nlohmann::json plan;
    Agree([&] {
      resumed_ = ResumedFolder(options_, recipe_.config.name);
      if (options_.resume) {
        before = ReadTally(RunFolder::At(resumed_));
        if (before) CheckPhase(phases_, before->phase);
      }
      tally = before.value_or(Tally{.phase = {.name = phases_.front().phase_name}});
      MakeFirstJob(tally.phase.index);
      plan = ToJson(PlanPhases(phases_, tally.phase.index, job_->source(), job_->session()),
                    job_->session().device());
    });
    if (ranks_) ranks_->CompareConfigurations(resolved_yaml_);
    if (ranks_) ranks_->Compare("other pictures", PicturesText());
    JoinDevices();
    Agree([&] {
      Choose();
      Open();
    });
    std::optional<RunFolder> folder;
    Agree([&] {
      if (!writes()) return;
      folder.emplace(OpenFolder());
      TakeOverFromRanks(*folder);
    });
    if (folder) folder_ = folder->path();
    if (ranks_) folder_ = ranks_->Gather(folder_.string()).front();
    Agree([&] {
      if (!writes()) folder.emplace(ranks_->OpenOwnFolder(folder_));
      if (options_.resume) TakeUp(RunFolder::At(folder_), before, tally);
    });
    if (ranks_) ranks_->Compare("another model to begin with", StateText(job_->learner()));
    RunReport report(*std::move(folder), resolved_yaml_, plan, job_->session(),
                     {.workers = Workers(job_->recipe().config),
                      .trace = trace_,
                      .is_shared = ranks_ != nullptr});
    report.Record([&] { Train(report, std::move(tally), before.has_value()); });
  }

 private:
  // Whether this process is the one that writes the run.
  bool writes() const { return !ranks_ || ranks_->is_first(); }

  void Agree(const std::function<void()>& work) {
    if (!ranks_) return work();
    ranks_->Agree(work);
  }

  std::string PicturesText() const {
    const auto lists = job_->session().resources().Find<PictureLists>();
    return lists ? lists->training + "; " + lists->validation : "";
  }

  RunFolder OpenFolder() const {
    if (options_.resume) return RunFolder::Reopen(resumed_);
    return RunFolder::Create(options_.out.empty() ? RunFolder::MakeDefault(recipe_.config.name)
                                                  : options_.out);
  }

  void MakeFirstJob(int phase) {
    if (phase == 0) return MakeJob(0, nullptr);
    const RunFolder folder = RunFolder::At(resumed_);
    MakeJob(phase, &folder);
  }

  // Makes the job of the first phase, or of one whose beginning lies in `folder`.
  void MakeJob(int phase, const RunFolder* folder) {
    const Recipe& recipe = phases_[static_cast<std::size_t>(phase)];
    job_ = InPhase(recipe, [&] {
      auto model =
          folder ? ModelLeftFor(recipe, *folder) : SetUpModel(recipe.model, Fetching::kAllowed);
      return std::make_unique<PhaseJob>(recipe, std::move(model), first_.get(), trace_);
    });
  }

  // What the phase before left, which nothing can make again.
  static std::shared_ptr<ModelSource> ModelLeftFor(const Recipe& recipe, const RunFolder& folder) {
    const fs::path left = folder.phase_model(recipe.phase);
    try {
      return ModelOfPhase(recipe, left);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kData) throw;
      throw Error(ErrorKind::kData, error.what(),
                  "The phase begins with the model in " + left.string() +
                      ": put it back as it was, or begin anew in another folder.");
    }
  }

  void Open() {
    InPhase(job_->recipe(), [&] { job_->Open(); });
  }

  void JoinDevices() {
    if (!ranks_) return;
    about_devices_ = ranks_->JoinDevices(job_->session().device(), job_->model());
  }

  // The device that is chosen for the first session of the process holds for those that follow.
  void Choose() {
    const std::shared_ptr<Device> device = job_->session().device().device;
    DeviceSelection chosen{DeviceSelection::Kind::kCpu};
    if (device) {
      const std::string name = device->torch_device();  // "cuda:1"
      chosen = {DeviceSelection::Kind::kCuda, std::stoi(name.substr(name.find(':') + 1))};
    }
    for (Recipe& phase : phases_) {
      if (phase.config.device.kind == DeviceSelection::Kind::kAuto) phase.config.device = chosen;
    }
  }

  // Goes on from the checkpoint and the model in `folder`, which is locked now; `before` was read
  // ahead of that. A checkpoint that does not fit is refused before anything of the folder is
  // changed.
  void TakeUp(const RunFolder& folder, const std::optional<Tally>& before, Tally& tally) {
    const std::optional<Tally> now = ReadTally(folder);
    const bool is_the_same = now.has_value() == before.has_value() &&
                             (!now || (now->phase.index == before->phase.index &&
                                       now->phase.is_begun == before->phase.is_begun));
    if (!is_the_same) {
      throw Error(ErrorKind::kConfig,
                  folder.path().string() + ": another process went on with it meanwhile",
                  "Try again.");
    }
    if (!now) return;
    tally = *now;
    if (tally.phase.is_begun) {
      job_->learner().Restore(folder.checkpoint());
    } else {
      BeginPhase(folder);
    }
    if (!writes()) return;
    RecoverKept(folder, tally);
    std::error_code unknown;
    for (int phase = 0; phase < static_cast<int>(phases_.size()); ++phase) {
      if (phase != tally.phase.index) fs::remove_all(folder.phase_model(phase), unknown);
    }
  }

  // The model of the last epoch can be made again from the checkpoint, that of the best one cannot.
  void RecoverKept(const RunFolder& folder, Tally& tally) {
    const int epoch = tally.kept ? tally.kept->epoch : 0;
    const std::string problem = KeptModelFolder(folder.model(), folder.checkpoint().parent_path())
                                    .Recover(epoch, EpochOfSavedModel);
    if (problem.empty()) return;
    const std::string what =
        folder.model().string() + " does not hold the model of epoch " + std::to_string(epoch);
    if (tally.best && job_->keeps_best()) {
      throw Error(ErrorKind::kData,
                  what + ", the best so far, which cannot be made again: " + problem,
                  "Put it back as it was, or begin anew in another folder; `training.keep: last` "
                  "goes on without it.");
    }
    about_lost_ = what + ": " + problem + "; the training writes its model anew";
    lost_ = std::exchange(tally.kept, std::nullopt);
    tally.best.reset();  // the figure of a model that is no more
  }

  void BeginPhase(const RunFolder& folder) {
    const PhaseConfig& phase =
        recipe_.training.phases[static_cast<std::size_t>(job_->recipe().phase)];
    job_->learner().BeginPhase(folder.checkpoint(), phase.optimizer_state == OptimizerState::kKeep);
  }

  void Train(RunReport& report, Tally tally, bool is_resumed) {
    const std::string config_before = std::exchange(tally.config, resolved_yaml_);
    TrainingCourse course{report, RunFolder::At(folder_), ranks_, std::move(tally),
                          std::move(lost_)};
    if (options_.resume && writes()) {
      report.folder().ForgetMetricsFrom(job_->learner().position().epoch + 1);
    }
    Announce(report);
    if (is_resumed) AnnounceChanges(config_before, course.tally);
    while (!RunPhase(course, is_resumed)) {
      GoOnWithPhase(job_->recipe().phase + 1, report);
      is_resumed = false;
    }
    if (writes()) Finish(report, course);
    Agree([] {});
  }

  // Gives whether it was the last one.
  bool RunPhase(TrainingCourse& course, bool is_resumed) {
    const auto phase = static_cast<std::size_t>(job_->recipe().phase);
    const bool is_last = phase + 1 == phases_.size();
    PhaseRun run(*job_, course, is_last ? nullptr : &phases_[phase + 1],
                 EpochsAfter(job_->recipe().phase));
    AnnouncePhase(run, is_resumed && job_->learner().position().step > 0);
    run.Run();
    return is_last;
  }

  // One session after the other, as both at once would not keep within the ceiling.
  void GoOnWithPhase(int phase, RunReport& report) {
    Agree([] {});  // the first rank has left the model that it begins with
    report.Leave();
    if (ranks_) ranks_->LeaveDevices();
    if (first_) {
      job_.reset();
    } else {
      first_ = PhaseJob::End(std::move(job_));
    }
    TrimTorchMemory();
    malloc_trim(0);
    const RunFolder folder = RunFolder::At(folder_);
    Agree([&] { MakeJob(phase, &folder); });
    JoinDevices();
    Agree([&] {
      Open();
      InPhase(job_->recipe(), [&] { BeginPhase(folder); });
    });
    report.GoOnWith(job_->session());
    if (!writes()) return;
    std::error_code unknown;  // it is of no use any more, and no harm
    fs::remove_all(folder.phase_model(phase - 1), unknown);
  }

  int EpochsAfter(int phase) const {
    int epochs = 0;
    for (std::size_t i = static_cast<std::size_t>(phase) + 1; i < phases_.size(); ++i) {
      epochs += phases_[i].training.epochs;
    }
    return epochs;
  }

  void Announce(RunReport& report) const {
    const auto classes = job_->session().resources().Find<Classes>();
    if (ranks_) std::printf("%d ranks\n", ranks_->count());
    std::printf("%s: %zu classes, %llu pictures to train on, %llu to validate with\n",
                report.folder().path().c_str(), classes ? classes->names.size() : 0,
                static_cast<unsigned long long>(job_->Count(Split::kTrain)),
                static_cast<unsigned long long>(job_->Count(Split::kValidation)));
    for (const std::string& line : job_->about_data()) PrintLine(line);
    for (const std::string& line : job_->about_model()) PrintLine(line);
    const std::string& reason = job_->session().ceiling().reason;
    if (!reason.empty()) std::printf("%s: the ceiling is lower\n", reason.c_str());
    PrintLine(DeviceText(job_->session().device()));
    for (const std::string& note : report.folder().notes()) PrintLine(note);
    if (!about_lost_.empty()) PrintLine(about_lost_);
  }

  void AnnounceChanges(const std::string& config_before, const Tally& tally) const {
    if (config_before.empty()) {
      std::printf(
          "its checkpoint is of an earlier version of weir: nothing in it says whether the "
          "configuration, the weights and the pictures are those that it was begun with\n");
    }
    // As the next checkpoint will give it back: what is not UTF-8 is replaced in both.
    const std::string now = Tally::FromText(tally.ToText())->config;
    const auto is_over = [&tally](std::string_view key) {
      return IsOfPhaseBefore(key, tally.phase.index);
    };
    for (const std::string& change : ChangesBetween(config_before, now, is_over)) {
      PrintLine(change);
    }
  }

  void AnnouncePhase(const PhaseRun& run, bool goes_on) const {
    const MemoryPlan& plan = job_->session().plan();
    const TrainingPosition position = job_->learner().position();
    if (phases_.size() > 1) {
      std::printf("phase %d of %zu, %s: %zu values learn\n", job_->recipe().phase + 1,
                  phases_.size(), Printable(job_->recipe().phase_name).c_str(),
                  job_->model().trained_values());
    }
    std::printf("memory: %s planned, the ceiling is %s (`weir plan` shows the bill)\n",
                ToRoundText(ByteSize{plan.peak_bytes()}).c_str(),
                ToRoundText(ByteSize{plan.limit_bytes}).c_str());
    if (const auto kept = job_->session().resources().Find<FeatureKeeper>()) {
      PrintLine(kept->Announcement());
    }
    if (!about_devices_.empty()) PrintLine(about_devices_);
    if (goes_on && run.is_over()) {
      std::printf("%d epochs are done%s: nothing is left to train%s\n", position.epoch,
                  position.epoch == run.epochs() && phases_.size() == 1
                      ? (" and training.epochs is " + std::to_string(run.epochs())).c_str()
                      : "",
                  phases_.size() > 1 ? " in this phase" : "");
    } else if (goes_on) {
      std::printf("going on in epoch %d after %llu steps\n", position.epoch + 1,
                  static_cast<unsigned long long>(position.step));
    }
    std::fflush(stdout);
  }

  void Finish(const RunReport& report, TrainingCourse& course) const {
    const Tally& tally = course.tally;
    const double rate = tally.seconds > 0 ? static_cast<double>(tally.images) / tally.seconds : 0;
    report.WriteSummary({{"images_per_second", rate},
                         {"seconds", tally.seconds},
                         {"best_validation_accuracy", tally.best_validation_accuracy},
                         {"kept", ToJson(*tally.kept)}});
    const std::string lost = course.lost_classes.InBrackets();
    if (tally.kept->why == "best accuracy") {
      std::printf("best validation accuracy %.3f%s, ",
                  tally.best.value_or(tally.best_validation_accuracy), lost.c_str());
    }
    std::printf("%.0f images/s, %s\n", rate, report.HeldText().c_str());
    report.SayBottleneck();
    report.SayDropped("pictures ");
    if (const auto kept = job_->session().resources().Find<FeatureKeeper>()) {
      PrintLine(kept->Summary());
    }
    const std::string figures =
        MetricsText(NamedFigures(tally.kept->figures.begin(), tally.kept->figures.end()));
    std::printf("model: %s, of epoch %d, the %s%s\n", course.report.folder().model().c_str(),
                tally.kept->epoch, tally.kept->why.c_str(),
                figures.empty() ? "" : (": validation " + figures + lost).c_str());
  }

  const Recipe& recipe_;
  const RunOptions& options_;
  Trace* const trace_;
  TrainingRanks* const ranks_;  // null where the training is not shared
  const std::string resolved_yaml_;
  fs::path resumed_;  // empty where it is a new run
  fs::path folder_;   // the run's
  std::vector<Recipe> phases_;
  std::optional<KeptEpoch> lost_;         // as TrainingCourse has it
  std::string about_lost_;                // what is said of it
  std::string about_devices_;             // how the ranks' devices exchange gradients
  std::unique_ptr<const Session> first_;  // the first phase's, once that is over
  std::unique_ptr<PhaseJob> job_;         // the phase in progress
};

}  // namespace

void Finetune(const Recipe& recipe, const RunOptions& options, Trace* trace, TrainingRanks* ranks) {
  try {
    Finetuning(recipe, options, trace, ranks).Run();
  } catch (const Error& error) {
    if (!ranks) throw;
    throw ranks->Explained(error);
  }
}

}  // namespace weir
