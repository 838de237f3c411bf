// drawn_tflite FOLDER: TensorFlow Lite files of drawn networks which between them have every
// operation, and what each computes of some pictures by the definition of its operations, in
// double: NAME.tflite, NAME.images as it is fed them, NAME.wanted [pictures, classes] in float32.
// What LiteRT makes of them is litert_test.py's.
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "framework/random.h"
#include "stages/features/onednn/onednn_prefix.h"
#include "stages/features/onednn/quantization.h"
#include "stages/model/export/formats/tflite/tflite_format.h"
#include "tests/stages/model/export/formats/exported_graphs.h"

namespace weir {
namespace {

constexpr int kPictures = 3;

using Pixels = std::vector<std::uint8_t>;

Pixels PictureOf(MapSize size, int index) {
  Pixels pixels(std::size_t{3} * size.height * size.width);
  CounterRandom random(1, "picture", 0, index);
  for (std::uint8_t& value : pixels) value = static_cast<std::uint8_t>(random.Next());
  return pixels;
}

// What each picture is as the network is fed it.
ExactValue FedOf(const InferenceGraph& graph, const Pixels& pixels) {
  const MapSize size = graph.model().network().input();
  const auto& [scale, offset] = graph.model().preprocessing();
  ExactValue fed{{size.height, size.width, 3}, {}};
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    const std::size_t c = i % 3;
    fed.values.push_back(graph.picture_zero() ? pixels[i] - (*graph.picture_zero()).at(c)
                                              : pixels[i] * double{scale[c]} + offset[c]);
  }
  return fed;
}

template <class T>
void Append(AtomicFile& file, const std::vector<T>& values) {
  file.Write(std::as_bytes(std::span(values)));
}

void WriteAll(const std::filesystem::path& name, const InferenceGraph& graph, ExportInput input) {
  AtomicFile model(name.string() + ".tflite"), images(name.string() + ".images"),
      wanted(name.string() + ".wanted");
  kTfliteFormat.write({.graph = graph, .input = input}, model);
  for (int i = 0; i < kPictures; ++i) {
    const Pixels pixels = PictureOf(graph.model().network().input(), i);
    const ExactValue fed = FedOf(graph, pixels);
    if (input == ExportInput::kFloat) {
      Append(images, std::vector<float>(fed.values.begin(), fed.values.end()));
    } else {
      Append(images, pixels);
    }
    const std::vector<double> values = InferExactly(graph, fed).back().values;
    Append(wanted, std::vector<float>(values.begin(), values.end()));
  }
  for (AtomicFile* file : {&model, &images, &wanted}) file->Commit();
}

// Measured on the first picture.
std::vector<MapStatistics> MapsOf(const Network& network) {
  MapMeter meter(network);
  PrefixOptions options{.last_layer = network.size() - 1, .watch = meter.Watcher()};
  options.preprocessing = network.convention().preprocessing;
  const auto prefix = MakeOneDnnPrefix(network, RandomLayers(network, 5), options);
  std::vector<float> features(prefix->output_values());
  prefix->Run(PictureOf(network.input(), 0).data(), *prefix->MakeWorkspace(), features.data());
  return meter.Finish();
}

// Those whose operations `precision: int8` runs, in a few layers: in many of them that are drawn, a
// byte that is rounded the other way moves everything.
bool IsForInt8(const std::string& name) {
  static const std::set<std::string> names = {
      "a chain", "add, then activate", "two adds on one map", "a branch", "groups and dilation"};
  return names.contains(name);
}

void WriteAllTo(const std::filesystem::path& folder) {
  const Head head = {HeadBatchNorm(),
                     HeadMaxPooling(),
                     HeadDense(5, Activation::kTanh),
                     HeadBatchNorm(),
                     HeadDense(4, Activation::kRelu6),
                     HeadDenseOfClasses()};
  const Head flat = {HeadFlatten(), HeadBatchNorm(), HeadDense(5, Activation::kSigmoid),
                     HeadDense(4, Activation::kRelu), HeadDenseOfClasses()};
  for (const auto& [of, convention] : {std::pair{"keras ", Convention::Keras()},
                                       std::pair{"torchvision ", Convention::Torchvision()}}) {
    std::vector<DrawnNetwork> networks = DrawnNetworks(convention);
    networks.push_back({"mobilenet_v2", Small(convention)});
    for (const DrawnNetwork& drawn : networks) {
      const std::filesystem::path name = folder / (of + drawn.name);
      WriteAll(name.string() + ", bytes", GraphOf(drawn.backbone), ExportInput::kUint8);
      WriteAll(name.string() + ", numbers", GraphOf(drawn.backbone, head), ExportInput::kFloat);
      WriteAll(name.string() + ", batch norms kept", GraphOf(drawn.backbone, flat, true),
               ExportInput::kFloat);
      if (!IsForInt8(drawn.name)) continue;
      WriteAll(name.string() + ", int8", Int8GraphOf(drawn.backbone, MapsOf(drawn.network())),
               ExportInput::kUint8);
    }
  }
}

}  // namespace
}  // namespace weir

int main(int, char** arguments) {
  try {
    weir::WriteAllTo(arguments[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
