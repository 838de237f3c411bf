// MobileNetV2 as a table of its convolutions (Sandler et al., 2018, table 2), the one description
// from which the oneDNN prefix, the LibTorch model, the weight loaders and the plan are all built.
//
// Cheap: no weights are held here. Immutable after construction, so any thread may read it.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

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

// Two published conventions that differ on the same weights (by up to 3.4 in the pooled features).
struct Convention {
  Padding padding = Padding::kSame;
  float batch_norm_epsilon = 1e-3f;
  Preprocessing preprocessing{};
  bool operator==(const Convention&) const = default;

  static Convention Keras();        // same padding, 1e-3, x/127.5 - 1
  static Convention Torchvision();  // symmetric padding, 1e-5, (x/255 - mean) / std of ImageNet
};

enum class LayerKind { kConvolution, kDepthwise, kPointwise };

// A convolution with its batch norm, and what follows it.
struct ConvLayer {
  std::string name{};                         // Keras': "Conv1", "block_1_expand"
  std::string batch_norm_name{};              // Keras': "bn_Conv1", "block_1_expand_BN"
  std::string torchvision_name{};             // "features.2.conv.0.0"
  std::string torchvision_batch_norm_name{};  // "features.2.conv.0.1"
  std::string timm_name{};                    // "blocks.1.0.conv_pw"
  std::string timm_batch_norm_name{};         // "blocks.1.0.bn1"
  LayerKind kind = LayerKind::kConvolution;
  int in_channels = 0;
  int out_channels = 0;
  int kernel = 1;  // square
  int stride = 1;
  int groups = 1;
  bool relu6 = false;
  int residual = -1;  // index of the layer whose output is added to this one's; -1 where none is
  int block = 0;      // 0 the stem, 1..17 the inverted residuals, 18 the last 1x1
};

// Sizes of a map, in pixels.
struct MapSize {
  int height = 0;
  int width = 0;
  bool operator==(const MapSize&) const = default;
};

class MobileNetV2 {
 public:
  // `width` is Keras' alpha: channels are rounded to multiples of 8 and never fall by more than a
  // tenth; the last layer keeps 1280 channels below 1.0. `input` is at least 32 x 32.
  // Throws Error(kConfig) outside that.
  MobileNetV2(double width, MapSize input, Convention convention);

  double width() const { return width_; }
  MapSize input() const { return input_; }
  const Convention& convention() const { return convention_; }

  const std::vector<ConvLayer>& layers() const { return layers_; }
  MapSize input_size(int layer) const;  // of the map that the layer reads
  MapSize output_size(int layer) const { return output_sizes_[layer]; }
  int out_channels() const { return layers_.back().out_channels; }

  // The padding before a layer's rows, columns and after them, in pixels.
  struct Pads {
    int top, left, bottom, right;
  };
  Pads pads(int layer) const;

  // The index of the last layer that `name` covers: a layer of either convention
  // ("block_13_expand", "features.14.conv.0.0"), a block ("block_13", "features.14") or one of
  // Keras' derived layers
  // ("block_13_expand_relu", "block_13_add", "out_relu"). -1 if there is none.
  int Find(std::string_view name) const;

 private:
  double width_;
  MapSize input_;
  Convention convention_;
  std::vector<ConvLayer> layers_;
  std::vector<MapSize> output_sizes_;
};

}  // namespace weir
