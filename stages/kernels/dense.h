// A dense layer over one vector, in float32 on the host. Products are added up in an order of the
// inputs' number alone: the bits are the same on every instruction set. Any thread; nothing is
// allocated.
#pragma once

#include <cstdint>

namespace weir {

// to[u] = sum over i of weight[u, i] * from[i], + bias[u]. `weight` is [units, inputs], `from`
// [inputs], `bias` and `to` [units].
void MultiplyVector(const float* weight, const float* bias, const float* from, std::int64_t inputs,
                    std::int64_t units, float* to);

}  // namespace weir
