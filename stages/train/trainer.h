// The Learner of the stage `train`: its state, and one batch at a time. trainer.cc makes and opens
// it, trainer_passes.cc has what it does in a pass, trainer_state.cc how its state is saved, given
// to others, and taken up again.
//
// Called by one thread at a time, but for metrics() and LowerInFlight(), which any thread may call.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "framework/flow/stage.h"
#include "stages/device/device.h"
#include "stages/learner.h"
#include "stages/model/model.h"
#include "stages/ranks/ranks.h"
#include "stages/train/activation_plan.h"
#include "stages/train/checkpoint.h"
#include "stages/train/optimizers/optimizer.h"
#include "stages/train/pass_figures.h"
#include "stages/train/sample_gather.h"
#include "stages/train/schedules/schedule.h"
#include "stages/train/stage_learner.h"
#include "stages/train/torch/torch_allocator.h"
#include "stages/train/trainable_model.h"
#include "stages/train/training_config.h"

namespace weir {

class Trainer final : public StageLearner {
 public:
  // Throws Error(kConfig), as Train does.
  explicit Trainer(TrainerSetup setup);

  Footprint footprint() const override;
  void Open(OpenContext& context) override;
  void LowerInFlight(int micro_batches) override { wanted_in_flight_ = std::max(1, micro_batches); }
  void BeginPass(const Pass& pass) override;
  void Consume(const FeatureBatch& batch, StageContext& context) override;
  void EndPass(const Pass& pass) override;

  Metrics metrics() const override;
  TrainingPosition position() const override { return position_; }
  void EndEpoch(std::optional<double> monitored) override;
  void AverageEpoch() override;
  bool has_average() const override;
  void ExchangeAverage() override;
  void ForEachTensor(const std::function<void(const NamedTensor&)>& write) const override;
  void Save(const std::filesystem::path& file, const std::string& extra) const override;
  std::string Restore(const std::filesystem::path& file) override;
  void BeginPhase(const std::filesystem::path& file, bool keeps_optimizer) override;

 private:
  bool averages() const { return training_ && !config_->average().empty(); }
  std::size_t reading_bytes() const;                            // a layer while it is read
  std::size_t activation_bytes(Activations activations) const;  // what a micro-batch takes
  Footprint FootprintBesideDevice() const;
  Footprint FootprintOnHost() const;
  void MakeTrainable(const TrainableOptions& options);
  void ChooseMicroBatch();
  void ApplyLowering();
  void Issue(const std::function<void()>& work) const;  // here, or where the device's is issued
  void DigestFrozen();
  std::string AverageText() const;
  Declaration declaration() const;
  CheckpointArrays arrays() const;
  CheckpointArrays slot_arrays() const;
  void PutBegun();  // hands position_.begun to what learns
  // Samples of a batch that are computed together, counted in it.
  struct Part {
    int piece = 0;
    int begin = 0, count = 0;
  };
  using IsCancelled = std::function<bool()>;
  class FeaturesInUse;
  std::uint64_t WindowOf(const FeatureBatch& batch, const Pass& pass) const;
  std::vector<Part> Cut(const FeatureBatch& batch, std::uint64_t first_order) const;
  MicroBatch MicroBatchOf(const FeatureBatch& batch, const Part& part, int epoch) const;
  std::uint64_t WindowsOf(const Pass& pass) const;
  int PiecesIn(const Pass& pass, std::uint64_t window) const;
  bool TakeGathered(std::uint64_t window, const FeatureBatch& batch, const Pass& pass,
                    const IsCancelled& is_cancelled);
  bool TakeWindow(std::uint64_t window, const FeatureBatch& batch, const Pass& pass,
                  const IsCancelled& is_cancelled);
  bool LearnGradients(std::uint64_t window, const FeatureBatch& batch, const Pass& pass,
                      const IsCancelled& is_cancelled);
  bool LearnParts(const FeatureBatch& batch, std::span<const Part> parts, int epoch,
                  const IsCancelled& is_cancelled);
  bool Predict(const FeatureBatch& batch, const Pass& pass, const IsCancelled& is_cancelled);
  void Step(const Pass& pass, std::uint64_t window, std::size_t samples);
  void Finish(const Pass& pass, std::uint64_t window, std::span<const Sample> samples);
  void Report(std::span<const Sample> samples, const Pass& pass);
  void AddToMetrics(std::span<const Sample> samples);
  double LearningRate() const;  // that the next step takes
  void Remember(double monitored);
  void CheckBatch(const FeatureBatch& batch, Split split) const;
  std::span<const float> LogitsOf(int sample) const {
    return std::span(logits_).subspan(static_cast<std::size_t>(sample) * classes(), classes());
  }
  std::span<float> LogitsOf(const Part& part) {
    return std::span(logits_).subspan(static_cast<std::size_t>(part.begin) * classes(),
                                      static_cast<std::size_t>(part.count) * classes());
  }
  std::size_t gathered_values() const {  // floats of a sample that ranks tell each other
    return gathers_features_ ? static_cast<std::size_t>(model_->feature_dims().front())
                             : static_cast<std::size_t>(classes());
  }
  bool is_shared_out() const { return ranks_ && ranks_->share.ranks > 1; }
  bool sums_pieces() const { return ranks_ && !gathers_features_; }
  bool IsSharedOut(const Pass& pass) const {
    return is_shared_out() && RankShare::IsShared(pass.split);
  }
  std::size_t result_bytes() const {  // logits and losses of a batch
    return batch_size_ * (classes() * sizeof(float) + sizeof(double));
  }
  int classes() const { return static_cast<int>(model_->classes().size()); }
  bool IsLabel(int label) const { return label >= 0 && label < classes(); }

  std::shared_ptr<const Model> model_;
  std::shared_ptr<const ModelSource> source_;
  std::shared_ptr<const TrainingConfig> config_;
  std::shared_ptr<Device> device_;  // null: the host
  PassFigures figures_;
  const std::vector<std::shared_ptr<const PictureMetric>> picture_metrics_;
  const std::vector<double> class_weights_;
  const Declaration data_;
  const ScheduleLength length_;
  const Optimizer& optimizer_;  // the one that config_ names
  const std::shared_ptr<const Ranks> ranks_;
  const SampleCounts counts_;
  const bool gathers_features_;  // whether each rank learns from the features of the whole batch
  const RankShare share_;        // what is summed: the whole batch as one piece, where nothing is
  const int batch_size_;         // samples that all ranks together have
  const bool drops_last_;        // whether a train pass leaves out what is over at its end
  int micro_batch_;  // with a device the largest that is tried, until Open has found which fits
  bool may_cut_;     // whether Open may take a smaller one
  int workers_;
  bool training_;

  int in_flight_ = 0;
  std::atomic<int> wanted_in_flight_{0};
  TorchGrant grant_;
  std::unique_ptr<TrainableModel> trainable_;  // from Open on
  std::string frozen_digest_;                  // what does not learn; only where it trains
  std::vector<float> logits_;                  // [samples, classes] for one batch
  std::vector<double> losses_;
  const float* features_ = nullptr;     // the batch's that is worked on (FeaturesInUse)
  std::optional<SampleGather> gather_;  // features or logits, where batches are shared out
  std::uint64_t next_window_ = 0;       // the pass' next batch, where it is shared out
  bool is_stopping_ = false;            // as the ranks agreed

  TrainingPosition position_;
  mutable std::mutex mutex_;
  Metrics metrics_;  // guarded by mutex_
};

}  // namespace weir
