// The Learner of the stage `train`: its state, and one batch at a time.
//
// Called by one thread at a time, but for metrics(), which any thread may call.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "framework/stage.h"
#include "stages/learner.h"
#include "stages/model/checkpoint.h"
#include "stages/model/model.h"
#include "stages/model/optimizer.h"
#include "stages/model/torch_allocator.h"
#include "stages/model/trainable_model.h"

namespace weir {

class TrainLearner final : public Learner {
 public:
  // `batch_size` is the most samples of a batch. Throws Error(kConfig), as Train does.
  TrainLearner(std::shared_ptr<const Model> model, std::shared_ptr<const ModelSource> source,
               int batch_size, int workers, bool training);

  Footprint footprint() const;
  void Open(OpenContext& context);
  void BeginPass(const Pass& pass);
  void Consume(FeatureBatch batch, StageContext& context);
  void EndPass();

  Metrics metrics() const override;
  TrainingPosition position() const override { return position_; }
  void set_epoch(int epoch) override;
  void ForEachTensor(const std::function<void(const NamedTensor&)>& write) const override;
  void Save(const std::filesystem::path& file, const std::string& extra) const override;
  std::string Restore(const std::filesystem::path& file) override;

 private:
  std::size_t activation_bytes() const;  // of a micro-batch
  CheckpointArrays arrays() const;
  MicroBatch Cut(const FeatureBatch& batch, int index, int epoch) const;
  bool LearnGradients(const FeatureBatch& batch, StageContext& context);
  bool Predict(const FeatureBatch& batch, StageContext& context);
  void Report(const FeatureBatch& batch, const Pass& pass);
  void CheckBatch(const FeatureBatch& batch, Split split) const;
  int classes() const { return static_cast<int>(model_->classes().size()); }

  std::shared_ptr<const Model> model_;
  std::shared_ptr<const ModelSource> source_;
  Optimizer optimizer_;
  int batch_size_;
  int micro_batch_;
  int workers_;
  bool training_;

  int in_flight_ = 0;
  TorchGrant grant_;
  std::unique_ptr<TrainableModel> trainable_;  // from Open on
  std::vector<float> logits_;                  // of a batch, [samples, classes]
  std::vector<double> losses_;

  TrainingPosition position_;
  mutable std::mutex mutex_;
  Metrics metrics_;  // guarded by mutex_
};

}  // namespace weir
