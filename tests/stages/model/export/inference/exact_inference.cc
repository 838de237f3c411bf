#include "tests/stages/model/export/inference/exact_inference.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <variant>

#include "framework/random.h"

namespace weir {
namespace {

using inference::Operation;

double Apply(inference::Function function, double x) {
  const double hard_sigmoid = std::clamp(x / 6 + 0.5, 0.0, 1.0);
  const double sigmoid = 1 / (1 + std::exp(-x));
  switch (function) {
    case inference::Function::kRelu:
      return std::max(x, 0.0);
    case inference::Function::kRelu6:
      return std::clamp(x, 0.0, 6.0);
    case inference::Function::kHardSigmoid:
      return hard_sigmoid;
    case inference::Function::kHardSwish:
      return x * hard_sigmoid;
    case inference::Function::kSigmoid:
      return sigmoid;
    case inference::Function::kSilu:
      return x * sigmoid;
    case inference::Function::kTanh:
      return std::tanh(x);
  }
  return x;
}

// Computes one operation into `out`, whose shape is set.
class Computing {
 public:
  Computing(const Operation& operation, const ConstantValues& constants, const ExactValue& input,
            const ExactValue& second, ExactValue& out)
      : operation_(operation), constants_(constants), in_(input), second_(second), out_(out) {}

  void operator()(const inference::Convolution& it) {
    const std::int64_t of_group = operation_.constants[0].shape[1];
    const std::int64_t outputs_of_group = out_.shape[2] / it.groups;
    ForEachOutput([&](std::int64_t y, std::int64_t x, std::int64_t c) {
      double sum = 0;
      for (int ky = 0; ky < it.kernel; ++ky) {
        for (int kx = 0; kx < it.kernel; ++kx) {
          const std::int64_t in_y = y * it.stride + ky * it.dilation - it.pads.top;
          const std::int64_t in_x = x * it.stride + kx * it.dilation - it.pads.left;
          if (!IsInside(in_y, in_x)) continue;
          for (std::int64_t i = 0; i < of_group; ++i) {
            const auto tap = ((c * of_group + i) * it.kernel + ky) * it.kernel + kx;
            sum += constants_[0][tap] * At(in_y, in_x, c / outputs_of_group * of_group + i);
          }
        }
      }
      if (it.is_int8) sum *= constants_[1][c];
      return constants_.size() > 1 ? sum + constants_.back()[c] : sum;
    });
  }
  void operator()(const inference::BatchNorm& norm) {
    ForEachValue([&](double x, std::size_t c) {
      return constants_[0][c] * (x - constants_[2][c]) /
                 std::sqrt(double{constants_[3][c]} + norm.epsilon) +
             constants_[1][c];
    });
  }
  void operator()(const inference::Affine&) {
    ForEachValue([&](double x, std::size_t c) { return x * constants_[0][c] + constants_[1][c]; });
  }
  void operator()(const inference::Activation& activation) {
    ForEachValue([&](double x, std::size_t) { return Apply(activation.function, x); });
  }
  void operator()(const inference::Sum&) {
    for (std::size_t i = 0; i < out_.values.size(); ++i) {
      out_.values[i] = in_.values[i] + second_.values[i];
    }
  }
  void operator()(const inference::Product&) {
    ForEachValue([&](double x, std::size_t c) { return x * second_.values[c]; });
  }
  void operator()(const inference::GlobalPool& pool) {
    const bool is_max = pool.pooling == Pooling::kMax;
    const auto channels = static_cast<std::size_t>(out_.shape[2]);
    const double pixels = static_cast<double>(in_.values.size()) / static_cast<double>(channels);
    if (is_max) std::ranges::fill(out_.values, -std::numeric_limits<double>::infinity());
    for (std::size_t i = 0; i < in_.values.size(); ++i) {
      double& out = out_.values[i % channels];
      out = is_max ? std::max(out, in_.values[i]) : out + in_.values[i] / pixels;
    }
  }
  void operator()(const inference::MaxPool& it) {
    ForEachOutput([&](std::int64_t y, std::int64_t x, std::int64_t c) {
      double largest = -std::numeric_limits<double>::infinity();
      for (int ky = 0; ky < it.kernel; ++ky) {
        for (int kx = 0; kx < it.kernel; ++kx) {
          const std::int64_t in_y = y * it.stride + ky - it.pads.top;
          const std::int64_t in_x = x * it.stride + kx - it.pads.left;
          if (IsInside(in_y, in_x)) largest = std::max(largest, At(in_y, in_x, c));
        }
      }
      return largest;
    });
  }
  void operator()(const inference::Flatten&) { out_.values = in_.values; }
  void operator()(const inference::Dense&) {
    const std::size_t inputs = in_.values.size();
    for (std::size_t unit = 0; unit < out_.values.size(); ++unit) {
      double sum = constants_[1][unit];
      for (std::size_t i = 0; i < inputs; ++i) {
        sum += constants_[0][unit * inputs + i] * in_.values[i];
      }
      out_.values[unit] = sum;
    }
  }
  void operator()(const inference::Softmax&) {
    for (std::size_t i = 0; i < out_.values.size(); ++i) out_.values[i] = std::exp(in_.values[i]);
    const double sum = std::accumulate(out_.values.begin(), out_.values.end(), 0.0);
    for (double& value : out_.values) value /= sum;
  }

 private:
  template <class Value>
  void ForEachValue(Value value) {
    const auto channels = static_cast<std::size_t>(out_.shape.back());
    for (std::size_t i = 0; i < in_.values.size(); ++i) {
      out_.values[i] = value(in_.values[i], i % channels);
    }
  }
  template <class Value>
  void ForEachOutput(Value value) {
    std::size_t at = 0;
    for (std::int64_t y = 0; y < out_.shape[0]; ++y) {
      for (std::int64_t x = 0; x < out_.shape[1]; ++x) {
        for (std::int64_t c = 0; c < out_.shape[2]; ++c) out_.values[at++] = value(y, x, c);
      }
    }
  }
  bool IsInside(std::int64_t y, std::int64_t x) const {
    return y >= 0 && y < in_.shape[0] && x >= 0 && x < in_.shape[1];
  }
  double At(std::int64_t y, std::int64_t x, std::int64_t c) const {
    return in_.values[(y * in_.shape[1] + x) * in_.shape[2] + c];
  }

  const Operation& operation_;
  const ConstantValues& constants_;
  const ExactValue& in_;
  const ExactValue& second_;
  ExactValue& out_;
};

// To what a byte can be.
void Round(const inference::Bytes& bytes, std::vector<double>& values) {
  for (double& value : values) {
    const double low = bytes.is_unsigned ? 0 : -128, high = low + 255;
    value = std::clamp(std::nearbyint(value / bytes.scale), low, high) * bytes.scale;
  }
}

}  // namespace

std::vector<ExactValue> InferExactly(const InferenceGraph& graph, const ExactValue& picture) {
  std::vector<ExactValue> values;
  for (std::size_t i = 0; i < graph.operations().size(); ++i) {
    const inference::Operation& operation = graph.operations()[i];
    const auto value = [&](int input) -> const ExactValue& {
      return input == inference::kPicture ? picture : values.at(input);
    };
    ExactValue out{operation.output, std::vector<double>(ValuesIn(operation.output))};
    const ConstantValues constants = graph.ReadConstants(static_cast<int>(i));
    std::visit(Computing(operation, constants, value(operation.inputs.front()),
                         value(operation.inputs.back()), out),
               operation.kind);
    if (operation.bytes) Round(*operation.bytes, out.values);
    values.push_back(std::move(out));
  }
  return values;
}

std::vector<float> DrawnHeadArray(int layer, const HeadArray& array) {
  std::vector<float> values(array.values());
  CounterRandom random(3, HeadArrayName(layer, array.name));
  const bool is_variance = array.name == "running_var";
  for (float& value : values) {
    value = static_cast<float>(is_variance ? random.Uniform(0.5, 2) : random.Uniform(-0.5, 0.5));
  }
  return values;
}

}  // namespace weir
