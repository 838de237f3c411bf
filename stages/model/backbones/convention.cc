#include "stages/model/backbones/convention.h"

namespace weir {

Convention Convention::Keras() { return {}; }

Convention Convention::Torchvision() {
  constexpr std::array<double, 3> kMean = {0.485, 0.456, 0.406};
  constexpr std::array<double, 3> kDeviation = {0.229, 0.224, 0.225};
  Convention convention{.padding = Padding::kSymmetric, .batch_norm_epsilon = 1e-5f};
  for (int channel = 0; channel < 3; ++channel) {
    convention.preprocessing.scale[channel] = static_cast<float>(1 / (255 * kDeviation[channel]));
    convention.preprocessing.offset[channel] =
        static_cast<float>(-kMean[channel] / kDeviation[channel]);
  }
  return convention;
}

}  // namespace weir
