#include "pipelines/job/finetune.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "framework/byte_size.h"
#include "framework/error.h"
#include "pipelines/job/calibrate.h"
#include "pipelines/job/data_check.h"
#include "pipelines/job/lost_classes.h"
#include "pipelines/job/run_report.h"
#include "pipelines/job/signals.h"
#include "pipelines/job/ways_to_fit.h"
#include "pipelines/record/config_changes.h"
#include "pipelines/record/tally.h"
#include "pipelines/report/metrics_text.h"
#include "pipelines/report/plan_text.h"
#include "stages/features/feature_keeper.h"
#include "stages/learner.h"
#include "stages/model/export/saved_model.h"
#include "stages/payloads.h"

namespace weir {
namespace {

using Clock = std::chrono::steady_clock;

// What a training starts from: a session that fits, is checked and open.
struct OpenedJob {
  OpenedJob(const Recipe& recipe, Trace* trace)
      : model(SetUpModel(recipe.model, Fetching::kAllowed)),
        session(recipe, {.training = true, .model = model, .trace = trace}),
        learner(session.resources().Find<Learner>()) {
    if (!learner) {
      throw Error(ErrorKind::kConfig, "the pipeline does not train",
                  "End it with the stage `train`, or use `weir predict` or `weir evaluate`.");
    }
    PlanOrNameWays(recipe, session);
    about_data = CheckDataOfRun(session, /*trains=*/true);
    if (CalibrationSession::IsNeeded(session)) {
      model->maps = CalibrationSession(recipe, model).Run();
    }
    session.Open();
  }

  const std::shared_ptr<ModelSource> model;
  Session session;
  const std::shared_ptr<Learner> learner;
  std::vector<std::string> about_data;  // lines to say before it begins
};

// What the checkpoint in `folder` has of an earlier sitting, which `learner` takes over; nothing
// where there is no checkpoint.
std::optional<Tally> TakeUp(const RunFolder& folder, Learner& learner) {
  if (!std::filesystem::exists(folder.checkpoint())) return std::nullopt;
  auto tally = Tally::FromText(learner.Restore(folder.checkpoint()));
  if (tally) return tally;
  throw Error(ErrorKind::kData, folder.checkpoint().string() + " has a damaged tally",
              "The checkpoint is damaged: remove it, and the run begins anew.");
}

class Finetuning {
 public:
  // `before` is what an earlier sitting left. The job and the report outlive this.
  Finetuning(const Recipe& recipe, OpenedJob& job, RunReport& report, std::optional<Tally> before,
             const std::string& resolved_yaml)
      : epochs_(recipe.training.epochs),
        checkpoint_seconds_(recipe.training.checkpoint_interval.seconds),
        job_(job),
        session_(job.session),
        learner_(*job.learner),
        report_(report),
        counts_(session_.resources().Find<SampleCounts>()),
        kept_features_(session_.resources().Find<FeatureKeeper>()),
        is_resumed_(before.has_value()),
        tally_(std::move(before).value_or(Tally{})),
        config_before_(std::exchange(tally_.config, resolved_yaml)) {
    learner_.after_step = [this] {
      if (SignalReceived()) session_.pipeline().Stop();
      if (Clock::now() - last_save_ >= checkpoint_seconds_) Save();
    };
  }

  Finetuning(const Finetuning&) = delete;
  Finetuning& operator=(const Finetuning&) = delete;
  ~Finetuning() { learner_.after_step = {}; }

  void Run() {
    Announce();
    Train();
    Finish();
  }

 private:
  void Announce() const {
    const MemoryPlan& plan = session_.plan();
    const auto classes = session_.resources().Find<Classes>();
    std::printf("%s: %zu classes, %llu pictures to train on, %llu to validate with\n",
                report_.folder().path().c_str(), classes ? classes->names.size() : 0,
                static_cast<unsigned long long>(Count(Split::kTrain)),
                static_cast<unsigned long long>(Count(Split::kValidation)));
    for (const std::string& line : job_.about_data) PrintLine(line);
    std::printf("memory: %s planned, the ceiling is %s (`weir plan` shows the bill)\n",
                ToRoundText(ByteSize{plan.peak_bytes()}).c_str(),
                ToRoundText(ByteSize{plan.limit_bytes}).c_str());
    const std::string& reason = session_.ceiling().reason;
    if (!reason.empty()) std::printf("%s: the ceiling is lower\n", reason.c_str());
    PrintLine(DeviceText(session_.device()));
    for (const std::string& note : report_.folder().notes()) PrintLine(note);
    if (kept_features_) PrintLine(kept_features_->Announcement());
    if (is_resumed_) AnnounceResumption();
    std::fflush(stdout);
  }

  void AnnounceResumption() const {
    if (config_before_.empty()) {
      std::printf(
          "its checkpoint is of an earlier version of weir: nothing in it says whether the "
          "configuration, the weights and the pictures are those that it was begun with\n");
    }
    // As the next checkpoint will give it back: what is not UTF-8 is replaced in both.
    const std::string now = Tally::FromText(tally_.ToText())->config;
    for (const std::string& change : ChangesBetween(config_before_, now)) PrintLine(change);
    const TrainingPosition position = learner_.position();
    if (position.epoch >= epochs_) {
      std::printf("%d epochs are done and training.epochs is %d: nothing is left to train\n",
                  position.epoch, epochs_);
      return;
    }
    std::printf("going on in epoch %d after %llu steps\n", position.epoch + 1,
                static_cast<unsigned long long>(position.step));
  }

  void Train() {
    last_save_ = Clock::now();
    for (int epoch = learner_.position().epoch; epoch < epochs_; ++epoch) {
      RunPass(Split::kTrain, epoch);
      if (Count(Split::kValidation) > 0) RunPass(Split::kValidation, epoch);
      tally_.epoch_seconds = 0;  // not before: stopped in validation, the epoch is reported anew
      learner_.set_epoch(epoch + 1);
      Save();
    }
  }

  void RunPass(Split split, int epoch) {
    const bool trains = split == Split::kTrain;
    const std::uint64_t first = trains ? learner_.position().next_sample : 0;
    const std::uint64_t images_before = trains ? learner_.position().metrics.images : 0;
    const std::string title = Title(split, epoch);
    const double seconds = report_.RunPass({.split = split, .epoch = epoch, .first_sample = first},
                                           {.title = title,
                                            .state = [this, split] { return State(split); },
                                            .images_after = ImagesAfter(split, epoch)});
    const Metrics metrics = learner_.metrics();
    tally_.seconds += seconds;
    tally_.images += metrics.images - images_before;
    if (trains) tally_.epoch_seconds += seconds;
    if (session_.pipeline().stopped()) Interrupted();
    Report(split, epoch, title, metrics, trains ? tally_.epoch_seconds : seconds);
  }

  void Report(Split split, int epoch, const std::string& title, const Metrics& metrics,
              double seconds) {
    CheckIsLearnt(split, epoch, title, metrics);
    nlohmann::json line = {{"epoch", epoch + 1},
                           {"split", Name(split)},
                           {"loss", metrics.loss()},
                           {"images", metrics.images},
                           {"seconds", seconds},
                           {"held_bytes", report_.memory().held_bytes},
                           {"beside_ledger_bytes", report_.memory().holdings.front().bytes}};
    metrics.ForEach([&line](const std::string& name, std::optional<double> value) {
      line[name] = value ? nlohmann::json(*value) : nlohmann::json();
    });
    report_.folder().AddMetrics(line);
    if (split == Split::kValidation) {
      tally_.best_validation_accuracy =
          std::max(tally_.best_validation_accuracy, metrics.accuracy());
    }
    std::printf("%-22s %s  %s\n", title.c_str(), MetricsText(metrics).c_str(),
                RateText(metrics.images, seconds, IsKept()).c_str());
    for (const Metrics::OfPass& each : metrics.of_pass) {
      if (!each.value && said_of_.insert(each.name).second) PrintLine(NotComputedText(each));
    }
    std::fflush(stdout);
  }

  // Ends a run that cannot come to anything.
  void CheckIsLearnt(Split split, int epoch, const std::string& title, const Metrics& metrics) {
    RunFolder& folder = report_.folder();
    if (metrics.images == 0) {
      throw Error(ErrorKind::kData,
                  "not one picture of the " + std::string(Name(split)) + " split could be used",
                  folder.dropped() > 0
                      ? folder.dropped_list().string() + " says why."
                      : "They do not fill one batch, and batch.drop_last leaves out what does not: "
                        "set it to false, or batch.size to less.");
    }
    lost_classes_.CheckAfter({.split = split, .epoch = epoch}, title, session_, folder);
    CheckIsFinite(title, metrics);
  }

  static void CheckIsFinite(const std::string& title, const Metrics& metrics) {
    if (std::isfinite(metrics.loss())) return;
    throw Error(ErrorKind::kConfig,
                title + ": the loss is no number any more, the training diverged",
                "Lower the learning_rate of training.optimizer, and begin anew in another folder.");
  }

  [[noreturn]] void Interrupted() {
    Save();
    const TrainingPosition position = learner_.position();
    throw Error(ErrorKind::kInterrupted,
                "interrupted in epoch " + std::to_string(position.epoch + 1) + " after " +
                    std::to_string(position.step) + " steps; the checkpoint is saved",
                "Go on with --resume --out " + report_.folder().path().string());
  }

  void Finish() {
    const RunFolder& folder = report_.folder();
    SaveModel(folder.model(), *session_.resources().Find<Model>(), learner_,
              job_.model->maps.get());
    report_.WriteSummary({{"images_per_second", Rate()},
                          {"seconds", tally_.seconds},
                          {"best_validation_accuracy", tally_.best_validation_accuracy}});
    if (Count(Split::kValidation) > 0) {
      std::printf("best validation accuracy %.3f%s, ", tally_.best_validation_accuracy,
                  lost_classes_.InBrackets().c_str());
    }
    std::printf("%.0f images/s, %s\n", Rate(), report_.HeldText().c_str());
    report_.SayBottleneck();
    report_.SayDropped("pictures ");
    if (kept_features_) PrintLine(kept_features_->Summary());
    std::printf("model: %s\n", folder.model().c_str());
  }

  bool IsKept() const { return kept_features_ && kept_features_->gives_pass(); }
  std::uint64_t Count(Split split) const { return counts_ ? (*counts_)[split] : 0; }
  double Rate() const {
    return tally_.seconds > 0 ? static_cast<double>(tally_.images) / tally_.seconds : 0;
  }

  // Images of this sitting's passes that come after the one of `split` in `epoch`.
  std::uint64_t ImagesAfter(Split split, int epoch) const {
    const std::uint64_t both = Count(Split::kTrain) + Count(Split::kValidation);
    return static_cast<std::uint64_t>(epochs_ - epoch - 1) * both +
           (split == Split::kTrain ? Count(Split::kValidation) : 0);
  }

  ProgressState State(Split split) const {
    const Metrics metrics = learner_.metrics();
    return {.done = metrics.images,
            .total = Count(split),
            .metrics = metrics.images > 0 ? MetricsText(metrics) : "",
            .is_kept = IsKept()};
  }

  std::string Title(Split split, int epoch) const {
    return "epoch " + std::to_string(epoch + 1) + "/" + std::to_string(epochs_) + " " +
           std::string(Name(split));
  }

  // Called between passes, and after a step in the thread that trains. Where the loss is no number
  // any more the run ends as diverged, stopped by a signal or not: such figures cannot be read
  // back, and the checkpoint before stays.
  void Save() {
    const TrainingPosition position = learner_.position();
    CheckIsFinite(Title(Split::kTrain, position.epoch), position.metrics);
    learner_.Save(report_.folder().checkpoint(), tally_.ToText());
    last_save_ = Clock::now();
  }

  const int epochs_;
  const std::chrono::duration<double> checkpoint_seconds_;
  OpenedJob& job_;
  Session& session_;
  Learner& learner_;
  RunReport& report_;
  const std::shared_ptr<SampleCounts> counts_;
  const std::shared_ptr<FeatureKeeper> kept_features_;
  LostClasses lost_classes_;
  std::set<std::string> said_of_;  // metrics that could not be computed
  const bool is_resumed_;
  Tally tally_;
  const std::string config_before_;  // the configuration that the checkpoint was written with
  Clock::time_point last_save_;
};

RunFolder OpenFolder(const RunOptions& options, const std::string& name) {
  if (!options.resume) {
    return RunFolder::Create(options.out.empty() ? RunFolder::MakeDefault(name) : options.out);
  }
  return RunFolder::Reopen(options.out.empty() ? RunFolder::Youngest(name) : options.out);
}

}  // namespace

void Finetune(const Recipe& recipe, const RunOptions& options, Trace* trace) {
  // What is refused before there is a folder leaves none behind: a configuration that is too long,
  // weights that do not fit. A checkpoint that does not fit is refused before anything of its
  // folder is changed.
  const std::string resolved_yaml = ResolvedYaml(recipe);
  OpenedJob job(recipe, trace);
  RunFolder folder = OpenFolder(options, recipe.config.name);
  auto before = options.resume ? TakeUp(folder, *job.learner) : std::nullopt;
  RunReport report(std::move(folder), resolved_yaml, job.session,
                   {.workers = Workers(recipe.config), .trace = trace});
  report.Record([&] {
    if (options.resume) report.folder().ForgetMetricsFrom(job.learner->position().epoch + 1);
    Finetuning(recipe, job, report, std::move(before), resolved_yaml).Run();
  });
}

}  // namespace weir
