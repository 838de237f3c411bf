// Runs one of weir's own kernels, on the same numbers each time, for its instructions to be
// counted.
//
// usage: kernels NAME COUNT   runs it COUNT times
//        kernels --list       names, a line each
//        kernels --built      what the counts depend on: the compiler, the instruction set

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "framework/random.h"
#include "stages/kernels/affine.h"
#include "stages/kernels/depthwise_gradient.h"
#include "stages/kernels/map_kernels.h"
#include "stages/kernels/resize.h"
#include "stages/kernels/warp.h"

namespace weir {
namespace {

constexpr int kHeight = 390, kWidth = 490, kSize = 224;  // a photo, and what a network is fed
constexpr std::int64_t kSide = 28, kChannels = 192;      // a map in the middle of MobileNetV2
constexpr std::int64_t kValues = kSide * kSide * kChannels;

std::vector<std::uint8_t> Photo() {
  std::vector<std::uint8_t> pixels(3 * kHeight * kWidth);
  CounterRandom random(1, "photo");
  for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(random.Next());
  return pixels;
}

std::vector<float> Map(std::uint64_t seed, std::int64_t values = kValues) {
  std::vector<float> map(values);
  CounterRandom random(seed, "map");
  for (float& value : map) value = static_cast<float>(random.Uniform(-3, 9));
  return map;
}

using Kernel = std::function<void()>;

Kernel WarpBy(const KerasTransform& transform) {
  return [photo = Photo(), out = std::vector<std::uint8_t>(3 * kSize * kSize),
          map = Compose(ResizeMap(kHeight, kWidth, kSize, kSize),
                        KerasMap(transform, kSize, kSize))]() mutable {
    Warp({photo.data(), kHeight, kWidth}, map, {out.data(), kSize, kSize});
  };
}

// By name; what a kernel reads is made when it is asked for.
const std::map<std::string, std::function<Kernel()>> kKernels = {
    {"resize",
     [] {
       return [photo = Photo(), out = std::vector<std::uint8_t>(3 * kSize * kSize)]() mutable {
         Resize({photo.data(), kHeight, kWidth}, {out.data(), kSize, kSize});
       };
     }},
    {"warp_shear_zoom_flip",
     [] { return WarpBy({.shear = 0.15, .zx = 0.9, .zy = 1.1, .flip_horizontal = true}); }},
    {"warp_rotation", [] { return WarpBy({.theta = 15, .tx = 5, .shear = 5, .zx = 0.9}); }},
    {"finish_rows",
     [] {
       return [map = Map(1), bias = Map(2, kChannels)]() mutable {
         FinishRows(map.data(), kSide * kSide, kChannels, bias.data(), nullptr, 6);
       };
     }},
    {"mask_and_sum",
     [] {
       return [gradient = Map(1), output = Map(2), sum = Map(3, kChannels)]() mutable {
         MaskAndSum(gradient.data(), kSide, kSide, kChannels, {output.data(), kSide * kChannels}, 6,
                    sum.data());
       };
     }},
    {"depthwise_kernel_gradient",
     [] {
       return [gradient = Map(1), input = Map(2), kernel = Map(3, 9 * kChannels)]() mutable {
         DepthwiseKernelGradient({.count = 1,
                                  .channels = kChannels,
                                  .in_height = kSide,
                                  .in_width = kSide,
                                  .out_height = kSide,
                                  .out_width = kSide,
                                  .stride = 1,
                                  .pad_top = 1,
                                  .pad_left = 1},
                                 gradient.data(), input.data(), kernel.data());
       };
     }},
    {"random_numbers",
     [] {
       return [sum = std::uint32_t{0}]() mutable {
         CounterRandom random(1, "numbers");
         for (int i = 0; i < 10000; ++i) sum += random.Next();
         if (sum == 1) std::puts("");  // so that it is not left out
       };
     }},
};

const char* InstructionSet() {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx512f")) return "AVX-512";
  if (__builtin_cpu_supports("avx2")) return "AVX2";
  return "SSE2";
#else
  return "another";
#endif
}

int Run(int argc, char** argv) {
  const std::string_view first = argc > 1 ? argv[1] : "";
  if (argc == 2 && first == "--list") {
    for (const auto& [name, make] : kKernels) std::puts(name.c_str());
    return 0;
  }
  if (argc == 2 && first == "--built") {
    std::printf("%s, %s\n", __VERSION__, InstructionSet());
    return 0;
  }
  const auto found = kKernels.find(std::string(first));
  int count = 0;
  const std::string_view text = argc == 3 ? argv[2] : "";
  std::from_chars(text.data(), text.data() + text.size(), count);
  if (found == kKernels.end() || count < 1) {
    std::fprintf(stderr, "usage: kernels NAME COUNT | --list | --built\n");
    return 2;
  }
  const Kernel kernel = found->second();
  for (int i = 0; i < count; ++i) kernel();
  return 0;
}

}  // namespace
}  // namespace weir

int main(int argc, char** argv) { return weir::Run(argc, argv); }
