#include "stages/train/head/head_operations.h"

#include <algorithm>

#include "framework/error.h"
#include "stages/train/head/batch_norm_operation.h"
#include "stages/train/head/dense_operation.h"
#include "stages/train/head/dropout_operation.h"
#include "stages/train/head/flatten_operation.h"
#include "stages/train/head/global_pooling_operations.h"

namespace weir {
namespace {

constexpr const HeadOperationKind* kOperations[] = {
    &kGlobalAveragePoolingOperation,
    &kGlobalMaxPoolingOperation,
    &kFlattenOperation,
    &kDropoutOperation,
    &kBatchNormOperation,
    &kDenseOperation,
};

const HeadOperationKind& OperationOf(const HeadLayer& layer) {
  const auto found = std::ranges::find_if(
      kOperations, [&](const HeadOperationKind* kind) { return kind->computes(layer); });
  if (found == std::end(kOperations)) {
    throw Error(ErrorKind::kInternal,
                "no operation of the head computes a layer " + std::string(layer.name()));
  }
  return **found;
}

}  // namespace

std::span<const HeadOperationKind* const> HeadOperations() { return kOperations; }

HeadPlan PlanOfHead(const Model& model, int index, bool learning) {
  const HeadLayer& layer = *model.head()[index];
  return OperationOf(layer).plan(layer, model.head_input_dims(index), learning);
}

FloatCount HeadInput(const Model& model, int index) {
  return PerSample(model.head_input_dims(index));
}

FloatCount HeadOutput(const Model& model, int index) {
  return PerSample(model.head_output_dims(index));
}

std::vector<std::unique_ptr<HeadOperation>> MakeHead(const Model& model,
                                                     const ParameterArrays& arrays) {
  std::vector<std::unique_ptr<HeadOperation>> head(model.first_head_layer());
  for (int i = model.first_head_layer(); i < static_cast<int>(model.head().size()); ++i) {
    const HeadLayer& layer = *model.head()[i];
    head.push_back(OperationOf(layer).make(
        layer,
        {.index = i, .input = model.head_input_dims(i), .seed = model.seed(), .arrays = arrays}));
  }
  return head;
}

}  // namespace weir
