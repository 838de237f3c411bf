#include "stages/model/export/formats/encoded_constants.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace weir {
namespace {

template <class T>
std::vector<std::byte> Encoded(const std::vector<T>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return {bytes.begin(), bytes.end()};
}

}  // namespace

EncodedConstants EncodeFloats(const ConstantValues& constants) {
  EncodedConstants encoded;
  for (const std::vector<float>& values : constants) encoded.push_back(Encoded(values));
  return encoded;
}

EncodedConstants EncodeInt8(const ConstantValues& constants, float from) {
  constexpr double kMostOfBias = 1 << 30;
  const std::vector<float>&values = constants[0], &scales = constants[1], &biases = constants[2];
  const std::size_t of_output = values.size() / scales.size();
  std::vector<std::int8_t> kernel;
  std::vector<float> kernel_scales, bias_scales;
  std::vector<std::int32_t> bias;
  for (std::size_t out = 0; out < scales.size(); ++out) {
    const double least = std::abs(double{biases[out]}) / from / kMostOfBias;
    const auto scale = static_cast<float>(std::max(double{scales[out]}, least));
    for (std::size_t i = out * of_output; i < (out + 1) * of_output; ++i) {
      const double value = scale == scales[out] ? values[i] : values[i] * (scales[out] / scale);
      kernel.push_back(static_cast<std::int8_t>(std::lround(value)));
    }
    kernel_scales.push_back(scale);
    bias_scales.push_back(scale * from);
    bias.push_back(static_cast<std::int32_t>(std::lround(biases[out] / double{bias_scales[out]})));
  }
  return {Encoded(kernel), Encoded(kernel_scales), Encoded(bias), Encoded(bias_scales)};
}

std::vector<std::byte> ConstantReader::Next() {
  while (encoded_.empty()) {
    for (auto& each : encoders_[operation_](graph_.ReadConstants(operation_))) {
      encoded_.push_back(std::move(each));
    }
    ++operation_;
  }
  std::vector<std::byte> next = std::move(encoded_.front());
  encoded_.pop_front();
  return next;
}

}  // namespace weir
