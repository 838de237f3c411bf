// What publishers call the layers of a network and their tensors.
//
// Pure functions; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "framework/shape.h"
#include "stages/model/backbones/network.h"

namespace weir {

// What the parts of one layer are called; empty where it has none.
struct LayerNames {
  // The modules: "features.2.conv.0.0".
  std::string convolution, batch_norm;
  // The tensors; the beta of a dense layer is its bias.
  std::string kernel, gamma, beta, mean, variance;

  std::array<const std::string*, 5> tensors() const {
    return {&kernel, &gamma, &beta, &mean, &variance};
  }
  std::array<std::string*, 5> tensors() { return {&kernel, &gamma, &beta, &mean, &variance}; }
};

struct Naming {
  std::string_view publisher;      // "torchvision"
  std::vector<LayerNames> layers;  // one for each of Network::layers()
  bool is_keras = false;           // kernels are HWIO, a depthwise one HWCM
  bool names_layers = false;       // people name layers so, in `frozen`
  std::string_view folder{};       // what its names begin with beside the classifier's: "features."
  std::string_view without{};      // the folder that a naming of the rest alone has left out
};

// A convolution and its batch norm in PyTorch's modules, and in Keras' layers.
LayerNames PyTorchLayer(const std::string& convolution, const std::string& batch_norm);
LayerNames KerasLayer(const std::string& convolution, const std::string& kernel,
                      const std::string& batch_norm);

// Keras' layers by position: the count of each kind of layer so far is its name (conv2d,
// conv2d_1, ...). Gives the names of one convolution after another.
class KerasPositions {
 public:
  LayerNames Next(bool is_depthwise);

 private:
  int convolutions_ = 0, depthwise_ = 0, batch_norms_ = 0;
};

// The same naming for what lies in its folder, saved alone as somebody else's backbone.
Naming WithoutFolder(Naming naming);

// The same with `prefix` in front of each tensor's name.
Naming WithPrefix(Naming naming, std::string_view prefix);

// Whether a tensor of this name was trained under TensorFlow's convention, whatever the file's
// format: Keras' names, and those of transformers, whose weights were all converted from there.
bool IsFromTensorFlow(std::string_view tensor);

// The shape in which a naming's files keep tensor `index` of LayerNames::tensors().
Shape StoredShape(const NetworkLayer& layer, std::size_t index, bool is_keras);

}  // namespace weir
