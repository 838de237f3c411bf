#include "stages/predict/head_runner.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <string>
#include <utility>
#include <variant>

#include "framework/error.h"
#include "stages/kernels/dense.h"

namespace weir {
namespace {

using inference::Function;

// The operations of the head behind the prefix. The first of them reads the features.
OperationList OperationsOf(const std::shared_ptr<const Model>& model, const HeadReader& read) {
  OperationList list;
  AppendHead(model, read, {}, list, model->first_head_layer());
  return list;
}

OperationList OperationsOf(const std::shared_ptr<const Model>& model) {
  return OperationsOf(model, [](int, const HeadArray&) { return std::vector<float>(); });
}

std::size_t ValuesOf(const Shape& shape) { return static_cast<std::size_t>(ValuesIn(shape)); }

float Apply(Function function, float x) {
  switch (function) {
    case Function::kRelu:
      return std::max(x, 0.0F);
    case Function::kRelu6:
      return std::min(std::max(x, 0.0F), 6.0F);
    case Function::kHardSigmoid:
      return std::min(std::max(x / 6 + 0.5F, 0.0F), 1.0F);
    case Function::kHardSwish:
      return x * Apply(Function::kHardSigmoid, x);
    case Function::kSigmoid:
      return 1 / (1 + std::exp(-x));
    case Function::kSilu:
      return x * Apply(Function::kSigmoid, x);
    case Function::kTanh:
      return std::tanh(x);
  }
  return x;
}

void SoftMax(std::span<const float> from, std::span<float> to) {
  const float largest = *std::ranges::max_element(from);
  double sum = 0;
  for (std::size_t i = 0; i < from.size(); ++i) {
    to[i] = std::exp(from[i] - largest);
    sum += to[i];
  }
  for (float& value : to) value = static_cast<float>(value / sum);
}

// A map [pixels, channels] to [channels].
void Pool(Pooling pooling, std::span<const float> from, std::span<float> to) {
  const std::size_t channels = to.size(), pixels = from.size() / channels;
  for (std::size_t c = 0; c < channels; ++c) {
    float value = from[c];
    for (std::size_t i = 1; i < pixels; ++i) {
      const float next = from[i * channels + c];
      value = pooling == Pooling::kAverage ? value + next : std::max(value, next);
    }
    to[c] = pooling == Pooling::kAverage ? value / static_cast<float>(pixels) : value;
  }
}

void Scale(const ConstantValues& constants, std::span<const float> from, std::span<float> to) {
  const std::vector<float>&scale = constants[0], &offset = constants[1];
  for (std::size_t i = 0; i < from.size(); ++i) {
    const std::size_t c = i % scale.size();
    to[i] = from[i] * scale[c] + offset[c];
  }
}

class StepRun {
 public:
  StepRun(const ConstantValues& constants, std::span<const float> from, std::span<float> to)
      : constants_(constants), from_(from), to_(to) {}

  void operator()(const inference::Dense&) const {
    MultiplyVector(constants_[0].data(), constants_[1].data(), from_.data(),
                   static_cast<std::int64_t>(from_.size()), static_cast<std::int64_t>(to_.size()),
                   to_.data());
  }
  void operator()(const inference::Activation& it) const {
    std::ranges::transform(from_, to_.begin(), [&](float x) { return Apply(it.function, x); });
  }
  void operator()(const inference::Affine&) const { Scale(constants_, from_, to_); }
  void operator()(const inference::GlobalPool& it) const { Pool(it.pooling, from_, to_); }
  void operator()(const inference::Flatten&) const { std::ranges::copy(from_, to_.begin()); }
  void operator()(const inference::Softmax&) const { SoftMax(from_, to_); }
  template <class Other>
  void operator()(const Other& other) const {
    throw Error(ErrorKind::kInternal, "no head has a " + std::string(inference::Name(other)));
  }

 private:
  const ConstantValues& constants_;
  std::span<const float> from_;
  std::span<float> to_;
};

}  // namespace

HeadRunner::HeadRunner(const std::shared_ptr<const Model>& model, const HeadReader& read)
    : workspace_values_(WorkspaceValues(model)) {
  assert(model->prefix_layers() == model->network().size());
  const OperationList list = OperationsOf(model, read);
  Shape input = model->feature_dims();
  for (std::size_t i = 0; i < list.operations().size(); ++i) {
    const inference::Operation& operation = list.operations()[i];
    steps_.push_back({.kind = operation.kind,
                      .input = input,
                      .output = operation.output,
                      .constants = list.ReadConstants(static_cast<int>(i))});
    input = operation.output;
  }
}

std::size_t HeadRunner::WeightsBytes(const std::shared_ptr<const Model>& model) {
  std::size_t values = 0;
  const OperationList list = OperationsOf(model);
  for (const inference::Operation& operation : list.operations()) {
    for (const inference::Constant& constant : operation.constants) {
      values += ValuesOf(constant.shape);
    }
  }
  return values * sizeof(float);
}

// What one step reads and what it writes.
std::size_t HeadRunner::WorkspaceValues(const std::shared_ptr<const Model>& model) {
  std::size_t largest = 0;
  const OperationList list = OperationsOf(model);
  for (const inference::Operation& operation : list.operations()) {
    largest = std::max(largest, ValuesOf(operation.output));
  }
  return 2 * largest;
}

void HeadRunner::Run(const float* features, std::span<float> workspace,
                     std::span<float> probabilities) const {
  std::span<const float> from(features, ValuesOf(steps_.front().input));
  std::span<float> free = workspace.first(workspace.size() / 2);
  std::span<float> next = workspace.last(workspace.size() / 2);
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const Step& step = steps_[i];
    const bool is_last = i + 1 == steps_.size();
    const std::span<float> to = is_last ? probabilities : free.first(ValuesOf(step.output));
    std::visit(StepRun(step.constants, from, to), step.kind);
    from = to;
    std::swap(free, next);
  }
}

}  // namespace weir
