#include "stages/train/head_plan.h"

namespace weir {
namespace {

using Kind = HeadLayer::Kind;

}  // namespace

bool HasParameters(const HeadLayer& layer) {
  return layer.kind == Kind::kDense || layer.kind == Kind::kBatchNorm;
}

FloatCount HeadInput(const Model& model, int index) {
  FloatCount count{.per_sample = 1};
  for (std::int64_t size : model.head_input_dims(index)) count.per_sample *= size;
  return count;
}

FloatCount HeadOutput(const Model& model, int index) {
  const HeadLayer& layer = model.head()[index];
  if (layer.kind == Kind::kDense) return {.per_sample = layer.units};
  if (layer.kind == Kind::kGlobalAveragePooling || layer.kind == Kind::kGlobalMaxPooling) {
    return {.per_sample = model.head_input_dims(index).back()};
  }
  return HeadInput(model, index);
}

HeadPlan PlanOfHead(const Model& model, int index, bool learning) {
  const HeadLayer& layer = model.head()[index];
  const FloatCount input = HeadInput(model, index);
  const FloatCount channels{.fixed = model.head_input_dims(index).back()};
  switch (layer.kind) {
    case Kind::kGlobalAveragePooling:
      return {};
    case Kind::kGlobalMaxPooling: {
      const FloatCount indices{.per_sample = channels.fixed * kFloatsOfAnIndex};
      if (!learning) return {.forward_scratch = indices};
      return {.kept = {indices}};
    }
    case Kind::kFlatten:
      return {.gives_a_view = true, .gives_a_gradient_view = true};
    case Kind::kDropout:
      if (!learning) return {.gives_a_view = true};
      return {.kept = {input}, .gives_a_gradient_view = true, .drawn_on_host = input};
    case Kind::kBatchNorm:
      if (!learning) return {.forward_scratch = {.fixed = 2 * channels.fixed}};
      return {.kept = {channels, channels},
              .reads_input = true,
              .forward_scratch = {.fixed = 3 * channels.fixed},
              // Gamma's and beta's; measured: LibTorch's batch norm takes a map in passing.
              .backward_scratch = {.per_sample = input.per_sample, .fixed = 2 * channels.fixed}};
    case Kind::kDense:
      return {.reads_input = true,
              .reads_output = true,
              .backward_scratch = {.fixed = input.per_sample * layer.units}};
  }
  return {};
}

}  // namespace weir
