#include "pipelines/job/finetune.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "framework/byte_size.h"
#include "framework/error.h"
#include "pipelines/job/calibrate.h"
#include "pipelines/job/config_changes.h"
#include "pipelines/job/data_check.h"
#include "pipelines/job/lost_classes.h"
#include "pipelines/job/memory_watch.h"
#include "pipelines/job/run_folder.h"
#include "pipelines/job/signals.h"
#include "pipelines/job/tally.h"
#include "pipelines/job/ways_to_fit.h"
#include "pipelines/report/bottleneck.h"
#include "pipelines/report/plan_text.h"
#include "pipelines/report/progress.h"
#include "stages/features/feature_keeper.h"
#include "stages/learner.h"
#include "stages/model/export/saved_model.h"
#include "stages/payloads.h"

namespace weir {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// "loss 0.1234  accuracy 0.987".
std::string MetricsText(const Metrics& metrics) {
  char figure[40];
  std::snprintf(figure, sizeof figure, "loss %.4f", metrics.loss());
  std::string text = figure;
  for (const Metrics::Mean& mean : metrics.means) {
    std::snprintf(figure, sizeof figure, " %.3f", mean.value());
    text += "  " + mean.name + figure;
  }
  return text;
}

void PrintLine(const std::string& text) {
  if (!text.empty()) std::printf("%s\n", text.c_str());
}

class Finetuning {
 public:
  Finetuning(const Recipe& recipe, Trace* trace)
      : trace_(trace),
        workers_(Workers(recipe.config)),
        epochs_(recipe.training.epochs),
        checkpoint_seconds_(recipe.training.checkpoint_interval.seconds),
        model_(SetUpModel(recipe.model, Fetching::kAllowed)),
        session_(recipe, {.training = true,
                          .model = model_,
                          .on_drop =
                              [this](const std::string& stage, const Drop& drop) {
                                folder_->Dropped(drop.sample, stage, drop.reason);
                              },
                          .trace = trace}),
        learner_(session_.resources().Find<Learner>()),
        counts_(session_.resources().Find<SampleCounts>()),
        kept_features_(session_.resources().Find<FeatureKeeper>()),
        is_terminal_(IsTerminal()) {
    if (!learner_) {
      throw Error(ErrorKind::kConfig, "the pipeline does not train",
                  "End it with the stage `train`, or use `weir predict` or `weir evaluate`.");
    }
  }

  // Refuses what cannot fit, and data that cannot be learnt from, before anything is written.
  void Plan(const RunOptions& options) {
    try {
      limit_bytes_ = session_.Plan().limit_bytes;
    } catch (const Error& refusal) {
      throw WithWaysToFit(refusal, options.config, options.overrides, session_);
    }
    about_data_ = CheckDataOfRun(session_, /*trains=*/true);
  }

  // From now on what happens is written there. A checkpoint that does not fit is refused before
  // anything of the folder is changed.
  void Use(RunFolder folder, const std::string& resolved_yaml, bool resume) {
    folder_.emplace(std::move(folder));
    if (resume && std::filesystem::exists(folder_->checkpoint())) {
      const auto tally = Tally::FromText(learner_->Restore(folder_->checkpoint()));
      if (!tally) {
        throw Error(ErrorKind::kData, folder_->checkpoint().string() + " has a damaged tally",
                    "The checkpoint is damaged: remove it, and the run begins anew.");
      }
      tally_ = *tally;
      is_resumed_ = true;
    }
    config_before_ = std::exchange(tally_.config, resolved_yaml);
    folder_->WriteConfig(resolved_yaml);
    folder_->WritePlan(ToJson(session_.plan(), session_.device()));
    memory_.emplace(session_.pipeline(),
                    MemoryWatchOptions{.log = folder_->memory_log(), .limit_bytes = limit_bytes_});
    if (resume) folder_->ForgetMetricsFrom(learner_->position().epoch);
  }

  void Announce() const {
    const MemoryPlan& plan = session_.plan();
    const auto classes = session_.resources().Find<Classes>();
    std::printf("%s: %zu classes, %llu pictures to train on, %llu to validate with\n",
                folder_->path().c_str(), classes ? classes->names.size() : 0,
                static_cast<unsigned long long>(Count(Split::kTrain)),
                static_cast<unsigned long long>(Count(Split::kValidation)));
    for (const std::string& line : about_data_) PrintLine(line);
    std::printf("memory: %s planned, the ceiling is %s (`weir plan` shows the bill)\n",
                ToRoundText(ByteSize{plan.peak_bytes()}).c_str(),
                ToRoundText(ByteSize{plan.limit_bytes}).c_str());
    const std::string& reason = session_.ceiling().reason;
    if (!reason.empty()) std::printf("%s: the ceiling is lower\n", reason.c_str());
    std::printf("%s\n", DeviceText(session_.device()).c_str());
    for (const std::string& note : folder_->notes()) PrintLine(note);
    if (kept_features_) PrintLine(kept_features_->Announcement());
    if (is_resumed_) AnnounceResumption();
    std::fflush(stdout);
  }

  void Open(const Recipe& recipe) {
    if (CalibrationSession::IsNeeded(session_)) {
      model_->maps = CalibrationSession(recipe, model_).Run();
    }
    session_.Open();
    learner_->after_step = [this] {
      if (SignalReceived()) session_.pipeline().Stop();
      if (SecondsSince(last_save_) >= checkpoint_seconds_) Save();
    };
  }

  void Train() {
    last_save_ = Clock::now();
    for (int epoch = learner_->position().epoch; epoch < epochs_; ++epoch) {
      RunPass(Split::kTrain, epoch);
      if (Count(Split::kValidation) > 0) RunPass(Split::kValidation, epoch);
      tally_.epoch_seconds = 0;  // not before: stopped in validation, the epoch is reported anew
      learner_->set_epoch(epoch + 1);
      Save();
    }
  }

  void Finish() {
    SaveModel(folder_->model(), *session_.resources().Find<Model>(), *learner_, model_->maps.get());
    const auto shares = SharesOfTime(session_.pipeline().figures(), sitting_seconds_, workers_);
    folder_->WriteSummary(
        {{"images_per_second", Rate()},
         {"seconds", tally_.seconds},
         {"peak_budget_bytes", session_.pipeline().peak_leased_bytes()},
         {"peak_rss_anon_bytes", Progress::peak_held_bytes()},
         {"planned_bytes", session_.plan().peak_bytes()},
         {"best_validation_accuracy", tally_.best_validation_accuracy},
         {"share_of_time", std::map<std::string, double>(shares.begin(), shares.end())},
         {"dropped", folder_->dropped()},
         {"left_out", LeftOutByKind(session_)}});
    if (Count(Split::kValidation) > 0) {
      std::printf("best validation accuracy %.3f%s, ", tally_.best_validation_accuracy,
                  lost_classes_.InBrackets().c_str());
    }
    std::printf("%.0f images/s, %s held at most of %s\n", Rate(),
                ToRoundText(ByteSize{Progress::peak_held_bytes()}).c_str(),
                ToRoundText(ByteSize{limit_bytes_}).c_str());
    PrintLine(BottleneckText(shares, workers_));
    if (folder_->dropped() > 0) {
      std::printf("%llu pictures could not be used: %s says which, and why\n",
                  static_cast<unsigned long long>(folder_->dropped()),
                  (folder_->path() / "dropped.jsonl").c_str());
    }
    if (kept_features_) PrintLine(kept_features_->Summary());
    std::printf("model: %s\n", folder_->model().c_str());
  }

  // How it ended, for `weir explain`.
  void NoteEnd(const std::string& state) { memory_->End(state); }

 private:
  void AnnounceResumption() const {
    if (config_before_.empty()) {
      std::printf(
          "its checkpoint is of an earlier version of weir: nothing in it says whether the "
          "configuration, the weights and the pictures are those that it was begun with\n");
    }
    // As the next checkpoint will give it back: what is not UTF-8 is replaced in both.
    const std::string now = Tally::FromText(tally_.ToText())->config;
    for (const std::string& change : ChangesBetween(config_before_, now)) PrintLine(change);
    const TrainingPosition position = learner_->position();
    if (position.epoch >= epochs_) {
      std::printf("%d epochs are done and training.epochs is %d: nothing is left to train\n",
                  position.epoch, epochs_);
      return;
    }
    std::printf("going on in epoch %d after %llu steps\n", position.epoch + 1,
                static_cast<unsigned long long>(position.step));
  }

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

  void RunPass(Split split, int epoch) {
    const bool trains = split == Split::kTrain;
    const std::uint64_t first = trains ? learner_->position().next_sample : 0;
    const std::uint64_t images_before = trains ? learner_->position().metrics.images : 0;
    const std::string title = "epoch " + std::to_string(epoch + 1) + "/" + std::to_string(epochs_) +
                              " " + std::string(Name(split));
    const Clock::time_point begin = Clock::now();
    {
      Progress progress(
          {.title = title,
           .limit_bytes = limit_bytes_,
           .images_after = ImagesAfter(split, epoch),
           .is_terminal = is_terminal_},
          [&] { return State(split); },
          [&] {
            if (SignalReceived()) session_.pipeline().Stop();
            Watch(title, split);
          });
      session_.pipeline().Run({.split = split, .epoch = epoch, .first_sample = first});
    }
    Watch(title, split);  // a short pass has no tick
    const double seconds = SecondsSince(begin);
    const Metrics metrics = learner_->metrics();
    sitting_seconds_ += seconds;
    tally_.seconds += seconds;
    tally_.images += metrics.images - images_before;
    if (trains) tally_.epoch_seconds += seconds;
    if (session_.pipeline().stopped()) Interrupted();
    Report(split, epoch, title, metrics, trains ? tally_.epoch_seconds : seconds);
  }

  void Watch(const std::string& title, Split split) {
    const ProgressState state = State(split);
    const std::string said = memory_->Tick(title, state.done, state.total);
    if (trace_) TraceMemory();
    if (!said.empty()) std::printf("%s%s\n", is_terminal_ ? "\r\033[K" : "", said.c_str());
  }

  void TraceMemory() {
    const MemorySnapshot& now = memory_->last();
    trace_->Counter("held by the process", now.held_bytes);
    for (const Pipeline::Holding& holding : now.holdings) {
      trace_->Counter(holding.stage + ": " + holding.what, holding.bytes);
    }
  }

  void Report(Split split, int epoch, const std::string& title, const Metrics& metrics,
              double seconds) {
    if (metrics.images == 0) {
      throw Error(ErrorKind::kData,
                  "not one picture of the " + std::string(Name(split)) + " split could be used",
                  folder_->dropped() > 0
                      ? (folder_->path() / "dropped.jsonl").string() + " says why."
                      : "They do not fill one batch, and batch.drop_last leaves out what does not: "
                        "set it to false, or batch.size to less.");
    }
    lost_classes_.CheckAfter({.split = split, .epoch = epoch}, title, session_, *folder_);
    if (!std::isfinite(metrics.loss())) {
      throw Error(
          ErrorKind::kConfig, title + ": the loss is no number any more, the training diverged",
          "Lower the learning_rate of training.optimizer, and begin anew in another folder.");
    }
    nlohmann::json line = {{"epoch", epoch},
                           {"split", Name(split)},
                           {"loss", metrics.loss()},
                           {"images", metrics.images},
                           {"seconds", seconds},
                           {"held_bytes", memory_->last().held_bytes},
                           {"beside_ledger_bytes", memory_->last().holdings.front().bytes}};
    for (const Metrics::Mean& mean : metrics.means) line[mean.name] = mean.value();
    folder_->AddMetrics(line);
    if (split == Split::kValidation) {
      tally_.best_validation_accuracy =
          std::max(tally_.best_validation_accuracy, metrics.accuracy());
    }
    std::printf("%-22s %s  %.0f images/s\n", title.c_str(), MetricsText(metrics).c_str(),
                seconds > 0 ? static_cast<double>(metrics.images) / seconds : 0);
    std::fflush(stdout);
  }

  [[noreturn]] void Interrupted() {
    Save();
    const TrainingPosition position = learner_->position();
    throw Error(ErrorKind::kInterrupted,
                "interrupted in epoch " + std::to_string(position.epoch + 1) + " after " +
                    std::to_string(position.step) + " steps; the checkpoint is saved",
                "Go on with --resume --out " + folder_->path().string());
  }

  ProgressState State(Split split) const {
    const Metrics metrics = learner_->metrics();
    return {.done = metrics.images,
            .total = Count(split),
            .metrics = metrics.images > 0 ? MetricsText(metrics) : ""};
  }

  // Called between passes, and after a step in the thread that trains.
  void Save() {
    learner_->Save(folder_->checkpoint(), tally_.ToText());
    last_save_ = Clock::now();
  }

  Trace* const trace_;  // null: none
  const int workers_;
  const int epochs_;
  const double checkpoint_seconds_;
  std::optional<RunFolder> folder_;  // from Use() on
  std::optional<MemoryWatch> memory_;
  const std::shared_ptr<ModelSource> model_;
  Session session_;
  std::shared_ptr<Learner> learner_;
  std::shared_ptr<SampleCounts> counts_;
  std::shared_ptr<FeatureKeeper> kept_features_;
  std::vector<std::string> about_data_;
  LostClasses lost_classes_;
  const bool is_terminal_;
  std::size_t limit_bytes_ = 0;
  bool is_resumed_ = false;
  std::string config_before_;  // the configuration that the checkpoint was written with
  Tally tally_;
  double sitting_seconds_ = 0;  // in passes
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
  // weights that do not fit.
  const std::string resolved_yaml = ResolvedYaml(recipe);
  Finetuning job(recipe, trace);
  job.Plan(options);
  job.Open(recipe);
  job.Use(OpenFolder(options, recipe.config.name), resolved_yaml, options.resume);
  job.Announce();
  try {
    job.Train();
    job.Finish();
  } catch (const Error& error) {
    job.NoteEnd(error.kind() == ErrorKind::kInterrupted ? "interrupted"
                                                        : std::string("failed: ") + error.what());
    throw;
  }
  job.NoteEnd("done");
}

}  // namespace weir
