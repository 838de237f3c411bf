// What the publishers of MobileNetV2 call its tensors.
//
// Pure functions; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "stages/model/mobilenet_v2.h"

namespace weir {

// What the tensors of one convolution and its batch norm are called.
struct LayerNames {
  std::string kernel, gamma, beta, mean, variance;

  std::array<const std::string*, 5> all() const {
    return {&kernel, &gamma, &beta, &mean, &variance};
  }
  std::array<std::string*, 5> all() { return {&kernel, &gamma, &beta, &mean, &variance}; }
};
inline constexpr std::size_t kTensorsOfALayer = 5;

// What torchvision keeps the backbone under, beside the classifier.
inline constexpr std::string_view kTorchvisionFolder = "features.";

struct Naming {
  std::string_view publisher;      // "torchvision"
  std::vector<LayerNames> layers;  // in the order of MobileNetV2::layers()
  bool is_keras = false;           // kernels are HWIO, a depthwise one HWCM
  bool is_features_alone = false;  // torchvision's names without kTorchvisionFolder
};

// The namings that there are: torchvision's (of the whole model, and of its `features` alone),
// timm's, Hugging Face transformers', and Keras' by layer names with either name of a depthwise
// kernel and by positions.
std::vector<Naming> NamingsOf(const MobileNetV2& model);

// Whether a tensor of this name was trained under TensorFlow's convention, whatever the file's
// format: Keras' names, and those of transformers, whose weights were all converted from there.
bool IsFromTensorFlow(std::string_view tensor);

// The same with `prefix` in front of each name.
Naming WithPrefix(Naming naming, std::string_view prefix);

// The shape in which a naming's files keep tensor `index` of LayerNames::all().
std::vector<std::int64_t> StoredShape(const ConvLayer& layer, std::size_t index, bool is_keras);

}  // namespace weir
