#include "stages/kernels/dense.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "framework/random.h"

namespace weir {
namespace {

using testing::ElementsAre;

TEST(Dense, MultipliesEachRowAndAddsItsBias) {
  const std::vector<float> weight = {1, 2, 3, -1, 0.5, 0}, bias = {0.25, -1}, from = {4, 5, 6};
  std::vector<float> to(2);
  MultiplyVector(weight.data(), bias.data(), from.data(), 3, 2, to.data());
  EXPECT_THAT(to, ElementsAre(32.25F, -2.5F));
}

TEST(Dense, IsAsNearAsFloatsAreForAnyNumberOfInputs) {
  CounterRandom random(1, "dense");
  for (const std::int64_t inputs : {1, 31, 32, 33, 63, 64, 65, 1280, 62'720}) {
    std::vector<float> weight, from;
    double exact = 0.5, size = 0.5;
    for (std::int64_t i = 0; i < inputs; ++i) {
      weight.push_back(static_cast<float>(random.Uniform(-1, 1)));
      from.push_back(static_cast<float>(random.Uniform(-1, 1)));
      exact += static_cast<double>(weight.back()) * from.back();
      size += std::abs(static_cast<double>(weight.back()) * from.back());
    }
    const float bias = 0.5;
    float to = 0;
    MultiplyVector(weight.data(), &bias, from.data(), inputs, 1, &to);
    EXPECT_NEAR(to, exact, 1e-6 * size) << inputs;
  }
}

// Products are rounded before they are added, in 32 sums, of which the second half is added to the
// first until one is left: anybody can have the same bits.
TEST(Dense, AddsInTheOrderThatIsStated) {
  CounterRandom random(2, "dense");
  std::vector<float> weight(70), from(70);
  for (float& value : weight) value = static_cast<float>(random.Uniform(-1, 1));
  for (float& value : from) value = static_cast<float>(random.Uniform(-1, 1));
  std::vector<float> sums(32);
  for (std::size_t i = 0; i < from.size(); ++i) {
    const volatile float product = weight[i] * from[i];
    sums[i % 32] += product;
  }
  for (std::size_t half = 16; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) sums[i] += sums[i + half];
  }
  const float bias = 0.125;
  float to = 0;
  MultiplyVector(weight.data(), &bias, from.data(), 70, 1, &to);
  EXPECT_EQ(to, sums[0] + bias);
}

}  // namespace
}  // namespace weir
