#include "framework/random.h"

#include <gtest/gtest.h>

#include <cmath>

namespace weir {
namespace {

TEST(Philox, GivesTheKnownAnswersOfItsAuthors) {  // Random123's kat_vectors, philox4x32 10
  using Words = std::array<std::uint32_t, 4>;
  EXPECT_EQ(Philox4x32({0, 0, 0, 0}, {0, 0}),
            (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(Philox4x32({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(CounterRandom, IsAFunctionOfSeedUseEpochAndIndex) {
  const auto first = [](auto... arguments) { return CounterRandom(arguments...).Next(); };
  const std::uint32_t value = first(1, "shuffle", 2, 3);
  EXPECT_EQ(value, first(1, "shuffle", 2, 3));
  EXPECT_NE(value, first(2, "shuffle", 2, 3));
  EXPECT_NE(value, first(1, "augment", 2, 3));
  EXPECT_NE(value, first(1, "shuffle", 3, 3));
  EXPECT_NE(value, first(1, "shuffle", 2, 4));
  EXPECT_NE(value, first(1, "shuffle", 2, 3 + (std::uint64_t{1} << 32)));
}

TEST(CounterRandom, BelowIsEvenAndStaysBelow) {
  CounterRandom random(7, "below");
  std::array<int, 5> count{};
  for (int i = 0; i < 50000; ++i) ++count.at(random.Below(5));
  for (int times : count) EXPECT_NEAR(times, 10000, 500);
}

TEST(CounterRandom, UniformAndNormalHaveTheirMoments) {
  CounterRandom random(7, "moments");
  double uniform = 0, normal = 0, square = 0;
  constexpr int kDraws = 100000;
  for (int i = 0; i < kDraws; ++i) {
    const double u = random.Uniform(2, 4);
    ASSERT_TRUE(u >= 2 && u < 4);
    uniform += u;
    const double n = random.Normal();
    normal += n;
    square += n * n;
  }
  EXPECT_NEAR(uniform / kDraws, 3, 0.02);
  EXPECT_NEAR(normal / kDraws, 0, 0.02);
  EXPECT_NEAR(square / kDraws, 1, 0.02);
}

}  // namespace
}  // namespace weir
