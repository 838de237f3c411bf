// How exactly a frozen part computes, and its names in a configuration.
#pragma once

#include <array>
#include <utility>

#include "framework/config/params.h"

namespace weir {

enum class Precision {
  kFloat32,
  kTf32,  // float32, but matrix products of numbers rounded to 10 bits; on a device alone
  kBfloat16,
  kInt8,  // on the host alone
};

template <>
struct EnumNames<Precision> {
  static constexpr std::array kNames{
      std::pair{"float32", Precision::kFloat32}, std::pair{"tf32", Precision::kTf32},
      std::pair{"bfloat16", Precision::kBfloat16}, std::pair{"int8", Precision::kInt8}};
};

}  // namespace weir
