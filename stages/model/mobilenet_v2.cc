#include "stages/model/mobilenet_v2.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "framework/error.h"

namespace weir {
namespace {

constexpr int kSmallestInput = 32;
constexpr double kLargestWidth = 10;
constexpr int kStemChannels = 32;
constexpr int kLastChannels = 1280;

// Sandler et al., 2018, table 2: expansion, channels, repeats, first stride.
struct Stage {
  int expansion, channels, repeats, stride;
};
constexpr Stage kStages[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                             {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};

// Keras' and torchvision's _make_divisible(channels, 8).
int RoundChannels(double channels) {
  const int rounded = std::max(8, static_cast<int>(channels + 4) / 8 * 8);
  return rounded < 0.9 * channels ? rounded + 8 : rounded;
}

// Appends layers in the order in which they run.
class TableBuilder {
 public:
  explicit TableBuilder(double width)
      : width_(width), channels_(RoundChannels(kStemChannels * width)) {}

  std::vector<ConvLayer> Build() {
    AddStem();
    for (int stage = 0; stage < static_cast<int>(std::size(kStages)); ++stage) {
      for (int repeat = 0; repeat < kStages[stage].repeats; ++repeat) AddBlock(stage, repeat);
    }
    AddLast();
    return std::move(layers_);
  }

 private:
  void AddStem() {
    layers_.push_back({.name = "Conv1",
                       .batch_norm_name = "bn_Conv1",
                       .torchvision_name = "features.0.0",
                       .torchvision_batch_norm_name = "features.0.1",
                       .timm_name = "conv_stem",
                       .timm_batch_norm_name = "bn1",
                       .kind = LayerKind::kConvolution,
                       .in_channels = 3,
                       .out_channels = channels_,
                       .kernel = 3,
                       .stride = 2,
                       .relu6 = true,
                       .block = 0});
  }

  void AddBlock(int stage, int repeat) {
    const Stage& row = kStages[stage];
    const int stride = repeat == 0 ? row.stride : 1;
    const int in_channels = channels_;
    const int expanded = in_channels * row.expansion;
    const int input_layer = static_cast<int>(layers_.size()) - 1;
    channels_ = RoundChannels(row.channels * width_);
    const std::string keras = block_ == 0 ? "expanded_conv" : "block_" + std::to_string(block_);
    const std::string torchvision = "features." + std::to_string(++block_) + ".conv.";
    const std::string timm = "blocks." + std::to_string(stage) + "." + std::to_string(repeat) + ".";

    const auto add = [&](ConvLayer layer, const std::string& keras_suffix,
                         const std::string& convolution, const std::string& batch_norm,
                         const std::string& timm_convolution, const std::string& timm_batch_norm) {
      layer.name = keras + keras_suffix;
      layer.batch_norm_name = layer.name + "_BN";
      layer.torchvision_name = torchvision + convolution;
      layer.torchvision_batch_norm_name = torchvision + batch_norm;
      layer.timm_name = timm + timm_convolution;
      layer.timm_batch_norm_name = timm + timm_batch_norm;
      layer.block = block_;
      layers_.push_back(std::move(layer));
    };
    ConvLayer expand{.kind = LayerKind::kPointwise,
                     .in_channels = in_channels,
                     .out_channels = expanded,
                     .relu6 = true};
    ConvLayer depthwise{.kind = LayerKind::kDepthwise,
                        .in_channels = expanded,
                        .out_channels = expanded,
                        .kernel = 3,
                        .stride = stride,
                        .groups = expanded,
                        .relu6 = true};
    ConvLayer project{.kind = LayerKind::kPointwise,
                      .in_channels = expanded,
                      .out_channels = channels_,
                      .residual = stride == 1 && in_channels == channels_ ? input_layer : -1};
    if (row.expansion == 1) {
      add(depthwise, "_depthwise", "0.0", "0.1", "conv_dw", "bn1");
      add(project, "_project", "1", "2", "conv_pw", "bn2");
    } else {
      add(expand, "_expand", "0.0", "0.1", "conv_pw", "bn1");
      add(depthwise, "_depthwise", "1.0", "1.1", "conv_dw", "bn2");
      add(project, "_project", "2", "3", "conv_pwl", "bn3");
    }
  }

  void AddLast() {
    layers_.push_back({.name = "Conv_1",
                       .batch_norm_name = "Conv_1_bn",
                       .torchvision_name = "features.18.0",
                       .torchvision_batch_norm_name = "features.18.1",
                       .timm_name = "conv_head",
                       .timm_batch_norm_name = "bn2",
                       .kind = LayerKind::kPointwise,
                       .in_channels = channels_,
                       .out_channels = RoundChannels(kLastChannels * std::max(1.0, width_)),
                       .relu6 = true,
                       .block = block_ + 1});
  }

  const double width_;
  int channels_;
  int block_ = 0;
  std::vector<ConvLayer> layers_;
};

// TensorFlow's 'same' (Keras' correct_pad agrees with it): as much as ceil(size / stride) outputs
// need, the odd pixel after.
void PadAxis(Padding padding, const ConvLayer& layer, int size, int* before, int* after) {
  if (padding == Padding::kSymmetric) {
    *before = *after = (layer.kernel - 1) / 2;
    return;
  }
  const int outputs = (size + layer.stride - 1) / layer.stride;
  const int total = std::max(0, (outputs - 1) * layer.stride + layer.kernel - size);
  *before = total / 2;
  *after = total - *before;
}

// Whether `name` is `module` or a module that holds it, as PyTorch names them ("features.2").
bool HoldsModule(std::string_view name, std::string_view module) {
  return module.starts_with(name) && (module.size() == name.size() || module[name.size()] == '.');
}

bool CoversInKeras(std::string_view name, const ConvLayer& layer) {
  if (name == layer.name || name == layer.batch_norm_name) return true;
  if (layer.name == "Conv_1") return name == "out_relu";
  if (layer.relu6 && name == layer.name + "_relu") return true;
  const std::size_t suffix = layer.name.rfind("_project");
  if (suffix == std::string::npos) return false;
  const std::string block = layer.name.substr(0, suffix);
  return name == block || (layer.residual >= 0 && name == block + "_add");
}

}  // namespace

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

MobileNetV2::MobileNetV2(double width, MapSize input, Convention convention)
    : width_(width), input_(input), convention_(convention) {
  if (!(width > 0 && width <= kLargestWidth)) {
    std::ostringstream what;
    what << "mobilenet_v2: width " << width << " is outside (0, " << kLargestWidth << "]";
    throw Error(
        ErrorKind::kConfig, what.str(),
        "Set width to the alpha that the weights were made with, such as 0.35, 1.0 or 1.4.");
  }
  if (input.height < kSmallestInput || input.width < kSmallestInput) {
    std::ostringstream what;
    what << "mobilenet_v2: an input of " << input.height << " x " << input.width
         << " pixels is smaller than " << kSmallestInput << " x " << kSmallestInput;
    throw Error(ErrorKind::kConfig, what.str(), "Give it larger pictures; 224 x 224 is usual.");
  }
  layers_ = TableBuilder(width).Build();
  output_sizes_.reserve(layers_.size());
  for (int i = 0; i < static_cast<int>(layers_.size()); ++i) {
    const auto [top, left, bottom, right] = pads(i);
    const MapSize in = input_size(i);
    const ConvLayer& layer = layers_[i];
    output_sizes_.push_back({(in.height + top + bottom - layer.kernel) / layer.stride + 1,
                             (in.width + left + right - layer.kernel) / layer.stride + 1});
  }
}

MapSize MobileNetV2::input_size(int layer) const {
  return layer == 0 ? input_ : output_sizes_[layer - 1];
}

MobileNetV2::Pads MobileNetV2::pads(int layer) const {
  const MapSize in = input_size(layer);
  Pads pads{};
  PadAxis(convention_.padding, layers_[layer], in.height, &pads.top, &pads.bottom);
  PadAxis(convention_.padding, layers_[layer], in.width, &pads.left, &pads.right);
  return pads;
}

int MobileNetV2::Find(std::string_view name) const {
  for (int i = static_cast<int>(layers_.size()) - 1; !name.empty() && i >= 0; --i) {
    const ConvLayer& layer = layers_[i];
    if (CoversInKeras(name, layer) || HoldsModule(name, layer.torchvision_name) ||
        HoldsModule(name, layer.torchvision_batch_norm_name) ||
        HoldsModule(name, layer.timm_name) || HoldsModule(name, layer.timm_batch_norm_name)) {
      return i;
    }
  }
  return -1;
}

}  // namespace weir
