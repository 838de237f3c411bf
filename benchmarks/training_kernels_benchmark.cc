// What trains the backbone, one thread: products of the shapes of MobileNetV2's 1x1 layers by
// oneDNN and, to compare, by LibTorch (FLOP/s), and the passes over maps (bytes/s of what they read
// and write). Maps are those of a micro-batch of 2 at 224 x 224.
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <benchmark/benchmark.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "framework/random.h"
#include "stages/kernels/depthwise_gradient.h"
#include "stages/kernels/map_kernels.h"
#include "stages/train/tensors/matrix_product.h"

namespace weir {
namespace {

constexpr std::int64_t kSamples = 2;

std::vector<float> Random(std::int64_t count) {
  std::vector<float> values(count);
  CounterRandom random(1, "map");
  for (float& value : values) value = static_cast<float>(random.Uniform(-3, 9));
  return values;
}

at::Tensor RandomMatrix(std::int64_t rows, std::int64_t columns) {
  const std::vector<float> values = Random(rows * columns);
  at::Tensor matrix = at::empty({rows, columns}, at::kFloat);
  std::copy(values.begin(), values.end(), matrix.mutable_data_ptr<float>());
  return matrix;
}

enum Product { kForward, kOfInput, kOfKernel };

// A product of a 1x1 layer: side of the map, channels in, channels out; which product.
template <class Multiply>
void OneByOne(benchmark::State& state, Multiply multiply) {
  at::set_num_threads(1);
  const c10::InferenceMode inference;
  const std::int64_t rows = kSamples * state.range(0) * state.range(0);
  const std::int64_t in = state.range(1), out = state.range(2);
  const at::Tensor input = RandomMatrix(rows, in), gradient = RandomMatrix(rows, out);
  const at::Tensor kernel = RandomMatrix(out, in);
  const auto product = static_cast<Product>(state.range(3));
  const at::Tensor left = product == kForward   ? input
                          : product == kOfInput ? gradient
                                                : gradient.t();
  const at::Tensor right = product == kForward ? kernel.t() : product == kOfInput ? kernel : input;
  at::Tensor result = RandomMatrix(left.size(0), right.size(1));
  for (auto _ : state) {
    multiply(result, left, right);
    benchmark::ClobberMemory();
  }
  state.counters["FLOP"] = benchmark::Counter(2.0 * static_cast<double>(rows * in * out),
                                              benchmark::Counter::kIsIterationInvariantRate);
}

void Shapes(benchmark::internal::Benchmark* benchmark) {
  for (const int product : {kForward, kOfInput, kOfKernel}) {
    benchmark->Args({56, 24, 144, product})
        ->Args({14, 64, 384, product})
        ->Args({7, 960, 160, product});
  }
}

void ByOneDnn(benchmark::State& state) { OneByOne(state, MultiplyInto); }
void ByLibTorch(benchmark::State& state) {
  OneByOne(state, [](at::Tensor& out, const at::Tensor& left, const at::Tensor& right) {
    at::mm_out(out, left, right);
  });
}
BENCHMARK(ByOneDnn)->Apply(Shapes);
BENCHMARK(ByLibTorch)->Apply(Shapes);

// Side and channels of the map.
void Finish(benchmark::State& state) {
  const std::int64_t rows = kSamples * state.range(0) * state.range(0), channels = state.range(1);
  std::vector<float> map = Random(rows * channels);
  const std::vector<float> bias = Random(channels);
  for (auto _ : state) {
    FinishRows(map.data(), rows, channels, bias.data(), nullptr, 6);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(sizeof(float)) * 2 * rows *
                          channels);
}
BENCHMARK(Finish)->Args({56, 144})->Args({14, 384})->Args({7, 960});

void Mask(benchmark::State& state) {
  const std::int64_t lines = kSamples * state.range(0), pixels = state.range(0);
  const std::int64_t channels = state.range(1);
  std::vector<float> gradient = Random(lines * pixels * channels), sum(channels);
  const std::vector<float> output = Random(lines * pixels * channels);
  for (auto _ : state) {
    MaskAndSum(gradient.data(), lines, pixels, channels, {output.data(), pixels * channels}, 6,
               sum.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(sizeof(float)) * 3 *
                          lines * pixels * channels);
}
BENCHMARK(Mask)->Args({56, 144})->Args({14, 384})->Args({7, 960});

void DepthwiseOfKernel(benchmark::State& state) {
  const std::int64_t side = state.range(0), channels = state.range(1);
  const DepthwiseMaps maps{.count = kSamples,
                           .channels = channels,
                           .in_height = side,
                           .in_width = side,
                           .out_height = side,
                           .out_width = side,
                           .stride = 1,
                           .pad_top = 1,
                           .pad_left = 1};
  const std::int64_t values = kSamples * side * side * channels;
  const std::vector<float> gradient = Random(values), input = Random(values);
  std::vector<float> of_kernel(9 * channels);
  for (auto _ : state) {
    DepthwiseKernelGradient(maps, gradient.data(), input.data(), of_kernel.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(sizeof(float)) * 2 *
                          values);
}
BENCHMARK(DepthwiseOfKernel)->Args({56, 144})->Args({14, 384})->Args({7, 960});

}  // namespace
}  // namespace weir
