// The stage `train` at work in a test, and two trainings for it.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "stages/device/device.h"
#include "stages/picture_lists.h"
#include "stages/ranks/ranks.h"
#include "stages/train/train.h"
#include "tests/stages/train/small_training.h"
#include "tests/support/head_layers.h"

namespace weir {

// The stage as a pipeline would build, open and feed it.
class Running {
 public:
  struct Options {
    int batch = 8;
    int in_flight = 1;
    bool training = true;
    bool is_low_memory = false;
    std::shared_ptr<Device> device{};  // null: the host
    bool drop_last = false;
    PictureLists pictures{};
    std::optional<SampleCounts> counts{};  // empty: the source does not know them
    std::shared_ptr<Ranks> ranks{};        // null: one process alone
    std::set<std::uint64_t> dropped{};     // the orders of samples that do not arrive
  };

  explicit Running(const SmallTraining& training) : Running(training, Options()) {}
  Running(const SmallTraining& training, const Options& options)
      : share_(options.ranks ? options.ranks->share : RankShare::Alone(options.batch)),
        dropped_(options.dropped) {
    resources_.Put(training.source);
    resources_.Put(training.config);
    model_ = training.MakeModel();
    resources_.Put(model_);
    if (options.device) {
      resources_.Put(std::make_shared<ChosenDevice>(ChosenDevice{options.device, "of a test"}));
    }
    resources_.Put(std::make_shared<Batching>(Batching{options.batch, options.drop_last}));
    resources_.Put(std::make_shared<PictureLists>(options.pictures));
    if (options.ranks) {
      resources_.Put(options.ranks);
      auto order = std::make_shared<SampleOrder>();
      order->begin = order->begin_share = [](const weir::Pass&) { return SampleOrder::Walk(); };
      resources_.Put(order);
    }
    if (options.counts) resources_.Put(std::make_shared<SampleCounts>(*options.counts));
    ItemSpec upstream{.dims = {share_.size()}, .item_bytes = 0};
    for (std::int64_t size : model_->feature_dims()) upstream.dims.push_back(size);
    BuildContext context{.upstream = upstream,
                         .resources = resources_,
                         .seed = 7,
                         .workers = 4,
                         .training = options.training};
    stage_ = std::make_unique<Train>(Train::Params{}, context);
    OpenContext open{
        .budget = budget_, .lever = options.in_flight, .is_low_memory = options.is_low_memory};
    stage_->Open(open);
  }

  Learner& learner() { return *resources_.Find<Learner>(); }
  Footprint footprint() const { return stage_->footprint(); }
  const Model& model() const { return *model_; }
  MemoryBudget& budget() { return budget_; }

  void Pass(Split split, int epoch, int samples, int first = 0) {
    const weir::Pass pass{
        .split = split, .epoch = epoch, .first_sample = static_cast<std::uint64_t>(first)};
    stage_->BeginPass(pass);
    for (int window = first; window < samples; window += share_.batch_size) {
      const int begin = window + share_.first_sample();
      const int count = std::min(share_.size(), samples - begin);
      if (count <= 0) continue;
      StageContext context(pass, window / share_.batch_size, [] { return false; });
      stage_->Consume(Arrived(RandomFeatures(*model_, count, begin)), context);
    }
    stage_->EndPass(pass);
  }

  // A train pass of one batch.
  void Learn(const FeatureBatch& batch, int epoch = 0) {
    const weir::Pass pass{.split = Split::kTrain, .epoch = epoch, .first_sample = 0};
    stage_->BeginPass(pass);
    StageContext context(pass, 0, [] { return false; });
    stage_->Consume(batch, context);
    stage_->EndPass(pass);
  }

  void LowerLever(int micro_batches) { stage_->LowerLever(micro_batches); }

  // The whole model.
  std::vector<float> State() {
    std::vector<float> all;
    learner().ForEachTensor([&](const NamedTensor& tensor) {
      all.insert(all.end(), tensor.values.begin(), tensor.values.end());
    });
    return all;
  }

 private:
  // What is left of a batch without those that were dropped on their way.
  FeatureBatch Arrived(FeatureBatch batch) const {
    const auto values = static_cast<std::size_t>(ValuesIn(batch.dims));
    std::size_t kept = 0;
    for (std::size_t i = 0; i < batch.samples.size(); ++i) {
      if (dropped_.contains(batch.samples[i].order)) continue;
      std::copy_n(batch.values.data() + i * values, values, batch.values.data() + kept * values);
      batch.samples[kept++] = batch.samples[i];
    }
    batch.samples.resize(kept);
    return batch;
  }

  const RankShare share_;
  const std::set<std::uint64_t> dropped_;
  MemoryBudget budget_{std::size_t{1} << 30};
  Resources resources_;
  std::shared_ptr<Model> model_;
  std::unique_ptr<Train> stage_;
};

inline SmallTraining PartlyFrozen() {
  SmallTraining training({.kind = FrozenConfig::Kind::kThrough, .through = "block_14"});
  training.source->config.head.insert(training.source->config.head.begin() + 1, HeadDropout(0.3));
  training.config->loss = std::make_shared<CrossEntropy>(CrossEntropy::Params{0.05});
  return training;
}

inline SmallTraining HeadOnly() { return SmallTraining({.kind = FrozenConfig::Kind::kAll}); }

}  // namespace weir
