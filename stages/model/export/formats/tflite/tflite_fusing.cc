#include "stages/model/export/formats/tflite/tflite_fusing.h"

#include <variant>

#include "framework/error.h"

namespace weir {
namespace {

using inference::Function;
using inference::Operation;

constexpr int kSignedZero = 0;
constexpr int kUnsignedZero = -128;

// Whether the operator that such an operation becomes can compute a function along.
bool TakesFunction(const inference::Kind& kind) {
  return std::holds_alternative<inference::Convolution>(kind) ||
         std::holds_alternative<inference::BatchNorm>(kind) ||
         std::holds_alternative<inference::Affine>(kind) ||
         std::holds_alternative<inference::Sum>(kind) ||
         std::holds_alternative<inference::Product>(kind) ||
         std::holds_alternative<inference::Dense>(kind);
}

bool CanBeFused(const Operation& operation) {
  const auto* activation = std::get_if<inference::Activation>(&operation.kind);
  return activation &&
         (activation->function == Function::kRelu || activation->function == Function::kRelu6);
}

}  // namespace

TfliteQuantization QuantizationOf(const inference::Bytes& bytes) {
  return {bytes.scale, bytes.is_unsigned ? kUnsignedZero : kSignedZero};
}

TfliteFusing::TfliteFusing(const std::vector<inference::Operation>& operations)
    : operations_(operations), readers_(operations.size()), is_fused_(operations.size()) {
  for (int i = 0; i < static_cast<int>(operations.size()); ++i) {
    ends_.push_back(i);
    for (const int input : operations[i].inputs) {
      if (input != inference::kPicture) readers_[input].push_back(i);
    }
  }
  for (std::size_t i = 0; i < operations.size(); ++i) {
    if (!TakesFunction(operations[i].kind) || operations[i].bytes || readers_[i].size() != 1)
      continue;
    const int reader = readers_[i][0];
    if (!CanBeFused(operations[reader])) continue;
    ends_[i] = reader;
    is_fused_[reader] = true;
  }
}

tflite::FusedActivation TfliteFusing::activation(int operation) const {
  if (ends_[operation] == operation) return tflite::FusedActivation::kNone;
  const auto& fused = std::get<inference::Activation>(operations_[ends_[operation]].kind);
  return fused.function == Function::kRelu ? tflite::FusedActivation::kRelu
                                           : tflite::FusedActivation::kRelu6;
}

inference::Bytes TfliteFusing::bytes(int operation) const {
  const int end = ends_[operation];
  if (operations_[end].bytes) return *operations_[end].bytes;
  for (const int reader : readers_[end]) {
    if (!std::holds_alternative<inference::Sum>(operations_[reader].kind)) continue;
    const auto& sum = operations_[ends_[reader]].bytes;
    if (!sum) continue;
    const bool is_unsigned = end != operation;
    // Bytes with a sign reach half as far as those without.
    return {sum->is_unsigned && !is_unsigned ? 2 * sum->scale : sum->scale, is_unsigned};
  }
  throw Error(ErrorKind::kInternal, operations_[operation].name + " is rounded nowhere");
}

}  // namespace weir
