#include "pipelines/finetune/phase_run.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "framework/error.h"
#include "pipelines/job/signals.h"
#include "pipelines/recipe/model_use.h"
#include "pipelines/report/metrics_text.h"
#include "stages/features/feature_keeper.h"
#include "stages/model/export/saved_model.h"
#include "stages/train/schedules/plateau.h"

namespace weir {
namespace {

using Clock = std::chrono::steady_clock;

// The average of the weights in their place, as long as this is there.
class AverageInPlace {
 public:
  explicit AverageInPlace(Learner& learner) : learner_(learner) { learner_.ExchangeAverage(); }
  AverageInPlace(const AverageInPlace&) = delete;
  AverageInPlace& operator=(const AverageInPlace&) = delete;
  ~AverageInPlace() { learner_.ExchangeAverage(); }

 private:
  Learner& learner_;
};

// The figures of a pass that could be computed.
std::vector<std::pair<std::string, double>> KnownFigures(const Metrics& metrics) {
  std::vector<std::pair<std::string, double>> known;
  for (const auto& [name, value] : FiguresOf(metrics)) {
    if (value) known.emplace_back(name, *value);
  }
  return known;
}

// All that ranks decide by, to the bit: where a rank's processor rounds in another way, it is said,
// before one stops and another goes on.
std::string BitsOf(const Metrics& metrics) {
  std::ostringstream text;
  text << std::hexfloat;
  for (const auto& [name, value] : FiguresOf(metrics)) {
    text << name << ' ' << value.value_or(0) << ' ';
  }
  return text.str();
}

}  // namespace

PhaseRun::PhaseRun(PhaseJob& job, TrainingCourse& course, const Recipe* next, int epochs_after)
    : job_(job),
      course_(course),
      report_(course.report),
      learner_(job.learner()),
      config_(job.recipe().training),
      next_(next),
      last_epoch_(course.tally.phase.first_epoch + config_.epochs),
      epochs_after_(epochs_after),
      last_save_(Clock::now()) {
  if (course_.ranks) {  // they stop together, behind the same batch
    job_.recipe().ranks->wants_to_stop = SignalReceived;
    job_.recipe().ranks->stop = [this] { job_.session().pipeline().Stop(); };
  }
  learner_.after_step = [this] {
    if (!course_.ranks && SignalReceived()) job_.session().pipeline().Stop();
    const std::chrono::duration<double> interval(config_.checkpoint_interval.seconds);
    if (Clock::now() - last_save_ >= interval) Save();
  };
}

PhaseRun::~PhaseRun() {
  learner_.after_step = {};
  if (course_.ranks) job_.recipe().ranks->stop = [] {};
}

bool PhaseRun::is_over() const {
  const TrainingPosition position = learner_.position();
  return position.epoch >= last_epoch_ ||
         (config_.early_stopping &&
          HasStalled(position.monitored, config_.is_higher_better(),
                     config_.early_stopping->patience, config_.early_stopping->min_delta));
}

bool PhaseRun::has_kept_features() const {
  const auto features = job_.session().resources().Find<FeatureKeeper>();
  return features && features->gives_pass();
}

void PhaseRun::Run() {
  while (!is_over()) RunEpoch(learner_.position().epoch);
  const int epoch = learner_.position().epoch;
  if (epoch < last_epoch_) {
    std::printf("%s: %s has not become better for %d epochs, and epochs %d to %d are left out\n",
                Title(Split::kValidation, epoch - 1).c_str(), config_.monitor.c_str(),
                config_.early_stopping->patience, epoch + 1, last_epoch_);
    std::fflush(stdout);
  }
  // Only where not one epoch was left to run.
  if (next_ != nullptr && !has_left_) {
    LeaveForNext();
    Save();
  } else if (next_ == nullptr && wants_last()) {
    KeepLast();
    Save();
    Publish();
  }
}

void PhaseRun::Publish() const {
  if (course_.writes()) course_.kept_model().Publish(course_.tally.kept->epoch);
}

void PhaseRun::RunEpoch(int epoch) {
  Tally& tally = course_.tally;
  RunPass(Split::kTrain, epoch);
  std::optional<double> monitored;
  bool is_new = false;  // whether another model is kept from now on
  last_validation_.reset();
  learner_.AverageEpoch();
  if (job_.Count(Split::kValidation) > 0) {
    last_validation_ = Validate(epoch);
    tally.best_validation_accuracy =
        std::max(tally.best_validation_accuracy, last_validation_->accuracy());
    monitored = last_validation_->value(config_.monitor);
    is_new = job_.keeps_best() && KeepBest(epoch, *last_validation_);
  }
  tally.epoch_seconds = 0;  // not before: stopped in validation, the epoch is reported anew
  learner_.EndEpoch(monitored);
  if (is_over() && next_ != nullptr) LeaveForNext();
  if (is_over() && next_ == nullptr && wants_last()) {
    KeepLast();
    is_new = true;
  }
  Save();
  if (is_new) Publish();
}

// With an average of the weights both are measured, and its figures are those that count.
Metrics PhaseRun::Validate(int epoch) {
  Metrics of_weights = RunPass(Split::kValidation, epoch);
  return learner_.has_average() ? RunPass(Split::kValidation, epoch, /*of_average=*/true)
                                : of_weights;
}

Metrics PhaseRun::RunPass(Split split, int epoch, bool of_average) {
  Tally& tally = course_.tally;
  const bool trains = split == Split::kTrain;
  const std::uint64_t first = trains ? learner_.position().next_sample : 0;
  const std::uint64_t images_before = trains ? learner_.position().metrics.images : 0;
  const std::string title = Title(split, epoch, of_average);
  std::optional<AverageInPlace> average;
  if (of_average) average.emplace(learner_);
  double seconds = 0;
  try {
    seconds = report_.RunPass({.split = split, .epoch = epoch, .first_sample = first},
                              {.title = title,
                               .state = [this, split] { return State(split); },
                               .images_after = ImagesAfter(split, epoch)});
    average.reset();
    ShareLosses();
  } catch (const Error& error) {
    average.reset();
    // Another rank is gone. No rank steps before a sum is whole, so that this one stands where all
    // that are left do, or a step before or behind them, and may go on from there.
    if (error.kind() == ErrorKind::kInterrupted) Save();
    throw;
  }
  Metrics metrics = learner_.metrics();
  tally.seconds += seconds;
  tally.images += metrics.images - images_before;
  if (trains) tally.epoch_seconds += seconds;
  if (job_.session().pipeline().stopped()) Interrupted();
  if (course_.ranks) course_.ranks->Compare("other figures of " + title, BitsOf(metrics));
  try {
    Report(split, epoch, of_average, metrics, trains ? tally.epoch_seconds : seconds);
  } catch (const Error&) {
    if (!course_.writes()) course_.ranks->Hush();  // all find the same
    throw;
  }
  return metrics;
}

void PhaseRun::Report(Split split, int epoch, bool of_average, const Metrics& metrics,
                      double seconds) {
  const std::string title = Title(split, epoch, of_average);
  CheckIsLearnt(split, epoch, title, metrics);
  nlohmann::json line = {{"epoch", epoch + 1},
                         {"split", Name(split)},
                         {"images", metrics.images},
                         {"seconds", seconds},
                         {"held_bytes", report_.memory().held_bytes},
                         {"beside_ledger_bytes", report_.memory().holdings.front().bytes}};
  const std::string& phase = course_.tally.phase.name;
  if (!phase.empty()) line["phase"] = phase;
  if (of_average) line["weights"] = config_.average();
  const NamedFigures figures = FiguresOf(metrics);
  for (const auto& [name, value] : figures) {
    line[name] = value ? nlohmann::json(*value) : nlohmann::json();
  }
  if (course_.writes()) course_.folder.AddMetrics(line);
  const int width = config_.average().empty() ? 22 : 28;
  std::printf("%-*s %s  %s\n", width, title.c_str(), MetricsText(figures).c_str(),
              RateText(metrics.images, seconds, has_kept_features()).c_str());
  for (const Metrics::OfPass& each : metrics.of_pass) {
    if (!each.value && course_.not_computed.insert(each.name).second) {
      PrintLine(NotComputedText(each));
    }
  }
  std::fflush(stdout);
}

// Ends a run that cannot come to anything.
void PhaseRun::CheckIsLearnt(Split split, int epoch, const std::string& title,
                             const Metrics& metrics) {
  RunFolder& folder = report_.folder();
  if (metrics.images == 0) {
    throw Error(ErrorKind::kData,
                "not one picture of the " + std::string(Name(split)) + " split could be used",
                folder.dropped() > 0
                    ? folder.dropped_list().string() + " says why."
                    : "They do not fill one batch, and batch.drop_last leaves out what does not: "
                      "set it to false, or batch.size to less.");
  }
  course_.lost_classes.CheckAfter({.split = split, .epoch = epoch}, title, job_.session(), folder);
  CheckIsFinite(title, metrics);
}

void PhaseRun::CheckIsFinite(const std::string& title, const Metrics& metrics) const {
  if (std::isfinite(metrics.loss())) return;
  throw Error(ErrorKind::kConfig, title + ": the loss is no number any more, the training diverged",
              "Lower the learning_rate of " + KeyOf(job_.recipe(), "training", "optimizer") +
                  ", and begin anew in another folder, or go on from the checkpoint before by "
                  "--resume.");
}

// Where two are equal the earlier one stays.
bool PhaseRun::KeepBest(int epoch, const Metrics& validation) {
  Tally& tally = course_.tally;
  const std::optional<double> value = validation.value(config_.monitor);
  if (!value || (tally.best && !IsBetter(*value, *tally.best, config_.is_higher_better()))) {
    return false;
  }
  tally.best = value;
  tally.kept = {.epoch = epoch + 1,
                .phase = tally.phase.name,
                .why = "best " + config_.monitor,
                .weights = learner_.has_average() ? std::string(config_.average()) : "",
                .figures = KnownFigures(validation)};
  Stage(*tally.kept);
  return true;
}

// Whether the model of the last epoch is to be kept, and is not yet: an epoch's model is staged
// once, so that its number tells it from all others. It is kept, too, where the figure that says
// which is best could never be computed.
bool PhaseRun::wants_last() const {
  const Tally& tally = course_.tally;
  if (job_.keeps_best() && tally.best) return false;
  return !tally.kept || tally.kept->epoch != learner_.position().epoch;
}

void PhaseRun::KeepLast() {
  Tally& tally = course_.tally;
  tally.best.reset();
  const int epoch = learner_.position().epoch;
  tally.kept = {.epoch = epoch,
                .phase = tally.phase.name,
                .why = "last",
                .weights = learner_.has_average() ? std::string(config_.average()) : ""};
  if (last_validation_) {
    tally.kept->figures = KnownFigures(*last_validation_);
  } else if (course_.lost && course_.lost->epoch == epoch) {
    tally.kept->figures = course_.lost->figures;
  }
  Stage(*tally.kept);
}

void PhaseRun::Stage(const KeptEpoch& kept) const {
  if (!course_.writes()) return;
  course_.kept_model().Stage(kept.epoch, [&](const std::filesystem::path& folder) {
    const bool is_average = !kept.weights.empty();
    std::optional<AverageInPlace> average;
    if (is_average) average.emplace(learner_);
    SaveModel(folder, job_.model(), learner_, job_.source()->maps.get(), UseOf(job_.recipe()),
              ToJson(kept));
    average.reset();
    if (is_average) SaveRawWeights(folder, job_.model(), learner_);
  });
}

void PhaseRun::LeaveForNext() {
  Tally& tally = course_.tally;
  if (course_.writes()) {
    SaveModel(course_.folder.phase_model(next_->phase), job_.model(), learner_, nullptr, {}, {});
  }
  tally.phase = {.index = next_->phase,
                 .name = next_->phase_name,
                 .first_epoch = learner_.position().epoch,
                 .is_begun = false};
  has_left_ = true;
}

// Called between passes, and after a step in the thread that trains. Where the loss is no number
// any more the run ends as diverged, stopped by a signal or not: such figures cannot be read
// back, and the checkpoint before stays.
void PhaseRun::Save() {
  const TrainingPosition position = learner_.position();
  CheckIsFinite(Title(Split::kTrain, position.epoch), position.metrics);
  if (!has_left_) course_.tally.phase.is_begun = true;
  if (course_.writes()) learner_.Save(course_.folder.checkpoint(), course_.tally.ToText());
  last_save_ = Clock::now();
}

// What the other ranks lost, too, so that all know the same of it. A text ends with a zero byte,
// which no path holds.
void PhaseRun::ShareLosses() {
  if (!course_.ranks) return;
  std::string mine;
  for (const RunReport::Lost& lost : report_.TakeNewLosses()) {
    mine += lost.path + '\0' + lost.stage + '\0' + lost.reason + '\0';
  }
  std::vector<std::string> all = course_.ranks->Gather(mine);
  all[static_cast<std::size_t>(course_.ranks->rank())].clear();
  for (const std::string& text : all) {
    std::size_t begin = 0;
    const auto next = [&] {
      const std::size_t first = begin, end = text.find('\0', first);
      begin = end + 1;
      return text.substr(first, end - first);
    };
    while (begin < text.size()) {
      const std::string path = next(), stage = next(), reason = next();
      report_.folder().Dropped(path, stage, reason);
    }
  }
}

void PhaseRun::Interrupted() {
  Save();
  if (!course_.writes()) course_.ranks->Hush();
  const TrainingPosition position = learner_.position();
  throw Error(ErrorKind::kInterrupted,
              "interrupted in epoch " + std::to_string(position.epoch + 1) + " after " +
                  std::to_string(position.step) + " steps; the checkpoint is saved",
              "Go on with --resume --out " + course_.folder.path().string());
}

// Images of this sitting's passes that come after the one of `split` in `epoch`.
std::uint64_t PhaseRun::ImagesAfter(Split split, int epoch) const {
  const int validations = config_.average().empty() ? 1 : 2;
  const std::uint64_t validation = validations * job_.Count(Split::kValidation);
  const std::uint64_t both = job_.Count(Split::kTrain) + validation;
  return static_cast<std::uint64_t>(epochs() - epoch - 1) * both +
         (split == Split::kTrain ? validation : 0);
}

ProgressState PhaseRun::State(Split split) const {
  const Metrics metrics = learner_.metrics();
  return {.done = metrics.images,
          .total = job_.Count(split),
          .metrics = metrics.images > 0 ? MetricsText(FiguresOf(metrics)) : "",
          .is_kept = has_kept_features()};
}

std::string PhaseRun::Title(Split split, int epoch, bool of_average) const {
  return "epoch " + std::to_string(epoch + 1) + "/" + std::to_string(epochs()) + " " +
         std::string(Name(split)) + (of_average ? " (" + std::string(config_.average()) + ")" : "");
}

}  // namespace weir
