#include "stages/model/backbones/load_backbone.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>
#include <system_error>
#include <utility>
#include <vector>

#include "framework/error.h"
#include "framework/text.h"
#include "stages/model/backbones/find_network.h"
#include "stages/model/weights/weights_format.h"

namespace weir {
namespace {

constexpr const char* kConventionKey = "weir.convention";
constexpr const char* kEpsilonKey = "weir.batch_norm_epsilon";

[[noreturn]] void RefuseNumbers(const WeightsFile& file, const std::string& name,
                                const std::string& what) {
  throw Error(ErrorKind::kData, file.path().string() + ": tensor '" + Printable(name) + "' " + what,
              "the training or the conversion that wrote the file went wrong: give other weights");
}

// Refuses what is no number: behind a ReLU6 it would not be seen in any output.
std::vector<float> ReadTensor(WeightsFile& file, const std::string& name) {
  const TensorInfo& tensor = *file.Find(name);
  std::vector<float> values(static_cast<std::size_t>(tensor.values()));
  file.Read(tensor, values);
  const auto wrong = std::ranges::count_if(values, [](float it) { return !std::isfinite(it); });
  if (wrong > 0) {
    RefuseNumbers(file, name,
                  "holds NaN or infinity in " + std::to_string(wrong) + " of its " +
                      std::to_string(values.size()) + " numbers");
  }
  return values;
}

std::vector<float> ReadVariance(WeightsFile& file, const std::string& name) {
  std::vector<float> values = ReadTensor(file, name);
  const auto negative = std::ranges::find_if(values, [](float it) { return it < 0; });
  if (negative != values.end()) {
    std::ostringstream what;
    what << "is a variance and holds " << *negative;
    RefuseNumbers(file, name, what.str());
  }
  return values;
}

// [k, k, in, out] to [out, in, k, k]; a depthwise kernel's [k, k, channels, 1] to
// [channels, 1, k, k] is the same with its last two dimensions taken as one.
std::vector<float> ToOihw(const NetworkLayer& layer, const std::vector<float>& stored) {
  const auto out = static_cast<std::size_t>(layer.out_channels);
  const auto in = static_cast<std::size_t>(layer.in_channels / layer.groups);
  const auto side = static_cast<std::size_t>(layer.kernel), area = side * side;
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

LayerReader ReadBackbone(std::shared_ptr<WeightsFile> file, const Backbone& backbone,
                         const std::string& prefix) {
  Naming naming = FindNetwork(*file, backbone, prefix);
  return [file = std::move(file), naming = std::move(naming),
          layers = backbone.network().layers()](int index) {
    const LayerNames& names = naming.layers.at(index);
    const auto read = [&](const std::string& name) {
      return name.empty() ? std::vector<float>() : ReadTensor(*file, name);
    };
    ConvWeights weights{.kernel = read(names.kernel),
                        .gamma = read(names.gamma),
                        .beta = read(names.beta),
                        .mean = read(names.mean),
                        .variance = names.variance.empty() ? std::vector<float>()
                                                           : ReadVariance(*file, names.variance)};
    if (naming.is_keras) weights.kernel = ToOihw(layers.at(index), weights.kernel);
    return weights;
  };
}

Convention ConventionOf(const WeightsFile& file) {
  const auto stated = file.metadata().find(kConventionKey);
  if (stated != file.metadata().end()) {
    if (stated->second == "keras") return Convention::Keras();
    if (stated->second == "torchvision") return Convention::Torchvision();
    throw Error(
        ErrorKind::kData,
        file.path().string() + ": " + kConventionKey + " is '" + Printable(stated->second) + "'",
        "it may be keras or torchvision");
  }
  const bool is_from_tensor_flow = std::ranges::any_of(
      file.tensors(), [](const TensorInfo& tensor) { return IsFromTensorFlow(tensor.name); });
  return file.format().is_of_keras || is_from_tensor_flow ? Convention::Keras()
                                                          : Convention::Torchvision();
}

float BatchNormEpsilonOf(const WeightsFile& file) {
  const auto stated = file.metadata().find(kEpsilonKey);
  if (stated == file.metadata().end()) return ConventionOf(file).batch_norm_epsilon;
  const std::string& text = stated->second;
  float epsilon = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), epsilon);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  if (!is_number || !(epsilon > 0 && epsilon < 1)) {
    throw Error(ErrorKind::kData,
                file.path().string() + ": " + kEpsilonKey + " is '" + Printable(text) + "'",
                "it may be a number between 0 and 1");
  }
  return epsilon;
}

}  // namespace weir
