#include "stages/train/head/global_pooling_operations.h"

#include <ATen/ops/max.h>
#include <ATen/ops/zeros.h>

#include "framework/shape.h"
#include "stages/model/head/global_pooling_layers.h"
#include "stages/train/tensors/pooling.h"

namespace weir {
namespace {

class GlobalAveragePooling final : public HeadOperation {
 public:
  static HeadPlan Plan(const GlobalAveragePoolingLayer&, const Shape&, bool) { return {}; }

  GlobalAveragePooling(const GlobalAveragePoolingLayer&, const HeadContext& context)
      : input_{.height = static_cast<int>(context.input[0]),
               .width = static_cast<int>(context.input[1])} {}

  void Forward(const StepFrame& frame, const MicroBatch&) const override {
    frame.write(0) = MeanOfPixels(frame.read(0));
  }

  void Backward(const StepFrame& frame) const override {
    if (frame.writes(0)) frame.write(0) = MeanOfPixelsGradient(frame.read(0), input_);
  }

 private:
  MapSize input_;
};

// [n, h, w, C] as [n, h * w, C].
at::Tensor Pixels(const at::Tensor& map) { return map.view({map.size(0), -1, map.size(3)}); }

class GlobalMaxPooling final : public HeadOperation {
 public:
  static HeadPlan Plan(const GlobalMaxPoolingLayer&, const Shape& input, bool learning) {
    const FloatCount indices{.per_sample = input.back() * kFloatsOfAnIndex};
    if (!learning) return {.forward_scratch = indices};
    return {.kept = {indices}};
  }

  GlobalMaxPooling(const GlobalMaxPoolingLayer&, const HeadContext& context)
      : input_(context.input) {}

  void Forward(const StepFrame& frame, const MicroBatch&) const override {
    auto [values, indices] = at::max(Pixels(frame.read(0)), 1);
    frame.write(0) = values;
    if (frame.writes(1)) frame.write(1) = indices;
  }

  void Backward(const StepFrame& frame) const override {
    if (!frame.writes(0)) return;
    const at::Tensor &gradient = frame.read(0), &indices = frame.read(1);
    at::Tensor of_map = at::zeros(BatchShape(gradient.size(0), input_), gradient.options());
    Pixels(of_map).scatter_(1, indices.unsqueeze(1), gradient.unsqueeze(1));
    frame.write(0) = of_map;
  }

 private:
  Shape input_;
};

}  // namespace

const HeadOperationKind kGlobalAveragePoolingOperation =
    HeadOperationOf<GlobalAveragePoolingLayer, GlobalAveragePooling>();
const HeadOperationKind kGlobalMaxPoolingOperation =
    HeadOperationOf<GlobalMaxPoolingLayer, GlobalMaxPooling>();

}  // namespace weir
