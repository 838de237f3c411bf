#include "stages/model/backbones/mobilenet_v2.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace weir {
namespace {

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

// What the publishers call one convolution, and its batch norm after it.
struct Names {
  std::string keras, keras_norm;
  std::string torchvision, torchvision_norm;
  std::string timm, timm_norm;
  std::string transformers;  // the module that holds both
};

// Appends operations in the order in which they run, and their names.
class Builder {
 public:
  explicit Builder(double width) : width_(width), channels_(RoundChannels(kStemChannels * width)) {}

  BackboneParts Build() {
    AddStem();
    for (int stage = 0; stage < static_cast<int>(std::size(kStages)); ++stage) {
      for (int repeat = 0; repeat < kStages[stage].repeats; ++repeat) AddBlock(stage, repeat);
    }
    AddLast();
    Naming torchvision_features = WithoutFolder(torchvision_);
    return {std::move(operations_),
            {std::move(torchvision_), std::move(timm_), std::move(keras_), std::move(keras_2_),
             std::move(positions_), std::move(transformers_), std::move(torchvision_features)}};
  }

 private:
  void AddStem() {
    const Names names = {.keras = "Conv1",
                         .keras_norm = "bn_Conv1",
                         .torchvision = "features.0.0",
                         .torchvision_norm = "features.0.1",
                         .timm = "conv_stem",
                         .timm_norm = "bn1",
                         .transformers = "conv_stem.first_conv"};
    block_name_ = names.keras;
    AddConv({.out_channels = channels_, .kernel = 3, .stride = 2}, names);
    AddRelu6(names.keras + "_relu");
  }

  // The low-memory mode computes the stem and the first block as one segment: the stem's map, the
  // largest of all, is then never kept.
  void AddBlock(int stage, int repeat) {
    const Stage& row = kStages[stage];
    const int stride = repeat == 0 ? row.stride : 1;
    const int in_channels = channels_, expanded = channels_ * row.expansion;
    const int input = last();
    channels_ = RoundChannels(row.channels * width_);
    block_name_ = block_ == 0 ? "expanded_conv" : "block_" + std::to_string(block_);
    segment_ = block_++;
    const bool expands = row.expansion > 1;
    const std::string torchvision = "features." + std::to_string(block_) + ".conv.";
    const std::string timm = "blocks." + std::to_string(stage) + "." + std::to_string(repeat) + ".";
    const std::string transformers =
        block_ == 1 ? "conv_stem." : "layer." + std::to_string(block_ - 2) + ".";
    int norms = 0, modules = 0;  // counted in each block, by timm and torchvision
    const auto names = [&](const std::string& keras, const char* of_timm,
                           const char* of_transformers, bool is_last) {
      const std::string module = torchvision + std::to_string(modules++);
      const std::string after = torchvision + std::to_string(modules);
      return Names{.keras = block_name_ + keras,
                   .keras_norm = block_name_ + keras + "_BN",
                   .torchvision = is_last ? module : module + ".0",
                   .torchvision_norm = is_last ? after : module + ".1",
                   .timm = timm + of_timm,
                   .timm_norm = timm + "bn" + std::to_string(++norms),
                   .transformers = transformers + of_transformers};
    };
    if (expands) {
      AddConv({.out_channels = expanded}, names("_expand", "conv_pw", "expand_1x1", false));
      AddRelu6(block_name_ + "_expand_relu");
    }
    AddConv({.out_channels = expanded, .kernel = 3, .stride = stride, .groups = expanded},
            names("_depthwise", "conv_dw", "conv_3x3", false));
    AddRelu6(block_name_ + "_depthwise_relu");
    AddConv({.out_channels = channels_},
            names("_project", expands ? "conv_pwl" : "conv_pw", "reduce_1x1", true));
    if (stride == 1 && in_channels == channels_) Append(block_name_ + "_add", Add{.from = input});
  }

  void AddLast() {
    const Names names = {.keras = "Conv_1",
                         .keras_norm = "Conv_1_bn",
                         .torchvision = "features.18.0",
                         .torchvision_norm = "features.18.1",
                         .timm = "conv_head",
                         .timm_norm = "bn2",
                         .transformers = "conv_1x1"};
    block_name_ = names.keras;
    segment_ = block_;
    AddConv({.out_channels = RoundChannels(kLastChannels * std::max(1.0, width_))}, names);
    AddRelu6("out_relu");
  }

  int last() const { return static_cast<int>(operations_.size()) - 1; }

  template <class Kind>
  void Append(const std::string& name, Kind kind) {
    operations_.push_back(
        {.name = name, .block = block_name_, .input = last(), .segment = segment_, .kind = kind});
  }

  void AddRelu6(const std::string& name) {
    Append(name, Activate{.function = Nonlinearity::kRelu6});
  }

  void AddConv(const Conv& conv, const Names& names) {
    const bool is_depthwise = conv.groups > 1;
    Append(names.keras, conv);
    torchvision_.layers.push_back(PyTorchLayer(names.torchvision, names.torchvision_norm));
    timm_.layers.push_back(PyTorchLayer(names.timm, names.timm_norm));
    keras_.layers.push_back(KerasLayer(names.keras, "kernel", names.keras_norm));
    keras_2_.layers.push_back(
        KerasLayer(names.keras, is_depthwise ? "depthwise_kernel" : "kernel", names.keras_norm));
    positions_.layers.push_back(next_position_.Next(is_depthwise));
    transformers_.layers.push_back(
        PyTorchLayer(names.transformers + ".convolution", names.transformers + ".normalization"));
  }

  const double width_;
  int channels_;
  int block_ = 0;
  int segment_ = 0;
  std::string block_name_;
  std::vector<Operation> operations_;
  KerasPositions next_position_;
  Naming torchvision_{
      .publisher = "torchvision", .layers = {}, .names_layers = true, .folder = "features."};
  Naming timm_{.publisher = "timm", .layers = {}, .names_layers = true};
  Naming keras_{.publisher = "Keras", .layers = {}, .is_keras = true, .names_layers = true};
  // Until Keras 2 a depthwise layer calls its own "depthwise_kernel".
  Naming keras_2_{.publisher = "Keras", .layers = {}, .is_keras = true};
  Naming positions_{.publisher = "Keras", .layers = {}, .is_keras = true};
  // transformers/models/mobilenet_v2/modeling_mobilenet_v2.py: the stem holds the first block too.
  Naming transformers_{.publisher = "transformers", .layers = {}};
};

BackboneParts Parts(double width) { return Builder(width).Build(); }

// No published file is longer: that of width 1.4 has 25 MB.
constexpr std::uint64_t kLargestFileBytes = std::uint64_t{64} << 20;

// `imagenet` is, for each width, a file whose digest can be checked. torchvision's are those of
// torchvision/models/mobilenetv2.py (IMAGENET1K_V2, which is its default, and _V1); timm's of
// timm/models/efficientnet.py; Keras' of keras/src/applications/mobilenet_v2.py, which states none.
constexpr PublishedWeights kPublished[] = {
    {"imagenet", 1.0, Publisher::kTorchvision,
     "https://download.pytorch.org/models/mobilenet_v2-7ebf99e0.pth", "7ebf99e0"},
    {"imagenet", 0.5, Publisher::kTimm,
     "https://github.com/rwightman/pytorch-image-models/releases/download/"
     "v0.1-weights/mobilenetv2_050-3d30d450.pth",
     "3d30d450"},
    {"imagenet", 1.4, Publisher::kTimm,
     "https://github.com/rwightman/pytorch-image-models/releases/download/"
     "v0.1-weights/mobilenetv2_140_ra-21a4e913.pth",
     "21a4e913"},
    {"imagenet_torchvision", 1.0, Publisher::kTorchvision,
     "https://download.pytorch.org/models/mobilenet_v2-7ebf99e0.pth", "7ebf99e0"},
    {"imagenet_torchvision_v1", 1.0, Publisher::kTorchvision,
     "https://download.pytorch.org/models/mobilenet_v2-b0353104.pth", "b0353104"},
    {"imagenet_timm", 0.5, Publisher::kTimm,
     "https://github.com/rwightman/pytorch-image-models/releases/download/"
     "v0.1-weights/mobilenetv2_050-3d30d450.pth",
     "3d30d450"},
    {"imagenet_timm", 1.0, Publisher::kTimm,
     "https://github.com/rwightman/pytorch-image-models/releases/download/"
     "v0.1-weights/mobilenetv2_100_ra-b33bc2c4.pth",
     "b33bc2c4"},
    {"imagenet_timm", 1.4, Publisher::kTimm,
     "https://github.com/rwightman/pytorch-image-models/releases/download/"
     "v0.1-weights/mobilenetv2_140_ra-21a4e913.pth",
     "21a4e913"},
    {"imagenet_keras", 0.35, Publisher::kKeras,
     "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/"
     "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5",
     ""},
    {"imagenet_keras", 0.5, Publisher::kKeras,
     "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/"
     "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.5_224_no_top.h5",
     ""},
    {"imagenet_keras", 0.75, Publisher::kKeras,
     "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/"
     "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.75_224_no_top.h5",
     ""},
    {"imagenet_keras", 1.0, Publisher::kKeras,
     "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/"
     "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5",
     ""},
    {"imagenet_keras", 1.3, Publisher::kKeras,
     "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/"
     "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.3_224_no_top.h5",
     ""},
    {"imagenet_keras", 1.4, Publisher::kKeras,
     "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/"
     "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.4_224_no_top.h5",
     ""},
};

}  // namespace

constinit const BackboneKind kMobileNetV2 = {.name = "mobilenet_v2",
                                             .title = "MobileNetV2",
                                             .blocks = "block_12 or features.13",
                                             .patterns = "block_1_* or features.3",
                                             .largest_width = 10,
                                             .published = kPublished,
                                             .largest_file_bytes = kLargestFileBytes,
                                             .smallest_side = 32,
                                             .parts = &Parts};

}  // namespace weir
