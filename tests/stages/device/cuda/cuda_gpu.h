// The device side of this build as weir loads it, and its first GPU where there is one:
//
//   const TestGpu gpu;
//   if (!gpu.device) GTEST_SKIP() << gpu.why_not;
#pragma once

#include <memory>
#include <string>

#include "framework/error.h"
#include "stages/device/device.h"
#include "tests/stages/device/cuda/uneven_backbone.h"
#include "tests/support/head_layers.h"
#include "tests/support/whole_backbone.h"

namespace weir {

// The device side that this program was linked for. Without the look for a driver's files, which
// would end it before the library is loaded.
DeviceSearch BuiltDeviceSide();

struct TestGpu {
  TestGpu() {
    const ChosenDevice chosen = ChooseDevice({DeviceSelection::Kind::kAuto}, BuiltDeviceSide());
    device = chosen.device;
    why_not = chosen.reason;
  }
  std::shared_ptr<Device> device;
  std::string why_not;
};

inline Model TestModel(FrozenConfig::Kind frozen, MapSize input, double width = 0.35) {
  ModelConfig config;
  config.backbone.width = width;
  config.frozen.kind = frozen;
  config.head = {HeadAveragePooling(), HeadDenseOfClasses(Activation::kSoftmax)};
  return Model(config, Convention::Keras(), input, {"ants", "bees"}, /*seed=*/1);
}

inline BackboneWeights TestWeights(const Model& model) { return UnevenBackbone(model.network()); }

inline Batch TestBatch(const Model& model, int samples, std::uint64_t seed = 3) {
  const std::vector<std::uint8_t> pixels = RandomPixels(model.network(), samples, seed);
  Batch batch;
  batch.height = model.network().input().height;
  batch.width = model.network().input().width;
  for (int i = 0; i < samples; ++i) {
    batch.samples.push_back({.index = static_cast<std::uint64_t>(i),
                             .label = i % 2,
                             .path = "",
                             .order = static_cast<std::uint64_t>(i)});
  }
  batch.pixels = AlignedBuffer<std::uint8_t>(pixels.size());
  std::copy(pixels.begin(), pixels.end(), batch.pixels.data());
  return batch;
}

inline std::vector<float> Values(const FeatureBatch& features) {
  return {features.values.data(), features.values.data() + features.values.size()};
}

}  // namespace weir
