#include "stages/model/export/inference/inference_operation.h"

#include <array>
#include <cstddef>

namespace weir::inference {

std::string_view Name(Function function) {
  switch (function) {
    case Function::kRelu:
      return "relu";
    case Function::kRelu6:
      return "relu6";
    case Function::kHardSigmoid:
      return "hard_sigmoid";
    case Function::kHardSwish:
      return "hard_swish";
    case Function::kSigmoid:
      return "sigmoid";
    case Function::kSilu:
      return "silu";
    case Function::kTanh:
      return "tanh";
  }
  return "";
}

std::string_view Name(const Kind& kind) {
  constexpr std::array<std::string_view, std::variant_size_v<Kind>> kNames{
      "convolution", "batch norm",  "affine",  "activation", "sum",    "product",
      "global pool", "max pooling", "flatten", "dense",      "softmax"};
  return kNames.at(kind.index());
}

}  // namespace weir::inference
