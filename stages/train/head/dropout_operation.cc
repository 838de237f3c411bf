#include "stages/train/head/dropout_operation.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <string>

#include "framework/random.h"
#include "stages/model/head/dropout_layer.h"

namespace weir {
namespace {

class DropoutOperation final : public HeadOperation {
 public:
  static HeadPlan Plan(const DropoutLayer&, const Shape& input, bool learning) {
    if (!learning) return {.gives_a_view = true};
    return {.kept = {PerSample(input)},
            .gives_a_gradient_view = true,
            .drawn_on_host = PerSample(input)};
  }

  DropoutOperation(const DropoutLayer& layer, const HeadContext& context)
      : rate_(layer.rate()),
        seed_(context.seed),
        use_("dropout/" + std::to_string(context.index)) {}

  void Forward(const StepFrame& frame, const MicroBatch& micro_batch) const override {
    const at::Tensor& input = frame.read(0);
    if (!frame.writes(1)) {
      frame.write(0) = input;
      return;
    }
    frame.write(1) = Mask(input, micro_batch);
    frame.write(0) = input * frame.write(1);
  }

  void Backward(const StepFrame& frame) const override {
    if (frame.writes(0)) frame.write(0) = frame.read(0).mul_(frame.read(1));
  }

 private:
  // 0, or 1 / (1 - rate).
  at::Tensor Mask(const at::Tensor& input, const MicroBatch& micro_batch) const {
    at::Tensor mask = at::empty(input.sizes(), at::kFloat);
    float* value = mask.mutable_data_ptr<float>();
    const std::int64_t values = input.numel() / input.size(0);
    const auto dropped_below = static_cast<std::uint32_t>(rate_ * 0x1p32);
    const auto scale = static_cast<float>(1 / (1 - rate_));
    for (const Sample& sample : micro_batch.samples) {
      CounterRandom random(seed_, use_, micro_batch.epoch, sample.index);
      for (std::int64_t i = 0; i < values; ++i) {
        *value++ = random.Next() < dropped_below ? 0 : scale;
      }
    }
    std::fill(value, mask.mutable_data_ptr<float>() + mask.numel(), 0.0f);  // rows of no sample
    return mask.to(input.device());
  }

  double rate_;
  std::uint64_t seed_;
  std::string use_;
};

}  // namespace

const HeadOperationKind kDropoutOperation = HeadOperationOf<DropoutLayer, DropoutOperation>();

}  // namespace weir
