#include "stages/features/host_prefix.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "framework/flow/parallel.h"
#include "framework/shape.h"
#include "stages/model/pixel_table.h"

namespace weir {
namespace {

FeatureBatch MakeFeatures(Batch& batch, const Shape& dims) {
  FeatureBatch features;
  features.values =
      AlignedBuffer<float>(batch.samples.size() * static_cast<std::size_t>(ValuesIn(dims)));
  features.samples = std::move(batch.samples);
  features.dims = dims;
  return features;
}

class WorkspacePool {
 public:
  using Workspace = FrozenPrefix::Workspace;

  WorkspacePool(const FrozenPrefix& prefix, int count) {
    for (int i = 0; i < count; ++i) free_.push_back(prefix.MakeWorkspace());
    count_ = count;
  }

  int count() const { return count_.load(std::memory_order_relaxed); }

  // Those that are above `count` end, in use ones when they come back.
  void Lower(int count) {
    const std::lock_guard lock(mutex_);
    count_ = std::clamp(count, 1, count_.load());
    DropSurplus();
  }

  // Goes back to the pool where it ends, by an exception too: others may be waiting for it.
  struct Return {
    WorkspacePool* pool;
    void operator()(Workspace* workspace) const {
      pool->Put(std::unique_ptr<Workspace>(workspace));
    }
  };
  using Taken = std::unique_ptr<Workspace, Return>;

  Taken TryTake() {
    const std::lock_guard lock(mutex_);
    return free_.empty() ? Taken(nullptr, {this}) : TakeLast();
  }
  // Whoever holds one is running a sample and needs nothing else, so this ends.
  Taken Take() {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [this] { return !free_.empty(); });
    return TakeLast();
  }

 private:
  Taken TakeLast() {
    Taken last(free_.back().release(), {this});
    free_.pop_back();
    ++taken_;
    return last;
  }
  void DropSurplus() {
    while (!free_.empty() && taken_ + static_cast<int>(free_.size()) > count_) free_.pop_back();
  }
  void Put(std::unique_ptr<Workspace> workspace) {
    {
      const std::lock_guard lock(mutex_);
      free_.push_back(std::move(workspace));  // within its first capacity: nothing is allocated
      --taken_;
      DropSurplus();
    }
    returned_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Workspace>> free_;
  int taken_ = 0;              // how many workspaces are in use
  std::atomic<int> count_{0};  // how many workspaces there are to be
};

class HostPrefix final : public PrefixRunner {
 public:
  HostPrefix(std::unique_ptr<const FrozenPrefix> prefix, Shape dims, int workspaces)
      : prefix_(std::move(prefix)), dims_(std::move(dims)), pool_(*prefix_, workspaces) {
    assert(workspaces > 0 && static_cast<std::size_t>(ValuesIn(dims_)) == prefix_->output_values());
  }

  // Strands take samples in turn until there are no more. Where other batches hold the workspaces
  // the first strand alone waits for one and does the work of all.
  FeatureBatch Run(Batch batch) override {
    const std::size_t sample_pixels = std::size_t{3} * batch.height * batch.width;
    const int samples = batch.size();
    FeatureBatch features = MakeFeatures(batch, dims_);
    std::atomic<int> next{0};
    ParallelFor(std::min(pool_.count(), samples), [&](int strand) {
      const auto workspace = strand == 0 ? pool_.Take() : pool_.TryTake();
      if (!workspace) return;
      for (int i = next++; i < samples; i = next++) {
        prefix_->Run(batch.pixels.data() + i * sample_pixels, *workspace,
                     features.values.data() + i * prefix_->output_values());
      }
    });
    return features;
  }

  void LowerWorkers(int workers) override { pool_.Lower(workers); }

 private:
  const std::unique_ptr<const FrozenPrefix> prefix_;
  const Shape dims_;
  WorkspacePool pool_;
};

class HostPreprocessing final : public PrefixRunner {
 public:
  explicit HostPreprocessing(const Model& model)
      : dims_(model.feature_dims()), table_(MakePixelTable(model.preprocessing())) {}

  FeatureBatch Run(Batch batch) override {
    const auto sample_values = static_cast<std::size_t>(ValuesIn(dims_));
    FeatureBatch features = MakeFeatures(batch, dims_);
    ParallelFor(features.size(), [&](int i) {
      const std::uint8_t* pixels = batch.pixels.data() + i * sample_values;
      float* values = features.values.data() + i * sample_values;
      for (std::size_t j = 0; j < sample_values; j += 3) {
        for (std::size_t c = 0; c < 3; ++c) values[j + c] = table_[c][pixels[j + c]];
      }
    });
    return features;
  }

 private:
  const Shape dims_;
  const PixelTable table_;
};

}  // namespace

std::unique_ptr<PrefixRunner> MakeHostPrefix(std::unique_ptr<const FrozenPrefix> prefix,
                                             Shape feature_dims, int workspaces) {
  return std::make_unique<HostPrefix>(std::move(prefix), std::move(feature_dims), workspaces);
}

std::unique_ptr<PrefixRunner> MakeHostPreprocessing(const Model& model) {
  return std::make_unique<HostPreprocessing>(model);
}

}  // namespace weir
