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
#include <fstream>
#include <new>
#include <numeric>
#include <thread>

#include "framework/error.h"
#include "framework/random.h"
#include "stages/model/onednn_plan.h"
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

bool CpuHasBfloat16() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  const std::string text(std::istreambuf_iterator<char>(cpuinfo), {});
  return text.find("avx512_bf16") != std::string::npos;
}

// LibTorch's own threads would only fight for the cores of the machine that runs the tests.
const bool one_thread = (omp_set_num_threads(1), true);

std::vector<std::uint8_t> RandomPixels(const MobileNetV2& model, std::uint64_t seed) {
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
  const MobileNetV2 model(it.width, it.input,
                          it.keras ? Convention::Keras() : Convention::Torchvision());
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
    const MobileNetV2 model(0.35, {64, 70}, convention);
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

PrefixOptions Pooled(const MobileNetV2& model) {
  return {.last_layer = 51,
          .pooling = Pooling::kAverage,
          .preprocessing = model.convention().preprocessing};
}

std::size_t ThreadsOfThisProcess() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return std::distance(begin(tasks), end(tasks));
}

bool OneDnnUsesBfloat16() {  // which an environment variable may forbid
  constexpr int kNeeded = static_cast<int>(dnnl::cpu_isa::avx512_core_bf16);
  return (static_cast<int>(dnnl::get_effective_cpu_isa()) & kNeeded) == kNeeded;
}

// It is a thousand times slower than a kernel.
TEST(OneDnnPrefixPlan, TakesNoReferenceOfOneDnns) {
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  for (const Convention& convention : {Convention::Keras(), Convention::Torchvision()}) {
    for (const int size : {96, 224}) {
      const MobileNetV2 model(1.0, {size, size}, convention);
      for (const Precision precision : {Precision::kFloat32, Precision::kBfloat16}) {
        if (precision == Precision::kBfloat16 && !OneDnnUsesBfloat16()) continue;
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
  const MobileNetV2 model(0.5, {96, 96}, Convention::Keras());
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
    const MobileNetV2 model(1.0, input, Convention::Keras());
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
  const MobileNetV2 model(1.0, {224, 224}, Convention::Keras());
  const PrefixFootprint footprint = OneDnnPrefixFootprint(model, Pooled(model));
  EXPECT_LT(footprint.weights_bytes, 2'257'984u * sizeof(float) * 1.02);
  EXPECT_LT(footprint.workspace_bytes, 9'700'000u);
}

TEST(OneDnnPrefixMemory, DoesNotGrowWithRuns) {
  const MobileNetV2 model(0.35, {64, 64}, Convention::Keras());
  const auto prefix = MakeOneDnnPrefix(model, RandomBackbone(model, 1), Pooled(model));
  const auto workspace = prefix->MakeWorkspace();
  const auto pixels = RandomPixels(model, 1);
  std::vector<float> output(prefix->output_values());
  prefix->Run(pixels.data(), *workspace, output.data());
  const std::size_t before = mallinfo2().uordblks;
  for (int i = 0; i < 50; ++i) prefix->Run(pixels.data(), *workspace, output.data());
  EXPECT_EQ(mallinfo2().uordblks, before);
}

TEST(OneDnnPrefixInBfloat16, IsRefusedWhereTheCpuHasNone) {
  if (CpuHasBfloat16()) GTEST_SKIP() << "this CPU has bfloat16";
  const MobileNetV2 model(0.35, {64, 64}, Convention::Keras());
  PrefixOptions options = Pooled(model);
  options.precision = Precision::kBfloat16;
  try {
    OneDnnPrefixFootprint(model, options);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfig);
    EXPECT_THAT(error.what(), testing::StartsWith("precision: bfloat16 needs a CPU with AVX-512 "
                                                  "BF16 instructions; this one has "));
    EXPECT_EQ(error.remedy(), "Set precision: float32.");
  }
  EXPECT_THROW(MakeOneDnnPrefix(model, RandomBackbone(model, 1), options), Error);
}

TEST(OneDnnPrefixInBfloat16, PointsTheSameWay) {
  if (!CpuHasBfloat16()) GTEST_SKIP() << "this CPU has no bfloat16";
  const MobileNetV2 model(1.0, {96, 96}, Convention::Keras());
  const BackboneWeights weights = UnevenBackbone(model);
  const auto pixels = RandomPixels(model, 4);
  PrefixOptions options = Pooled(model);
  const auto exact = RunOnce(*MakeOneDnnPrefix(model, weights, options), pixels);
  options.precision = Precision::kBfloat16;
  const auto rounded = RunOnce(*MakeOneDnnPrefix(model, weights, options), pixels);
  const auto dot = [](const auto& a, const auto& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
  };
  EXPECT_GT(dot(exact, rounded) / std::sqrt(dot(exact, exact) * dot(rounded, rounded)), 0.999);
}

}  // namespace
}  // namespace weir
