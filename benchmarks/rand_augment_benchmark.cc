// Milliseconds a picture, one thread, of each of RandAugment's operations and of `normalize`.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <variant>
#include <vector>

#include "framework/random.h"
#include "stages/augment/rand_augment.h"
#include "stages/batch/normalize.h"

namespace weir {
namespace {

// Slow waves with a little noise: neighbours are about as like each other as in a photo.
AlignedBuffer<std::uint8_t> Photo(int height, int width) {
  AlignedBuffer<std::uint8_t> pixels(std::size_t{3} * height * width);
  CounterRandom random(1, "photo");
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    pixels.data()[i] = static_cast<std::uint8_t>(i / 24 % 220 + random.Below(16));
  }
  return pixels;
}

void Operation(benchmark::State& state, RandAugment::Operation operation) {
  const int height = static_cast<int>(state.range(0)), width = static_cast<int>(state.range(1));
  Resources resources;
  BuildContext build{.upstream = {{height, width, 3}}, .resources = resources};
  const RandAugment stage({}, build);
  Image image;
  image.height = height;
  image.width = width;
  image.pixels = Photo(height, width);
  AlignedBuffer<std::uint8_t> spare;
  for (auto _ : state) {
    stage.Apply({operation, false}, image, spare);
    benchmark::ClobberMemory();
  }
}

void NormalizeBatch(benchmark::State& state) {
  constexpr int kPictures = 32, kSize = 224;
  Resources resources;
  BuildContext build{.upstream = {{kPictures, kSize, kSize, 3}}, .resources = resources};
  Normalize stage({}, build);
  Batch batch;
  batch.samples.resize(kPictures);
  batch.height = batch.width = kSize;
  batch.pixels = Photo(kPictures * kSize, kSize);
  const Pass pass;
  StageContext context(pass, 0, [] { return false; });
  for (auto _ : state) benchmark::DoNotOptimize(stage.Map(batch, context));
}

void Sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->Args({224, 224})->Args({375, 500})->Unit(benchmark::kMillisecond);
}

using Kind = RandAugment::Operation;
BENCHMARK_CAPTURE(Operation, ShearX, Kind::kShearX)->Apply(Sizes);
BENCHMARK_CAPTURE(Operation, ShearY, Kind::kShearY)->Apply(Sizes);
BENCHMARK_CAPTURE(Operation, TranslateX, Kind::kTranslateX)->Apply(Sizes);
BENCHMARK_CAPTURE(Operation, TranslateY, Kind::kTranslateY)->Apply(Sizes);
BENCHMARK_CAPTURE(Operation, Rotate, Kind::kRotate)->Apply(Sizes);
BENCHMARK_CAPTURE(Operation, Brightness, Kind::kBrightness)->Apply(Sizes);
BENCHMARK_CAPTURE(Operation, Color, Kind::kColor)->Apply(Sizes);
BENCHMARK_CAPTURE(Operation, Contrast, Kind::kContrast)->Apply(Sizes);
BENCHMARK_CAPTURE(Operation, Sharpness, Kind::kSharpness)->Apply(Sizes);
BENCHMARK_CAPTURE(Operation, Posterize, Kind::kPosterize)->Apply(Sizes);
BENCHMARK_CAPTURE(Operation, Solarize, Kind::kSolarize)->Apply(Sizes);
BENCHMARK_CAPTURE(Operation, AutoContrast, Kind::kAutoContrast)->Apply(Sizes);
BENCHMARK_CAPTURE(Operation, Equalize, Kind::kEqualize)->Apply(Sizes);
BENCHMARK(NormalizeBatch)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace weir
