// Pictures a second, one thread, of the two resamplings: photos of 490 x 390 to 224 x 224.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <vector>

#include "framework/random.h"
#include "stages/kernels/affine.h"
#include "stages/kernels/resize.h"
#include "stages/kernels/warp.h"

namespace weir {
namespace {

constexpr int kHeight = 390;
constexpr int kWidth = 490;
constexpr int kSize = 224;

std::vector<std::uint8_t> Noise() {
  std::vector<std::uint8_t> pixels(3 * kHeight * kWidth);
  CounterRandom random(1, "noise");
  for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(random.Next());
  return pixels;
}

void WarpPhoto(benchmark::State& state, decltype(Warp)* warp, const KerasTransform& transform) {
  const std::vector<std::uint8_t> source = Noise();
  std::vector<std::uint8_t> out(3 * kSize * kSize);
  const Affine map =
      Compose(ResizeMap(kHeight, kWidth, kSize, kSize), KerasMap(transform, kSize, kSize));
  for (auto _ : state) {
    warp({source.data(), kHeight, kWidth}, map, {out.data(), kSize, kSize});
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations());
}

void ResizePhoto(benchmark::State& state, decltype(Resize)* resize) {
  const std::vector<std::uint8_t> source = Noise();
  std::vector<std::uint8_t> out(3 * kSize * kSize);
  for (auto _ : state) {
    resize({source.data(), kHeight, kWidth}, {out.data(), kSize, kSize}, {});
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK_CAPTURE(ResizePhoto, antialiased, Resize);
BENCHMARK_CAPTURE(ResizePhoto, portable_antialiased, ResizePortable);

constexpr KerasTransform kArticle{.shear = 0.15, .zx = 0.9, .zy = 1.1, .flip_horizontal = true};
constexpr KerasTransform kRotated{.theta = 15, .tx = 5, .shear = 5, .zx = 0.9};

BENCHMARK_CAPTURE(WarpPhoto, resize, Warp, KerasTransform{});
BENCHMARK_CAPTURE(WarpPhoto, shear_zoom_flip, Warp, kArticle);
BENCHMARK_CAPTURE(WarpPhoto, rotation, Warp, kRotated);
BENCHMARK_CAPTURE(WarpPhoto, portable_shear_zoom_flip, WarpPortable, kArticle);

}  // namespace
}  // namespace weir
