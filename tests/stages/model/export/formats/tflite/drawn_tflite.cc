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

#include "stages/features/onednn/onednn_prefix.h"
#include "stages/features/onednn/quantization.h"
#include "stages/model/export/formats/tflite/tflite_format.h"
#include "tests/stages/model/export/formats/exported_graphs.h"

namespace weir {
namespace {

constexpr int kPictures = 3;

template <class T>
void Append(AtomicFile& file, const std::vector<T>& values) {
  file.Write(std::as_bytes(std::span(values)));
}

void WriteAll(const std::filesystem::path& name, const InferenceGraph& graph, ExportInput input) {
  AtomicFile model(name.string() + ".tflite"), images(name.string() + ".images"),
      wanted(name.string() + ".wanted");
  kTfliteFormat.write({.graph = graph, .input = input}, model);
  for (int i = 0; i < kPictures; ++i) {
    const std::vector<std::uint8_t> pixels = DrawnPicture(graph.model().network().input(), i);
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
  prefix->Run(DrawnPicture(network.input(), 0).data(), *prefix->MakeWorkspace(), features.data());
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
  for (const auto& [of, convention] : {std::pair{"keras ", Convention::Keras()},
                                       std::pair{"torchvision ", Convention::Torchvision()}}) {
    std::vector<DrawnNetwork> networks = DrawnNetworks(convention);
    networks.push_back({"mobilenet_v2", Small(convention)});
    for (const DrawnNetwork& drawn : networks) {
      const std::filesystem::path name = folder / (of + drawn.name);
      WriteAll(name.string() + ", bytes", GraphOf(drawn.backbone), ExportInput::kUint8);
      WriteAll(name.string() + ", numbers", GraphOf(drawn.backbone, kLongHead),
               ExportInput::kFloat);
      WriteAll(name.string() + ", batch norms kept", GraphOf(drawn.backbone, kFlatHead, true),
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
