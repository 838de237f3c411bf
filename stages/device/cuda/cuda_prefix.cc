#include "stages/device/cuda/cuda_prefix.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <c10/cuda/CUDAGuard.h>

#include <algorithm>
#include <optional>
#include <semaphore>
#include <utility>
#include <vector>

#include "framework/shape.h"
#include "stages/device/cuda/cuda_error.h"
#include "stages/device/cuda/cuda_issuer.h"
#include "stages/device/cuda/feature_slots.h"
#include "stages/device/cuda/folded_network.h"
#include "stages/device/cuda/kernels.h"
#include "stages/device/cuda/slot_ring.h"
#include "stages/device/micro_batches.h"

namespace weir {
namespace {

constexpr int kBatchesAtOnce = 2;

ChannelMap MapOf(const Preprocessing& preprocessing) {
  ChannelMap map{};
  for (int c = 0; c < 3; ++c) {
    map.scale[c] = preprocessing.scale[c];
    map.offset[c] = preprocessing.offset[c];
  }
  return map;
}

class FoldedPrefix final : public CudaPrefix {
 public:
  FoldedPrefix(int device, DeviceLedger& ledger, IssuingThread& thread, const Model& model,
               const std::function<LayerReader(const Model&)>& open, Precision precision,
               int batch_size, const DepthwiseKernels& depthwise, int staying)
      : device_(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(device)),
        ledger_(ledger),
        input_(model.network().input()),
        dims_(model.feature_dims()),
        pooling_(model.prefix_pooling()),
        map_(MapOf(model.preprocessing())),
        type_(precision == Precision::kBfloat16 && model.prefix_layers() > 0 ? at::kBFloat16
                                                                             : at::kFloat),
        batch_size_(batch_size),
        issuer_(device, ledger, thread, /*is_urgent=*/true,
                /*allows_tf32=*/precision == Precision::kTf32),
        stream_(issuer_.stream()) {
    Issue([&] {
      if (model.prefix_layers() > 0) {
        network_.emplace(model.network(), open(model), model.prefix_layers() - 1, precision,
                         device_, &depthwise);
      }
    });
    if (staying > 0) MakeSlots(staying);
    micro_batch_ = LargestMicroBatch(batch_size_, [this](int size) { return Fits(size); });
    if (micro_batch_ == 0) ledger_.Refuse("features: not one picture fits on the GPU");
  }

  bool Halve() override {
    const bool let_stay = std::exchange(slots_, nullptr) != nullptr;
    const int most = let_stay ? micro_batch_ : micro_batch_ - 1;
    if (most == 0) return false;
    issuer_.GiveBack();
    micro_batch_ =
        LargestMicroBatch(batch_size_, [&](int size) { return size <= most && Fits(size); });
    if (micro_batch_ == 0) ledger_.Refuse("features: not one picture fits on the GPU");
    return true;
  }

  FeatureBatch Run(Batch batch) override {
    FeatureBatch features;
    features.dims = dims_;
    features.values = AlignedBuffer<float>(batch.samples.size() * sample_values());
    if (batch.size() > 0) {
      const Turn turn(at_once_);
      Event done;
      at::Tensor made;
      Issue([&] {
        done = MakeEvent();
        made = MakeFeatures(batch.size());
        IssueBatch(batch, made, done.get());
      });
      batch.device.reset();  // the slot is free as soon as the card has read it
      Fetch(made, done.get(), features.values);
    }
    features.samples = std::move(batch.samples);
    return features;
  }

  FeatureBatch RunAndLeave(Batch batch) override {
    FeatureSlots::Place place;
    Issue([&] {
      if (slots_ && batch.size() > 0) place = slots_->TryTake(batch.size());
      if (place.holder) IssueBatch(batch, place.features, place.made);
    });
    if (!place.holder) return Run(std::move(batch));
    FeatureBatch features;
    features.dims = dims_;
    features.samples = std::move(batch.samples);
    features.device = std::move(place.holder);
    return features;
  }

 private:
  // Its holder waits for the device alone, so it ends.
  class Turn {
   public:
    explicit Turn(std::counting_semaphore<kBatchesAtOnce>& all) : all_(all) { all_.acquire(); }
    ~Turn() { all_.release(); }

   private:
    std::counting_semaphore<kBatchesAtOnce>& all_;
  };

  std::size_t sample_pixels() const { return std::size_t{3} * input_.height * input_.width; }
  std::size_t sample_values() const { return static_cast<std::size_t>(ValuesIn(dims_)); }
  MapType map_type() const { return type_ == at::kFloat ? MapType::kFloat32 : MapType::kBfloat16; }
  at::TensorOptions Options(at::ScalarType type) const {
    return at::TensorOptions(device_).dtype(type);
  }

  void Issue(const std::function<void()>& work) {
    issuer_.Issue("features: the frozen part of the model does not fit on the GPU", work);
  }

  // For as many batches as there is room for.
  void MakeSlots(int most) {
    for (int count = most; count > 0; --count) {
      const bool fits = issuer_.Fits([&] {
        slots_ = std::make_shared<FeatureSlots>(device_, count, BatchShape(batch_size_, dims_));
      });
      if (fits) return;
      slots_.reset();
      issuer_.GiveBack();
    }
  }

  // By doing what Run does with pixels from the host, for as many batches as there are at once.
  bool Fits(int micro_batch) {
    micro_batch_ = micro_batch;
    return issuer_.Fits([&] {
      std::vector<at::Tensor> features;
      for (int i = 0; i < kBatchesAtOnce; ++i) {
        features.push_back(MakeFeatures(batch_size_));
        const auto bytes = static_cast<std::int64_t>(micro_batch * sample_pixels());
        const at::Tensor pixels = at::zeros({bytes}, Options(at::kByte));
        IssueMicroBatch(pixels.const_data_ptr<std::uint8_t>(), micro_batch,
                        features.back().narrow(0, 0, micro_batch), /*is_read=*/[] {});
      }
    });
  }

  at::Tensor MakeFeatures(int samples) const {
    return at::empty(BatchShape(samples, dims_), Options(at::kFloat));
  }

  // Queues the batch's work, and `done` behind it; where its pixels are on the host, the driver has
  // them when it returns. `features` is float32 [n, dims...].
  void IssueBatch(Batch& batch, const at::Tensor& features, cudaEvent_t done) {
    auto* const slot = static_cast<RingSlot*>(batch.device.get());
    const std::uint8_t* const on_device = slot ? slot->BeginUse(stream_) : nullptr;
    for (int begin = 0; begin < batch.size(); begin += micro_batch_) {
      const int count = std::min(micro_batch_, batch.size() - begin);
      const bool is_last = begin + count == batch.size();
      const std::size_t first = begin * sample_pixels();
      const at::Tensor staged =
          slot ? at::Tensor() : Stage(batch.pixels.data() + first, count * sample_pixels());
      IssueMicroBatch(slot ? on_device + first : staged.const_data_ptr<std::uint8_t>(), count,
                      features.narrow(0, begin, count), [&] {
                        if (slot && is_last) slot->EndUse(stream_);
                      });
    }
    Check(cudaEventRecord(done, stream_), "record an event");
  }

  at::Tensor Stage(const std::uint8_t* pixels, std::size_t bytes) {
    at::Tensor staged = at::empty({static_cast<std::int64_t>(bytes)}, Options(at::kByte));
    Check(
        cudaMemcpyAsync(staged.mutable_data_ptr(), pixels, bytes, cudaMemcpyHostToDevice, stream_),
        "take a batch");
    return staged;
  }

  // `features` is float32 [count, dims...]. Calls `is_read` once all work is queued that reads the
  // pixels.
  void IssueMicroBatch(const std::uint8_t* pixels, int count, const at::Tensor& features,
                       const std::function<void()>& is_read) {
    const std::size_t values = count * sample_pixels();
    if (!network_) {
      LaunchNormalise(pixels, values, map_, MapType::kFloat32, features.mutable_data_ptr(),
                      stream_);
      Check(cudaGetLastError(), "preprocess pictures");
      is_read();
      return;
    }
    at::Tensor map = at::empty({micro_batch_, input_.height, input_.width, 3}, Options(type_));
    LaunchNormalise(pixels, values, map_, map_type(), map.mutable_data_ptr(), stream_);
    Check(cudaGetLastError(), "preprocess pictures");
    is_read();
    const std::size_t filled = values * map.element_size();
    Check(cudaMemsetAsync(static_cast<char*>(map.mutable_data_ptr()) + filled, 0,
                          map.nbytes() - filled, stream_),
          "clear memory");
    Reduce(network_->Run(std::move(map)), count, features);
  }

  // `map` is [micro-batch, h, w, C].
  void Reduce(const at::Tensor& map, int count, const at::Tensor& features) {
    if (pooling_ == Pooling::kNone) {
      features.copy_(map.narrow(0, 0, count));
      return;
    }
    const auto launch = pooling_ == Pooling::kAverage ? LaunchAveragePool : LaunchMaxPool;
    launch(map.const_data_ptr(), map_type(), count, static_cast<int>(map.size(1) * map.size(2)),
           static_cast<int>(map.size(3)), features.mutable_data_ptr<float>(), stream_);
    Check(cudaGetLastError(), "pool features");
  }

  void Fetch(const at::Tensor& features, cudaEvent_t done, AlignedBuffer<float>& to) const {
    const c10::cuda::CUDAGuard on_device(device_.index());
    Check(cudaEventSynchronize(done), "run the model");
    Check(cudaMemcpy(to.data(), features.const_data_ptr(), to.bytes(), cudaMemcpyDeviceToHost),
          "give back the features");
  }

  const c10::Device device_;
  DeviceLedger& ledger_;
  const MapSize input_;
  const Shape dims_;
  const Pooling pooling_;
  const ChannelMap map_;
  const at::ScalarType type_;
  const int batch_size_;
  CudaIssuer issuer_;
  const c10::cuda::CUDAStream stream_;    // the issuer's
  std::optional<FoldedNetwork> network_;  // empty: preprocessing alone
  std::shared_ptr<FeatureSlots> slots_;   // null: all features go to the host
  int micro_batch_ = 1;
  std::counting_semaphore<kBatchesAtOnce> at_once_{kBatchesAtOnce};
};

}  // namespace

std::shared_ptr<CudaPrefix> MakeCudaPrefix(int device, DeviceLedger& ledger, IssuingThread& thread,
                                           const Model& model,
                                           const std::function<LayerReader(const Model&)>& open,
                                           Precision precision, int batch_size,
                                           const DepthwiseKernels& depthwise, int staying) {
  return std::make_shared<FoldedPrefix>(device, ledger, thread, model, open, precision, batch_size,
                                        depthwise, staying);
}

}  // namespace weir
