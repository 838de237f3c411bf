#include "stages/model/frozen_prefix.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <omp.h>

#include <array>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <numeric>
#include <thread>

#include "framework/random.h"
#include "stages/features/onednn/onednn_plan.h"
#include "stages/features/onednn/onednn_prefix.h"
#include "stages/features/onednn/quantization.h"
#include "tests/support/caught_error.h"
#include "tests/support/mobilenet_v2.h"
#include "tests/support/torch_prefix.h"
#include "tests/support/whole_backbone.h"

namespace {
std::atomic<std::size_t> aligned_bytes_allocated = 0;
}

void* operator new(std::size_t bytes, std::align_val_t alignment) {
  aligned_bytes_allocated += bytes;
  const auto boundary = static_cast<std::size_t>(alignment);
  void* memory = std::aligned_alloc(boundary, (bytes + boundary - 1) / boundary * boundary);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }

namespace weir {
namespace {

// What oneDNN makes use of: an environment variable may forbid it what the CPU has.
bool OneDnnUses(dnnl::cpu_isa needed) {
  const int isa = static_cast<int>(dnnl::get_effective_cpu_isa());
  return (isa & static_cast<int>(needed)) == static_cast<int>(needed);
}
bool HasBfloat16() { return OneDnnUses(dnnl::cpu_isa::avx512_core_bf16); }
bool HasVnni() {
  return OneDnnUses(dnnl::cpu_isa::avx512_core_vnni) || OneDnnUses(dnnl::cpu_isa::avx2_vnni);
}

// LibTorch's own threads would only fight for the cores of the machine that runs the tests.
const bool one_thread = (omp_set_num_threads(1), true);

std::vector<std::uint8_t> RandomPixels(const Network& model, std::uint64_t seed) {
  std::vector<std::uint8_t> pixels(std::size_t(model.input().height) * model.input().width * 3);
  CounterRandom random(seed, "pixels");
  for (std::uint8_t& value : pixels) value = static_cast<std::uint8_t>(random.Next());
  return pixels;
}

std::vector<float> RunOnce(const FrozenPrefix& prefix, const std::vector<std::uint8_t>& pixels) {
  std::vector<float> output(prefix.output_values());
  const auto workspace = prefix.MakeWorkspace();
  prefix.Run(pixels.data(), *workspace, output.data());
  return output;
}

// The largest difference, as a part of the largest value.
double Difference(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  double difference = 0, largest = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    difference = std::max<double>(difference, std::abs(a[i] - b[i]));
    largest = std::max<double>(largest, std::abs(b[i]));
  }
  EXPECT_GT(largest, 0);
  return difference / largest;
}

constexpr double kRounding = 5e-4;

struct Case {
  double width;
  MapSize input;
  bool keras;
};

class OneDnnPrefix : public testing::TestWithParam<Case> {};

TEST_P(OneDnnPrefix, AgreesWithTheUnfusedReference) {
  const Case& it = GetParam();
  const Network model =
      MobileNetV2(it.width, it.input, it.keras ? Convention::Keras() : Convention::Torchvision())
          .network();
  const BackboneWeights weights = UnevenBackbone(model);
  const auto pixels = RandomPixels(model, 1);
  for (const Pooling pooling : {Pooling::kNone, Pooling::kAverage, Pooling::kMax}) {
    const PrefixOptions options{
        .last_layer = 51, .pooling = pooling, .preprocessing = model.convention().preprocessing};
    EXPECT_LT(Difference(RunOnce(*MakeOneDnnPrefix(model, weights, options), pixels),
                         RunOnce(*MakeTorchPrefix(model, weights, options), pixels)),
              kRounding);
  }
}

INSTANTIATE_TEST_SUITE_P(WidthsAndSizes, OneDnnPrefix,
                         testing::Values(Case{1.0, {224, 224}, true}, Case{1.0, {224, 224}, false},
                                         Case{0.35, {97, 130}, true}, Case{0.35, {97, 130}, false},
                                         Case{0.5, {33, 64}, true}, Case{0.5, {160, 47}, false},
                                         Case{1.4, {95, 96}, true}, Case{1.4, {64, 64}, false},
                                         Case{0.1, {32, 32}, true}, Case{0.75, {193, 66}, true}));

TEST(OneDnnPrefixAt, AgreesAfterEveryLayer) {
  for (const Convention& convention : {Convention::Keras(), Convention::Torchvision()}) {
    const Network model = MobileNetV2(0.35, {64, 70}, convention).network();
    const BackboneWeights weights = UnevenBackbone(model);
    const auto pixels = RandomPixels(model, 2);
    for (int layer = 0; layer < static_cast<int>(model.layers().size()); ++layer) {
      const PrefixOptions options{.last_layer = layer, .preprocessing = convention.preprocessing};
      EXPECT_LT(Difference(RunOnce(*MakeOneDnnPrefix(model, weights, options), pixels),
                           RunOnce(*MakeTorchPrefix(model, weights, options), pixels)),
                kRounding)
          << model.layers()[layer].name;
    }
  }
}

PrefixOptions Pooled(const Network& model) {
  return {.last_layer = 51,
          .pooling = Pooling::kAverage,
          .preprocessing = model.convention().preprocessing};
}

std::size_t ThreadsOfThisProcess() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return std::distance(begin(tasks), end(tasks));
}

// It is a thousand times slower than a kernel.
TEST(OneDnnPrefixPlan, TakesNoReferenceOfOneDnns) {
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  for (const Convention& convention : {Convention::Keras(), Convention::Torchvision()}) {
    for (const int size : {96, 224}) {
      const Network model = MobileNetV2(1.0, {size, size}, convention).network();
      for (const Precision precision :
           {Precision::kFloat32, Precision::kBfloat16, Precision::kInt8}) {
        if (precision == Precision::kBfloat16 && !HasBfloat16()) continue;
        if (precision == Precision::kInt8 && !HasVnni()) continue;
        const int last = static_cast<int>(model.layers().size()) - 1;
        const OneDnnPlan plan(model, {.last_layer = last, .precision = precision}, engine);
        for (const PlannedConvolution& convolution : plan.convolutions) {
          EXPECT_FALSE(IsReference(convolution.descriptor))
              << model.layers()[convolution.layer].name << ": "
              << convolution.descriptor.impl_info_str();
        }
      }
    }
  }
}

TEST(OneDnnPrefixThreads, GiveTheSameBitsAndStartNoOthers) {
  const Network model = MobileNetV2(0.5, {96, 96}, Convention::Keras()).network();
  const auto prefix = MakeOneDnnPrefix(model, UnevenBackbone(model), Pooled(model));
  const auto pixels = RandomPixels(model, 3);
  const std::vector<float> expected = RunOnce(*prefix, pixels);

  const std::size_t threads_before = ThreadsOfThisProcess();
  std::array<std::size_t, 2> threads_seen{};
  std::array<int, 2> different{};
  const auto work = [&](int worker) {
    const auto workspace = prefix->MakeWorkspace();
    std::vector<float> output(prefix->output_values());
    for (int repeat = 0; repeat < 20; ++repeat) {
      prefix->Run(RandomPixels(model, 100 + repeat).data(), *workspace, output.data());
      prefix->Run(pixels.data(), *workspace, output.data());
      different[worker] += output != expected;
    }
    threads_seen[worker] = ThreadsOfThisProcess();
  };
  std::thread first(work, 0), second(work, 1);
  first.join();
  second.join();
  EXPECT_THAT(different, testing::Each(0));
  EXPECT_THAT(threads_seen, testing::Each(testing::Le(threads_before + 2)));
  EXPECT_EQ(RunOnce(*MakeOneDnnPrefix(model, UnevenBackbone(model), Pooled(model)), pixels),
            expected);
}

TEST(OneDnnPrefixMemory, IsWhatTheFootprintSays) {
  for (const MapSize input : {MapSize{224, 224}, MapSize{97, 161}}) {
    const Network model = MobileNetV2(1.0, input, Convention::Keras()).network();
    const PrefixFootprint footprint = OneDnnPrefixFootprint(model, Pooled(model));
    const BackboneWeights weights = RandomBackbone(model, 1);

    const std::size_t before = aligned_bytes_allocated;
    const auto prefix = MakeOneDnnPrefix(model, weights, Pooled(model));
    EXPECT_EQ(aligned_bytes_allocated - before, footprint.weights_bytes);
    EXPECT_EQ(prefix->weights_bytes(), footprint.weights_bytes);

    const auto workspace = prefix->MakeWorkspace();
    EXPECT_EQ(aligned_bytes_allocated - before,
              footprint.weights_bytes + footprint.workspace_bytes);
    EXPECT_EQ(prefix->workspace_bytes(), footprint.workspace_bytes);
  }
}

// The folded weights of the backbone and little more; and few maps at a time, of 26 MB in all (4.6
// MB on AVX2; oneDNN's convolutions for older CPUs take 4 MB more).
TEST(OneDnnPrefixMemory, IsSmall) {
  const Network model = MobileNetV2(1.0, {224, 224}, Convention::Keras()).network();
  const PrefixFootprint footprint = OneDnnPrefixFootprint(model, Pooled(model));
  EXPECT_LT(footprint.weights_bytes, 2'257'984u * sizeof(float) * 1.02);
  EXPECT_LT(footprint.workspace_bytes, 9'700'000u);
}

TEST(OneDnnPrefixMemory, DoesNotGrowWithRuns) {
  const Network model = MobileNetV2(0.35, {64, 64}, Convention::Keras()).network();
  const auto prefix = MakeOneDnnPrefix(model, RandomBackbone(model, 1), Pooled(model));
  const auto workspace = prefix->MakeWorkspace();
  const auto pixels = RandomPixels(model, 1);
  std::vector<float> output(prefix->output_values());
  prefix->Run(pixels.data(), *workspace, output.data());
  const std::size_t before = mallinfo2().uordblks;
  for (int i = 0; i < 50; ++i) prefix->Run(pixels.data(), *workspace, output.data());
  EXPECT_EQ(mallinfo2().uordblks, before);
}

// The refusal of a precision, after its reason.
std::string Refusal(Precision precision) {
  const Network model = MobileNetV2(0.35, {64, 64}, Convention::Keras()).network();
  PrefixOptions options = Pooled(model);
  options.precision = precision;
  return CaughtError([&] { OneDnnPrefixFootprint(model, options); });
}

TEST(OneDnnPrefixInBfloat16, IsRefusedWhereTheCpuHasNone) {
  if (HasBfloat16()) GTEST_SKIP() << "this CPU has bfloat16";
  EXPECT_THAT(Refusal(Precision::kBfloat16),
              testing::MatchesRegex("precision: bfloat16 needs a CPU with AVX-512 BF16 "
                                    "instructions; this one has .*\nSet precision: float32."));
}

double Cosine(const std::vector<float>& a, const std::vector<float>& b) {
  const auto dot = [](const auto& x, const auto& y) {
    return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
  };
  return dot(a, b) / std::sqrt(dot(a, a) * dot(b, b));
}

TEST(OneDnnPrefixInBfloat16, PointsTheSameWay) {
  if (!HasBfloat16()) GTEST_SKIP() << "this CPU has no bfloat16";
  const Network model = MobileNetV2(1.0, {96, 96}, Convention::Keras()).network();
  const BackboneWeights weights = UnevenBackbone(model);
  const auto pixels = RandomPixels(model, 4);
  PrefixOptions options = Pooled(model);
  const auto exact = RunOnce(*MakeOneDnnPrefix(model, weights, options), pixels);
  options.precision = Precision::kBfloat16;
  EXPECT_GT(Cosine(RunOnce(*MakeOneDnnPrefix(model, weights, options), pixels), exact), 0.999);
}

TEST(OneDnnPrefixWatch, SeesEachLayersMap) {
  const Network model = MobileNetV2(0.35, {64, 70}, Convention::Keras()).network();
  const BackboneWeights weights = UnevenBackbone(model);
  const auto pixels = RandomPixels(model, 2);
  std::vector<std::vector<float>> maps;
  PrefixOptions options = Pooled(model);
  options.watch = [&](int layer, const float* map) {
    EXPECT_EQ(layer, static_cast<int>(maps.size()));
    const MapSize size = model.output_size(layer);
    const int values = size.height * size.width * model.layers()[layer].out_channels;
    maps.emplace_back(map, map + values);
  };
  RunOnce(*MakeOneDnnPrefix(model, weights, options), pixels);
  ASSERT_EQ(maps.size(), model.layers().size());
  for (int layer = 0; layer < static_cast<int>(maps.size()); ++layer) {
    const PrefixOptions until{.last_layer = layer,
                              .preprocessing = model.convention().preprocessing};
    EXPECT_LT(Difference(maps[layer], RunOnce(*MakeTorchPrefix(model, weights, until), pixels)),
              kRounding);
  }
}

class OneDnnPrefixInInt8 : public testing::Test {
 protected:
  void SetUp() override {
    if (!HasVnni()) GTEST_SKIP() << "this CPU has no VNNI";
  }

  // Measured on pictures that no test looks at.
  static std::shared_ptr<const std::vector<MapStatistics>> Maps(const Network& model,
                                                                const LayerReader& weights) {
    MapMeter meter(model);
    PrefixOptions options = Pooled(model);
    options.watch = meter.Watcher();
    const auto prefix = MakeOneDnnPrefix(model, weights, options);
    for (int i = 0; i < 8; ++i) RunOnce(*prefix, RandomPixels(model, 1000 + i));
    return std::make_shared<const std::vector<MapStatistics>>(meter.Finish());
  }
};

// Every layer is compared, under both paddings, at sizes that leave rests: one that reads another
// map or the picture's border wrongly points elsewhere.
TEST_F(OneDnnPrefixInInt8, PointsTheSameWayAfterEveryLayer) {
  for (const Convention& convention : {Convention::Keras(), Convention::Torchvision()}) {
    for (const MapSize input : {MapSize{97, 70}, MapSize{64, 64}}) {
      const Network model = MobileNetV2(0.5, input, convention).network();
      const BackboneWeights weights = UnevenBackbone(model);
      const auto maps = Maps(model, weights);
      const auto pixels = RandomPixels(model, 4);
      for (int layer = 0; layer < static_cast<int>(model.layers().size()); ++layer) {
        PrefixOptions options{.last_layer = layer, .preprocessing = convention.preprocessing};
        const auto exact = RunOnce(*MakeOneDnnPrefix(model, weights, options), pixels);
        options.precision = Precision::kInt8;
        options.maps = maps;
        const auto rounded = RunOnce(*MakeOneDnnPrefix(model, weights, options), pixels);
        EXPECT_GT(Cosine(rounded, exact), 0.99) << model.layers()[layer].name;
      }
    }
  }
}

TEST_F(OneDnnPrefixInInt8, PoolsAsItsMapSays) {
  const Network model = MobileNetV2(0.35, {96, 96}, Convention::Keras()).network();
  const BackboneWeights weights = UnevenBackbone(model);
  PrefixOptions options = Pooled(model);
  options.precision = Precision::kInt8;
  options.maps = Maps(model, weights);
  const auto pixels = RandomPixels(model, 4);
  options.pooling = Pooling::kNone;
  const auto map = RunOnce(*MakeOneDnnPrefix(model, weights, options), pixels);
  std::vector<float> largest(1280), mean(1280);
  for (std::size_t i = 0; i < map.size(); ++i) {
    largest[i % 1280] = std::max(largest[i % 1280], map[i]);
    mean[i % 1280] += map[i] / 9;
  }
  options.pooling = Pooling::kMax;
  EXPECT_LT(Difference(RunOnce(*MakeOneDnnPrefix(model, weights, options), pixels), largest), 1e-6);
  options.pooling = Pooling::kAverage;
  EXPECT_LT(Difference(RunOnce(*MakeOneDnnPrefix(model, weights, options), pixels), mean), 1e-5);
}

TEST_F(OneDnnPrefixInInt8, HoldsWhatTheFootprintSaysAQuarterOfFloats) {
  const Network model = MobileNetV2(1.0, {224, 224}, Convention::Keras()).network();
  const BackboneWeights weights = RandomBackbone(model, 1);
  PrefixOptions options = Pooled(model);
  options.maps = Maps(model, weights);
  const PrefixFootprint in_floats = OneDnnPrefixFootprint(model, options);
  options.precision = Precision::kInt8;
  const PrefixFootprint footprint = OneDnnPrefixFootprint(model, options);
  EXPECT_LT(footprint.weights_bytes, in_floats.weights_bytes * 0.29);
  EXPECT_LT(footprint.workspace_bytes, in_floats.workspace_bytes * 0.4);

  const std::size_t before = aligned_bytes_allocated;
  const auto prefix = MakeOneDnnPrefix(model, weights, options);
  EXPECT_EQ(aligned_bytes_allocated - before, footprint.weights_bytes);
  const auto workspace = prefix->MakeWorkspace();
  EXPECT_EQ(aligned_bytes_allocated - before, footprint.weights_bytes + footprint.workspace_bytes);
}

TEST(OneDnnPrefixWithoutVnni, RefusesInt8) {
  if (HasVnni()) GTEST_SKIP() << "this CPU has VNNI";
  EXPECT_THAT(Refusal(Precision::kInt8),
              testing::MatchesRegex("precision: int8 needs a CPU with VNNI instructions; this one "
                                    "has .*\nSet precision: float32."));
}

}  // namespace
}  // namespace weir
