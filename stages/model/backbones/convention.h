// The two published conventions of training a network, which differ on the same weights: how
// convolutions pad, the batch norms' epsilon, and what pictures are fed as.
//
// Plain data.
#pragma once

#include <array>

namespace weir {

// How a stride-2 convolution pads an even-sized map. The weights know which they were trained with.
enum class Padding {
  kSame,       // TensorFlow, Keras: 0 before, 1 after
  kSymmetric,  // torchvision, timm: 1 before, 1 after
};

// What the network is fed: x * scale + offset, per channel (red, green, blue), x in [0, 255].
struct Preprocessing {
  std::array<float, 3> scale = {1 / 127.5f, 1 / 127.5f, 1 / 127.5f};
  std::array<float, 3> offset = {-1, -1, -1};
  bool operator==(const Preprocessing&) const = default;
};

// On the same weights the two differ by up to 3.4 in the pooled features (of the first of the list
// of backbones, measured).
struct Convention {
  Padding padding = Padding::kSame;
  float batch_norm_epsilon = 1e-3f;
  Preprocessing preprocessing{};
  bool operator==(const Convention&) const = default;

  static Convention Keras();        // same padding, 1e-3, x/127.5 - 1
  static Convention Torchvision();  // symmetric padding, 1e-5, (x/255 - mean) / std of ImageNet
};

}  // namespace weir
