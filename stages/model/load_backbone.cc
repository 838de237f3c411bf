#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "framework/error.h"
#include "stages/model/printable.h"
#include "stages/model/weights_file.h"

namespace weir {
namespace {

constexpr std::array kPublishedWidths = {0.35, 0.5, 0.75, 1.0, 1.3, 1.4};  // keras-applications'
constexpr std::size_t kMostListed = 5;
constexpr std::string_view kConventionKey = "weir.convention";
constexpr const char* kEpsilonKey = "weir.batch_norm_epsilon";

struct LayerNames {
  std::string kernel, gamma, beta, mean, variance;
};

// What a backbone's tensors are called, in the order of MobileNetV2::layers().
struct Naming {
  std::vector<LayerNames> layers;
  bool is_keras = false;  // kernels are HWIO, a depthwise one HWCM
};

Naming PyTorchNames(const MobileNetV2& model, const std::string& prefix,
                    std::string ConvLayer::*convolution, std::string ConvLayer::*batch_norm) {
  Naming naming;
  for (const ConvLayer& layer : model.layers()) {
    const std::string norm = prefix + layer.*batch_norm;
    naming.layers.push_back({prefix + layer.*convolution + ".weight", norm + ".weight",
                             norm + ".bias", norm + ".running_mean", norm + ".running_var"});
  }
  return naming;
}

LayerNames KerasLayer(const std::string& convolution, const std::string& kernel,
                      const std::string& batch_norm) {
  return {convolution + kernel, batch_norm + "/gamma", batch_norm + "/beta",
          batch_norm + "/moving_mean", batch_norm + "/moving_variance"};
}

// `depthwise_kernel` is what a depthwise layer calls its own: "depthwise_kernel" until Keras 2,
// "kernel" in 3.
Naming KerasNames(const MobileNetV2& model, const std::string& depthwise_kernel) {
  Naming naming{.layers = {}, .is_keras = true};
  for (const ConvLayer& layer : model.layers()) {
    const bool depthwise = layer.kind == LayerKind::kDepthwise;
    naming.layers.push_back(KerasLayer(layer.name, depthwise ? "/" + depthwise_kernel : "/kernel",
                                       layer.batch_norm_name));
  }
  return naming;
}

// Keras 3 counts the layers of each kind: conv2d, conv2d_1, conv2d_2, ...
Naming KerasPositions(const MobileNetV2& model) {
  Naming naming{.layers = {}, .is_keras = true};
  int convolutions = 0, depthwise = 0, batch_norms = 0;
  const auto numbered = [](const std::string& kind, int& count) {
    const int number = count++;
    return number == 0 ? kind : kind + "_" + std::to_string(number);
  };
  for (const ConvLayer& layer : model.layers()) {
    const std::string convolution = layer.kind == LayerKind::kDepthwise
                                        ? numbered("depthwise_conv2d", depthwise)
                                        : numbered("conv2d", convolutions);
    naming.layers.push_back(
        KerasLayer(convolution, "/kernel", numbered("batch_normalization", batch_norms)));
  }
  return naming;
}

// What stands before `name` in the file: "module." where a DataParallel was saved.
std::string PrefixOf(const WeightsFile& file, const std::string& name) {
  for (const TensorInfo& tensor : file.tensors()) {
    if (tensor.name.ends_with("." + name)) {
      return tensor.name.substr(0, tensor.name.size() - name.size());
    }
  }
  return "";
}

std::size_t CountFound(const WeightsFile& file, const Naming& naming) {
  return static_cast<std::size_t>(std::ranges::count_if(
      naming.layers, [&](const LayerNames& names) { return file.Find(names.kernel) != nullptr; }));
}

// The naming that most of the file's tensors follow; empty if none does.
std::optional<Naming> FindNaming(const WeightsFile& file, const MobileNetV2& model) {
  const ConvLayer& last = model.layers().back();
  const std::string torchvision = PrefixOf(file, last.torchvision_name + ".weight");
  const std::string timm = PrefixOf(file, last.timm_name + ".weight");
  std::array namings = {
      PyTorchNames(model, torchvision, &ConvLayer::torchvision_name,
                   &ConvLayer::torchvision_batch_norm_name),
      PyTorchNames(model, timm, &ConvLayer::timm_name, &ConvLayer::timm_batch_norm_name),
      KerasNames(model, "kernel"), KerasNames(model, "depthwise_kernel"), KerasPositions(model)};
  const auto best = std::ranges::max_element(
      namings, {}, [&](const Naming& naming) { return CountFound(file, naming); });
  if (CountFound(file, *best) == 0) return std::nullopt;
  return std::move(*best);
}

std::vector<std::int64_t> KernelShape(const ConvLayer& layer, bool is_keras) {
  const std::int64_t out = layer.out_channels, in = layer.in_channels / layer.groups;
  const std::int64_t kernel = layer.kernel;
  if (!is_keras) return {out, in, kernel, kernel};
  if (layer.kind == LayerKind::kDepthwise) return {kernel, kernel, out, 1};
  return {kernel, kernel, in, out};
}

std::string Text(std::span<const std::int64_t> shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    text += (i ? ", " : "") + std::to_string(shape[i]);
  }
  return text + "]";
}

// What keeps the file from being this model's weights, a line each.
struct Mismatch {
  std::vector<std::string> missing;
  std::vector<std::string> misshapen;
};

void Compare(const WeightsFile& file, const std::string& name,
             const std::vector<std::int64_t>& shape, Mismatch& mismatch) {
  const TensorInfo* tensor = file.Find(name);
  if (!tensor) {
    mismatch.missing.push_back(name + " is missing");
  } else if (tensor->shape != shape) {
    mismatch.misshapen.push_back(name + " is " + Text(tensor->shape) + " and not " + Text(shape));
  }
}

Mismatch Compare(const WeightsFile& file, const MobileNetV2& model, const Naming& naming) {
  Mismatch mismatch;
  for (std::size_t i = 0; i < naming.layers.size(); ++i) {
    const ConvLayer& layer = model.layers()[i];
    const LayerNames& names = naming.layers[i];
    Compare(file, names.kernel, KernelShape(layer, naming.is_keras), mismatch);
    for (const std::string* name : {&names.gamma, &names.beta, &names.mean, &names.variance}) {
      Compare(file, *name, {layer.out_channels}, mismatch);
    }
  }
  return mismatch;
}

[[noreturn]] void Refuse(const WeightsFile& file, const MobileNetV2& model, const Naming& naming,
                         const Mismatch& mismatch) {
  std::vector<std::string> all = mismatch.misshapen;
  all.insert(all.end(), mismatch.missing.begin(), mismatch.missing.end());
  std::ostringstream what;
  what << file.path().string() << ": " << all.size() << " of " << 5 * naming.layers.size()
       << " tensors do not fit mobilenet_v2 of width " << model.width() << ": ";
  for (std::size_t i = 0; i < std::min(all.size(), kMostListed); ++i) {
    what << (i ? "; " : "") << all[i];
  }
  if (all.size() > kMostListed) what << "; ...";

  std::ostringstream remedy;
  remedy << "give weights of MobileNetV2 with this width";
  for (const double width : kPublishedWidths) {
    const MobileNetV2 other(width, model.input(), model.convention());
    if (!mismatch.misshapen.empty() && Compare(file, other, naming).misshapen.empty()) {
      remedy.str("");
      remedy << "the file looks like width " << width << ": set model.backbone.width to it";
    }
  }
  throw Error(ErrorKind::kData, what.str(), remedy.str());
}

std::vector<float> ReadVector(WeightsFile& file, const std::string& name) {
  const TensorInfo& tensor = *file.Find(name);
  std::vector<float> values(static_cast<std::size_t>(tensor.values()));
  file.Read(tensor, values);
  return values;
}

// [k, k, in, out] to [out, in, k, k]; a depthwise kernel's [k, k, channels, 1] to
// [channels, 1, k, k] is the same with its last two dimensions taken as one.
std::vector<float> ToOihw(const ConvLayer& layer, const std::vector<float>& stored) {
  const std::size_t out = static_cast<std::size_t>(layer.out_channels);
  const std::size_t in = static_cast<std::size_t>(layer.in_channels / layer.groups);
  const std::size_t area = static_cast<std::size_t>(layer.kernel * layer.kernel);
  std::vector<float> kernel(stored.size());
  for (std::size_t o = 0; o < out; ++o) {
    for (std::size_t i = 0; i < in; ++i) {
      for (std::size_t at = 0; at < area; ++at) {
        kernel[(o * in + i) * area + at] = stored[(at * in + i) * out + o];
      }
    }
  }
  return kernel;
}

}  // namespace

LayerReader ReadBackbone(std::shared_ptr<WeightsFile> file, const MobileNetV2& model) {
  std::optional<Naming> naming = FindNaming(*file, model);
  if (!naming) {
    const std::string first = file->tensors().empty() ? "nothing" : file->tensors()[0].name;
    throw Error(ErrorKind::kData,
                file->path().string() + ": holds no MobileNetV2: none of its " +
                    std::to_string(file->tensors().size()) + " tensors (the first is '" +
                    Printable(first) + "') has a name that Keras, torchvision or timm give it",
                "give weights of mobilenet_v2");
  }
  const Mismatch mismatch = Compare(*file, model, *naming);
  if (!mismatch.missing.empty() || !mismatch.misshapen.empty()) {
    Refuse(*file, model, *naming, mismatch);
  }
  return [file = std::move(file), naming = *std::move(naming), layers = model.layers()](int index) {
    const LayerNames& names = naming.layers.at(index);
    ConvWeights weights{.kernel = ReadVector(*file, names.kernel),
                        .gamma = ReadVector(*file, names.gamma),
                        .beta = ReadVector(*file, names.beta),
                        .mean = ReadVector(*file, names.mean),
                        .variance = ReadVector(*file, names.variance)};
    if (naming.is_keras) weights.kernel = ToOihw(layers.at(index), weights.kernel);
    return weights;
  };
}

Convention ConventionOf(const WeightsFile& file) {
  const auto stated = file.metadata().find(std::string(kConventionKey));
  if (stated != file.metadata().end()) {
    if (stated->second == "keras") return Convention::Keras();
    if (stated->second == "torchvision") return Convention::Torchvision();
    throw Error(ErrorKind::kData,
                file.path().string() + ": " + std::string(kConventionKey) + " is '" +
                    Printable(stated->second) + "'",
                "it may be keras or torchvision");
  }
  const bool is_hdf5 = file.format() == WeightsFormat::kKerasLegacyH5 ||
                       file.format() == WeightsFormat::kKerasWeightsH5;
  return is_hdf5 ? Convention::Keras() : Convention::Torchvision();
}

float BatchNormEpsilonOf(const WeightsFile& file) {
  const auto stated = file.metadata().find(kEpsilonKey);
  if (stated == file.metadata().end()) return ConventionOf(file).batch_norm_epsilon;
  char* end = nullptr;
  const float epsilon = std::strtof(stated->second.c_str(), &end);
  if (*end != '\0' || !(epsilon > 0 && epsilon < 1)) {
    throw Error(ErrorKind::kData, file.path().string() + ": the metadata " +
                                      std::string(kEpsilonKey) + " is `" + stated->second +
                                      "`, which is no epsilon");
  }
  return epsilon;
}

}  // namespace weir
