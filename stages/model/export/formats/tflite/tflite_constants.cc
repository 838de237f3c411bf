#include "stages/model/export/formats/tflite/tflite_constants.h"

#include <cmath>
#include <cstddef>
#include <utility>
#include <variant>
#include <vector>

namespace weir {
namespace {

// [out, in, taps] as [out, taps, in], or where `is_depthwise` [out, 1, taps] as [taps, out].
struct Turn {
  std::size_t outputs, inputs, taps;
  bool is_depthwise;

  template <class Value>
  std::vector<Value> operator()(const std::vector<Value>& kernel) const {
    std::vector<Value> turned(kernel.size());
    for (std::size_t out = 0; out < outputs; ++out) {
      for (std::size_t in = 0; in < inputs; ++in) {
        for (std::size_t tap = 0; tap < taps; ++tap) {
          turned[is_depthwise ? tap * outputs + out : (out * taps + tap) * inputs + in] =
              kernel[(out * inputs + in) * taps + tap];
        }
      }
    }
    return turned;
  }
};

Turn TurnOf(const inference::Operation& operation) {
  const Shape& kernel = operation.constants[0].shape;
  return {static_cast<std::size_t>(kernel[0]), static_cast<std::size_t>(kernel[1]),
          static_cast<std::size_t>(kernel[2] * kernel[3]), IsDepthwise(operation)};
}

}  // namespace

bool IsDepthwise(const inference::Operation& operation) {
  return std::get<inference::Convolution>(operation.kind).groups > 1 &&
         operation.constants[0].shape[1] == 1;
}

Shape KernelShape(const inference::Operation& operation) {
  const Shape& kernel = operation.constants[0].shape;
  if (IsDepthwise(operation)) return {1, kernel[2], kernel[3], kernel[0]};
  return {kernel[0], kernel[2], kernel[3], kernel[1]};
}

int KernelAxis(const inference::Operation& operation) { return IsDepthwise(operation) ? 3 : 0; }

ConstantEncoder KernelEncoder(const inference::Operation& operation) {
  return [turn = TurnOf(operation)](ConstantValues constants) {
    constants[0] = turn(constants[0]);
    if (constants.size() == 1) constants.emplace_back(turn.outputs);
    return EncodeFloats(constants);
  };
}

ConstantEncoder Int8KernelEncoder(const inference::Operation& operation, float from,
                                  const PictureOffsets& offsets) {
  return [turn = TurnOf(operation), from, offsets](ConstantValues constants) {
    for (std::size_t out = 0; out < turn.outputs && offsets != PictureOffsets{}; ++out) {
      double too_much = 0;
      for (std::size_t in = 0; in < turn.inputs; ++in) {
        for (std::size_t tap = 0; tap < turn.taps; ++tap) {
          too_much += constants[0][(out * turn.inputs + in) * turn.taps + tap] * offsets.at(in);
        }
      }
      float& bias = constants[2][out];
      bias = static_cast<float>(bias - too_much * constants[1][out]);
    }
    EncodedConstants encoded = EncodeInt8(constants, from);
    encoded[0] = turn(encoded[0]);
    return encoded;
  };
}

ConstantEncoder BatchNormEncoder(float epsilon) {
  return [epsilon](const ConstantValues& constants) {
    const std::vector<float>&gamma = constants[0], &beta = constants[1], &mean = constants[2],
          &variance = constants[3];
    ConstantValues folded(2);
    for (std::size_t i = 0; i < gamma.size(); ++i) {
      const double scale = gamma[i] / std::sqrt(double{variance[i]} + epsilon);
      folded[0].push_back(static_cast<float>(scale));
      folded[1].push_back(static_cast<float>(beta[i] - mean[i] * scale));
    }
    return EncodeFloats(folded);
  };
}

}  // namespace weir
