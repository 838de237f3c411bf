// The bodies of the depthwise kernels, run on the host thread by thread, against the definition in
// double.
#include "stages/device/cuda/depthwise_bodies.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "framework/random.h"
#include "stages/device/cuda/depthwise_gradient_bodies.h"

namespace weir {
namespace {

using Values = std::vector<float>;

constexpr float kUntouched = -77;
constexpr std::size_t kGuard = 64;  // values behind each result that nobody may write to

// The threads from the last to the first, or from the first: they may run in any order.
struct OnHost {
  bool backwards = true;

  template <class Body>
  void operator()(std::size_t threads, const Body& body) const {
    const std::size_t all = std::size_t{kernel::BlocksFor(threads)} * kernel::kThreadsOfBlock;
    for (std::size_t i = 0; i < all; ++i) body(backwards ? all - 1 - i : i);
  }
};

Values Random(std::int64_t count, std::uint64_t seed) {
  Values values(count);
  CounterRandom random(seed, "map");
  for (float& value : values) value = static_cast<float>(random.Uniform(-2, 2));
  return values;
}

// Memory whose first value lies `offset` values behind an address of 64 bytes.
template <class T = float>
class Placed {
 public:
  Placed(const Values& values, std::size_t offset) : memory_(values.size() + offset + kGuard + 64) {
    const std::size_t line = 64 / sizeof(T);
    const std::size_t at = reinterpret_cast<std::uintptr_t>(memory_.data()) / sizeof(T) % line;
    begin_ = memory_.data() + (line - at) % line + offset;
    for (std::size_t i = 0; i < values.size(); ++i) begin_[i] = kernel::FromFloat<T>(values[i]);
    for (std::size_t i = 0; i < kGuard; ++i) begin_[values.size() + i] = Guard();
    size_ = values.size();
  }
  explicit Placed(std::size_t size, std::size_t offset = 0)
      : Placed(Values(size, kUntouched), offset) {}

  T* data() { return begin_; }
  Values Read() const {
    Values values(size_);
    for (std::size_t i = 0; i < size_; ++i) values[i] = kernel::ToFloat(begin_[i]);
    for (std::size_t i = 0; i < kGuard; ++i) {
      EXPECT_EQ(kernel::ToFloat(begin_[size_ + i]), kUntouched) << "written beyond the end";
    }
    return values;
  }

 private:
  static T Guard() { return kernel::FromFloat<T>(kUntouched); }

  std::vector<T> memory_;
  T* begin_ = nullptr;
  std::size_t size_ = 0;
};

std::int64_t InValues(const DepthwiseMaps& maps) {
  return maps.count * maps.in_height * maps.in_width * maps.channels;
}
std::int64_t OutValues(const DepthwiseMaps& maps) {
  return maps.count * maps.out_height * maps.out_width * maps.channels;
}

// Calls visit(output, input, tap), three indices, for every product of the definition.
template <class Visit>
void ForEachProduct(const DepthwiseMaps& maps, const Visit& visit) {
  for (std::int64_t out = 0; out < OutValues(maps); ++out) {
    const std::int64_t c = out % maps.channels, x = out / maps.channels % maps.out_width,
                       y = out / maps.channels / maps.out_width % maps.out_height,
                       n = out / maps.channels / maps.out_width / maps.out_height;
    for (int tap = 0; tap < 9; ++tap) {
      const std::int64_t row = y * maps.stride - maps.pad_top + tap / 3;
      const std::int64_t column = x * maps.stride - maps.pad_left + tap % 3;
      if (row < 0 || row >= maps.in_height || column < 0 || column >= maps.in_width) continue;
      visit(out, ((n * maps.in_height + row) * maps.in_width + column) * maps.channels + c,
            c * 9 + tap);
    }
  }
}

void ExpectNear(const Values& found, const std::vector<double>& expected, double allowed) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_NEAR(found[i], expected[i], allowed * (1 + std::abs(expected[i]))) << "value " << i;
  }
}

// Odd and even sizes, from a single pixel on; every padding of up to a pixel on each side, as
// Keras' and torchvision's are; channels that are a multiple of 4 and not.
std::vector<DepthwiseMaps> AllMaps() {
  std::vector<DepthwiseMaps> all;
  const std::vector<std::pair<int, int>> sizes = {{1, 1}, {2, 3}, {3, 2}, {5, 8}, {7, 9}, {13, 6}};
  const std::vector<int> channels = {1, 3, 4, 6, 8, 20};
  for (const auto& [height, width] : sizes) {
    for (int pads = 0; pads < 16; ++pads) {
      for (const int stride : {1, 2}) {
        const int top = pads & 1, bottom = pads >> 1 & 1, left = pads >> 2 & 1, right = pads >> 3;
        if (height + top + bottom < 3 || width + left + right < 3) continue;
        all.push_back({.count = static_cast<std::int64_t>(1 + all.size() % 3),
                       .channels = channels[all.size() % channels.size()],
                       .in_height = height,
                       .in_width = width,
                       .out_height = (height + top + bottom - 3) / stride + 1,
                       .out_width = (width + left + right - 3) / stride + 1,
                       .stride = stride,
                       .pad_top = top,
                       .pad_left = left});
      }
    }
  }
  return all;
}

std::string Text(const DepthwiseMaps& maps) {
  std::string text;
  for (const std::int64_t each : {maps.count, maps.in_height, maps.in_width, maps.channels,
                                  maps.stride, maps.pad_top, maps.pad_left}) {
    text += std::to_string(each) + " ";
  }
  return text;
}

struct Ending {
  bool has_bias;
  std::optional<float> ceiling;
};

template <class T>
Values Forward(const DepthwiseMaps& maps, const Values& input, const Values& kernel,
               const Values& bias, const Ending& ending, std::size_t offset = 0) {
  Placed<T> in(input, offset), taps(kernel, offset), start(bias, offset);
  Placed<T> out(OutValues(maps), offset);
  kernel::DepthwiseBy(
      OnHost(), maps, std::is_same_v<T, float> ? MapType::kFloat32 : MapType::kBfloat16, in.data(),
      taps.data(), ending.has_bias ? start.data() : nullptr, ending.ceiling, out.data());
  return out.Read();
}

std::vector<double> Expected(const DepthwiseMaps& maps, const Values& input, const Values& kernel,
                             const Values& bias, const Ending& ending) {
  std::vector<double> out(OutValues(maps));
  for (std::size_t i = 0; ending.has_bias && i < out.size(); ++i) out[i] = bias[i % bias.size()];
  ForEachProduct(maps, [&](std::int64_t to, std::int64_t from, std::int64_t tap) {
    out[to] += double{input[from]} * kernel[tap];
  });
  for (double& value : out) {
    if (ending.ceiling) value = std::clamp(value, 0.0, double{*ending.ceiling});
  }
  return out;
}

const std::vector<Ending>& Endings() {
  static const std::vector<Ending> all = {{true, 6.0F},
                                          {false, std::nullopt},
                                          {true, std::nullopt},
                                          {false, std::numeric_limits<float>::infinity()}};
  return all;
}

TEST(DepthwiseBodies, ConvolveAsTheDefinitionSays) {
  std::uint64_t seed = 0;
  for (const DepthwiseMaps& maps : AllMaps()) {
    SCOPED_TRACE(Text(maps));
    const Values input = Random(InValues(maps), ++seed), kernel = Random(9 * maps.channels, ++seed),
                 bias = Random(maps.channels, ++seed);
    const Ending& ending = Endings()[seed / 3 % Endings().size()];
    ExpectNear(Forward<float>(maps, input, kernel, bias, ending),
               Expected(maps, input, kernel, bias, ending), 1e-5);
    if (HasFatalFailure()) return;
  }
}

// Sums are float32: only what is read and written has 8 bits.
TEST(DepthwiseBodies, ConvolveBfloat16) {
  const auto rounded = [](Values values) {
    for (float& value : values) value = kernel::ToFloat(kernel::FromFloat<__nv_bfloat16>(value));
    return values;
  };
  std::uint64_t seed = 0;
  for (const DepthwiseMaps& maps : AllMaps()) {
    SCOPED_TRACE(Text(maps));
    const Values input = rounded(Random(InValues(maps), ++seed)),
                 kernel = rounded(Random(9 * maps.channels, ++seed)),
                 bias = rounded(Random(maps.channels, ++seed));
    const Ending& ending = Endings()[seed / 3 % Endings().size()];
    ExpectNear(Forward<__nv_bfloat16>(maps, input, kernel, bias, ending),
               Expected(maps, input, kernel, bias, ending), 1.0 / 256);
    if (HasFatalFailure()) return;
  }
}

// Four channels at a time or one, in a batch or alone: a sample's bits stay the same.
TEST(DepthwiseBodies, GiveASampleTheSameBitsEverywhere) {
  for (const int stride : {1, 2}) {
    DepthwiseMaps maps{.count = 3,
                       .channels = 8,
                       .in_height = 9,
                       .in_width = 11,
                       .out_height = 9 / stride + stride - 1,
                       .out_width = 11 / stride + stride - 1,
                       .stride = stride,
                       .pad_top = 1,
                       .pad_left = 1};
    const Values input = Random(InValues(maps), 1), kernel = Random(72, 2), bias = Random(8, 3);
    const Values all = Forward<float>(maps, input, kernel, bias, {true, 6.0F});
    EXPECT_EQ(Forward<float>(maps, input, kernel, bias, {true, 6.0F}, /*offset=*/1), all);
    const std::int64_t in = InValues(maps) / 3, out = OutValues(maps) / 3;
    maps.count = 1;
    const Values second(input.begin() + in, input.begin() + 2 * in);
    EXPECT_EQ(Forward<float>(maps, second, kernel, bias, {true, 6.0F}),
              Values(all.begin() + out, all.begin() + 2 * out));
  }
}

TEST(DepthwiseBodies, KeepNotANumber) {
  const DepthwiseMaps maps{.count = 1,
                           .channels = 4,
                           .in_height = 3,
                           .in_width = 3,
                           .out_height = 1,
                           .out_width = 1,
                           .stride = 1,
                           .pad_top = 0,
                           .pad_left = 0};
  Values input(36, 1.0F);
  input[4 * 4 + 2] = std::nanf("");
  const Values out = Forward<float>(maps, input, Values(36, 1.0F), Values(4), {false, 6.0F});
  EXPECT_TRUE(std::isnan(out[2]));
  EXPECT_EQ(out[1], 6.0F);
}

TEST(DepthwiseBodies, FindTheGradientOfTheInput) {
  std::uint64_t seed = 0;
  for (const DepthwiseMaps& maps : AllMaps()) {
    SCOPED_TRACE(Text(maps));
    const Values gradient = Random(OutValues(maps), ++seed),
                 kernel = Random(9 * maps.channels, ++seed);
    std::vector<double> expected(InValues(maps));
    ForEachProduct(maps, [&](std::int64_t to, std::int64_t from, std::int64_t tap) {
      expected[from] += double{gradient[to]} * kernel[tap];
    });
    for (const std::size_t offset : {0, 1}) {
      Placed slope(gradient, offset), taps(kernel, offset), out(InValues(maps), offset);
      kernel::DepthwiseInputGradientBy(OnHost(), maps, slope.data(), taps.data(), out.data());
      ExpectNear(out.Read(), expected, 1e-5);
      if (HasFatalFailure()) return;
    }
  }
}

Values KernelGradient(const DepthwiseMaps& maps, const Values& gradient, const Values& input,
                      const OnHost& launch, std::size_t offset = 0) {
  Placed slope(gradient, offset), in(input, offset), out(9 * maps.channels, offset);
  Placed scratch(DepthwiseSlices(maps).scratch_floats(), offset);
  kernel::DepthwiseKernelGradientBy(launch, maps, slope.data(), in.data(), scratch.data(),
                                    out.data());
  scratch.Read();
  return out.Read();
}

void ExpectKernelGradient(const DepthwiseMaps& maps, std::uint64_t seed) {
  const Values gradient = Random(OutValues(maps), seed), input = Random(InValues(maps), seed + 1);
  std::vector<double> expected(9 * maps.channels);
  ForEachProduct(maps, [&](std::int64_t to, std::int64_t from, std::int64_t tap) {
    expected[tap] += double{gradient[to]} * input[from];
  });
  const Values found = KernelGradient(maps, gradient, input, {.backwards = true});
  ExpectNear(found, expected, 1e-4);
  EXPECT_EQ(KernelGradient(maps, gradient, input, {.backwards = false}), found);
  EXPECT_EQ(KernelGradient(maps, gradient, input, {.backwards = true}, 1), found);
}

TEST(DepthwiseBodies, FindTheGradientOfTheKernelInOneOrder) {
  std::uint64_t seed = 0;
  for (const DepthwiseMaps& maps : AllMaps()) {
    SCOPED_TRACE(Text(maps));
    ExpectKernelGradient(maps, seed += 2);
    if (HasFatalFailure()) return;
  }
}

// More partial sums than are added up at once, of maps whose rows the slices do not divide.
TEST(DepthwiseBodies, FindTheGradientOfTheKernelOfLargeMaps) {
  for (const int channels : {4, 5}) {
    for (const int stride : {1, 2}) {
      const DepthwiseMaps maps{.count = 3,
                               .channels = channels,
                               .in_height = 57,
                               .in_width = 43,
                               .out_height = stride == 1 ? 57 : 29,
                               .out_width = stride == 1 ? 43 : 22,
                               .stride = stride,
                               .pad_top = 1,
                               .pad_left = 1};
      ASSERT_GT(DepthwiseSlices(maps).joined, 0u);
      ExpectKernelGradient(maps, 5);
    }
  }
}

TEST(DepthwiseSlices, HoldEveryPixelInLittleMemory) {
  for (const std::int64_t count : {0, 1, 3, 32, 512}) {
    for (const std::int64_t side : {1, 7, 112, 500}) {
      for (const std::int64_t channels : {1, 8, 96, 960, 100000}) {
        const DepthwiseSlices slices({.count = count,
                                      .channels = channels,
                                      .in_height = side,
                                      .in_width = side,
                                      .out_height = side,
                                      .out_width = side,
                                      .stride = 1,
                                      .pad_top = 1,
                                      .pad_left = 1});
        EXPECT_GE(slices.count * slices.pixels, slices.all_pixels);
        EXPECT_LT((slices.count - 1) * slices.pixels, std::max<std::size_t>(slices.all_pixels, 1));
        EXPECT_LE(slices.joined, DepthwiseSlices::kFan);
        if (channels == 100000) continue;
        EXPECT_LE(slices.scratch_floats() * sizeof(float), 10'000'000u);
      }
    }
  }
}

}  // namespace
}  // namespace weir
