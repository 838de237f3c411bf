// MobileNetV2's ImageNet weights that are published, as their publishers describe them.
#pragma once

#include <array>
#include <string_view>

namespace weir {

enum class Publisher { kTorchvision, kTimm, kKeras };

struct PublishedWeights {
  std::string_view name;
  double width;
  Publisher publisher;
  std::string_view url;
  std::string_view sha256;  // its first digits, which the publisher puts in the name; or empty
};

// `imagenet` is, for each width, a file whose digest can be checked. torchvision's are those of
// torchvision/models/mobilenetv2.py (IMAGENET1K_V2, which is its default, and _V1); timm's of
// timm/models/efficientnet.py; Keras' of keras/src/applications/mobilenet_v2.py, which states none.
inline constexpr std::array kPublishedWeights = {
    PublishedWeights{"imagenet", 1.0, Publisher::kTorchvision,
                     "https://download.pytorch.org/models/mobilenet_v2-7ebf99e0.pth", "7ebf99e0"},
    PublishedWeights{"imagenet", 0.5, Publisher::kTimm,
                     "https://github.com/rwightman/pytorch-image-models/releases/download/"
                     "v0.1-weights/mobilenetv2_050-3d30d450.pth",
                     "3d30d450"},
    PublishedWeights{"imagenet", 1.4, Publisher::kTimm,
                     "https://github.com/rwightman/pytorch-image-models/releases/download/"
                     "v0.1-weights/mobilenetv2_140_ra-21a4e913.pth",
                     "21a4e913"},
    PublishedWeights{"imagenet_torchvision", 1.0, Publisher::kTorchvision,
                     "https://download.pytorch.org/models/mobilenet_v2-7ebf99e0.pth", "7ebf99e0"},
    PublishedWeights{"imagenet_torchvision_v1", 1.0, Publisher::kTorchvision,
                     "https://download.pytorch.org/models/mobilenet_v2-b0353104.pth", "b0353104"},
    PublishedWeights{"imagenet_timm", 0.5, Publisher::kTimm,
                     "https://github.com/rwightman/pytorch-image-models/releases/download/"
                     "v0.1-weights/mobilenetv2_050-3d30d450.pth",
                     "3d30d450"},
    PublishedWeights{"imagenet_timm", 1.0, Publisher::kTimm,
                     "https://github.com/rwightman/pytorch-image-models/releases/download/"
                     "v0.1-weights/mobilenetv2_100_ra-b33bc2c4.pth",
                     "b33bc2c4"},
    PublishedWeights{"imagenet_timm", 1.4, Publisher::kTimm,
                     "https://github.com/rwightman/pytorch-image-models/releases/download/"
                     "v0.1-weights/mobilenetv2_140_ra-21a4e913.pth",
                     "21a4e913"},
    PublishedWeights{"imagenet_keras", 0.35, Publisher::kKeras,
                     "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/"
                     "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5",
                     ""},
    PublishedWeights{"imagenet_keras", 0.5, Publisher::kKeras,
                     "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/"
                     "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.5_224_no_top.h5",
                     ""},
    PublishedWeights{"imagenet_keras", 0.75, Publisher::kKeras,
                     "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/"
                     "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.75_224_no_top.h5",
                     ""},
    PublishedWeights{"imagenet_keras", 1.0, Publisher::kKeras,
                     "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/"
                     "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5",
                     ""},
    PublishedWeights{"imagenet_keras", 1.3, Publisher::kKeras,
                     "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/"
                     "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.3_224_no_top.h5",
                     ""},
    PublishedWeights{"imagenet_keras", 1.4, Publisher::kKeras,
                     "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/"
                     "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.4_224_no_top.h5",
                     ""},
};

}  // namespace weir
