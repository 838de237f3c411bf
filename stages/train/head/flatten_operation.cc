#include "stages/train/head/flatten_operation.h"

#include "framework/shape.h"
#include "stages/model/head/flatten_layer.h"

namespace weir {
namespace {

class FlattenOperation final : public HeadOperation {
 public:
  static HeadPlan Plan(const FlattenLayer&, const Shape&, bool) {
    return {.gives_a_view = true, .gives_a_gradient_view = true};
  }

  FlattenOperation(const FlattenLayer&, const HeadContext& context) : input_(context.input) {}

  void Forward(const StepFrame& frame, const MicroBatch&) const override {
    frame.write(0) = frame.read(0).view({frame.read(0).size(0), -1});
  }

  void Backward(const StepFrame& frame) const override {
    const at::Tensor& gradient = frame.read(0);
    if (frame.writes(0)) frame.write(0) = gradient.view(BatchShape(gradient.size(0), input_));
  }

 private:
  Shape input_;
};

}  // namespace

const HeadOperationKind kFlattenOperation = HeadOperationOf<FlattenLayer, FlattenOperation>();

}  // namespace weir
