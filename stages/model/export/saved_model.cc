#include "stages/model/export/saved_model.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "framework/error.h"
#include "stages/files/atomic_file.h"
#include "stages/model/backbones/load_backbone.h"
#include "stages/model/weights/safetensors_writer.h"
#include "stages/model/weights/weights_file.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWeights = "model.safetensors";
constexpr const char* kRawWeights = "raw.safetensors";
constexpr const char* kMaps = "int8.safetensors";
constexpr const char* kDescription = "model.json";
constexpr const char* kBelongTogether =
    "The files of a model belong together: copy them all, or write them anew with `weir run "
    "--resume`.";

// What the head's layers keep; the names are the learner's.
std::vector<TensorInfo> HeadTensors(const Model& model) {
  std::vector<TensorInfo> tensors;
  for (int i = 0; i < static_cast<int>(model.head().size()); ++i) {
    for (HeadArray& array : model.head_arrays(i)) {
      tensors.push_back({HeadArrayName(i, array.name), std::move(array.shape)});
    }
  }
  return tensors;
}

void CheckHead(const WeightsFile& file, const Model& model) {
  for (const TensorInfo& wanted : HeadTensors(model)) {
    const TensorInfo* tensor = file.Find(wanted.name);
    if (tensor && tensor->shape == wanted.shape) continue;
    const std::string declared = std::string(kDescription) + " beside it declares";
    throw Error(ErrorKind::kData,
                file.path().string() +
                    (tensor ? " has another shape of " + wanted.name + " than " + declared
                            : " lacks " + wanted.name + ", which " + declared),
                kBelongTogether);
  }
}

std::vector<float> ReadValues(WeightsFile& file, const std::string& name, std::size_t values) {
  const TensorInfo* tensor = file.Find(name);
  if (!tensor || static_cast<std::size_t>(tensor->values()) != values) {
    throw Error(
        ErrorKind::kData,
        file.path().string() + " has no " + name + " of " + std::to_string(values) + " values",
        kBelongTogether);
  }
  std::vector<float> out(values);
  file.Read(*tensor, out);
  return out;
}

void WriteMaps(const fs::path& path, const Backbone& backbone,
               const std::vector<MapStatistics>& maps) {
  std::vector<TensorToWrite> tensors;
  for (std::size_t i = 0; i < maps.size(); ++i) {
    const NetworkLayer& layer = backbone.network().layers()[i];
    const std::string& name = backbone.names(static_cast<int>(i)).convolution;
    tensors.push_back(TensorToWrite::Of(name + ".scale", {}, {&maps[i].scale, 1}));
    tensors.push_back(TensorToWrite::Of(name + ".mean", {layer.out_channels}, maps[i].means));
  }
  WriteSafetensors(path, std::move(tensors));
}

std::vector<MapStatistics> ReadMaps(const fs::path& path, const Backbone& backbone) {
  const auto file = WeightsFile::OpenOwn(path, MappedFile(path));
  std::vector<MapStatistics> maps;
  for (int i = 0; i < backbone.network().size(); ++i) {
    const std::string& name = backbone.names(i).convolution;
    const auto channels = static_cast<std::size_t>(backbone.network().layers()[i].out_channels);
    MapStatistics map{.scale = ReadValues(*file, name + ".scale", 1).front(),
                      .means = ReadValues(*file, name + ".mean", channels)};
    const bool is_sound =
        std::isfinite(map.scale) && map.scale > 0 &&
        std::ranges::all_of(map.means, [](float it) { return std::isfinite(it); });
    if (!is_sound) {
      throw Error(ErrorKind::kData, path.string() + ": the numbers of " + name + " are damaged",
                  kBelongTogether);
    }
    maps.push_back(std::move(map));
  }
  return maps;
}

// What Learner::ForEachTensor gives of the model, in its order, without the values.
std::vector<TensorToWrite> DeclaredTensors(const Model& model) {
  std::vector<TensorToWrite> tensors;
  for (int i = 0; i < model.network().size(); ++i) {
    const NetworkLayer& layer = model.network().layers()[i];
    const auto names = model.backbone().names(i).tensors();
    for (std::size_t tensor = 0; layer.has_weights() && tensor < names.size(); ++tensor) {
      if (names[tensor]->empty()) continue;
      tensors.push_back(
          TensorToWrite::Of(*names[tensor], StoredShape(layer, tensor, /*is_keras=*/false), {}));
    }
  }
  for (const bool learns : {true, false}) {
    for (int i = 0; i < static_cast<int>(model.head().size()); ++i) {
      for (HeadArray& array : model.head_arrays(i)) {
        if (array.learns != learns) continue;
        tensors.push_back(
            TensorToWrite::Of(HeadArrayName(i, array.name), std::move(array.shape), {}));
      }
    }
  }
  return tensors;
}

void WriteWeights(const fs::path& path, const Model& model, const Learner& learner) {
  const std::vector<TensorToWrite> tensors = DeclaredTensors(model);
  const Convention& convention = model.network().convention();
  std::ostringstream epsilon;
  epsilon << convention.batch_norm_epsilon;
  const bool keras = convention.padding == Padding::kSame;
  SafetensorsStream file(path, tensors,
                         {{"weir.convention", keras ? "keras" : "torchvision"},
                          {"weir.batch_norm_epsilon", epsilon.str()}});
  std::size_t written = 0;
  learner.ForEachTensor([&](const NamedTensor& tensor) {
    if (written == tensors.size() || tensors[written].name != tensor.name ||
        tensors[written].shape != tensor.shape) {
      throw Error(ErrorKind::kInternal, tensor.name + " is not what the model declares there");
    }
    file.Write(std::as_bytes(tensor.values));
    ++written;
  });
  if (written < tensors.size()) {
    throw Error(ErrorKind::kInternal, tensors[written].name + " is declared, and was not given");
  }
  file.Commit();
}

}  // namespace

void SaveModel(const fs::path& folder, const Model& model, const Learner& learner,
               const std::vector<MapStatistics>* maps, const ModelUse& use,
               const ModelOrigin& origin) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    throw Error(ErrorKind::kData,
                "cannot make the folder " + folder.string() + ": " + error.message(),
                "Give another folder with --out.");
  }
  WriteWeights(folder / kWeights, model, learner);
  if (maps) WriteMaps(folder / kMaps, model.backbone(), *maps);
  AtomicFile file(folder / kDescription);
  Describe(model, use, origin,
           [&](std::string_view piece) { file.Write(std::as_bytes(std::span(piece))); });
  file.Commit();
}

void SaveRawWeights(const fs::path& folder, const Model& model, const Learner& learner) {
  WriteWeights(folder / kRawWeights, model, learner);
}

int EpochOfSavedModel(const fs::path& folder) {
  const int epoch = ReadModelDescription(folder / kDescription).epoch;
  WeightsFile::OpenOwn(folder / kWeights, MappedFile(folder / kWeights));
  for (const char* const beside : {kRawWeights, kMaps}) {
    const fs::path path = folder / beside;
    std::error_code unknown;
    if (fs::exists(path, unknown)) WeightsFile::OpenOwn(path, MappedFile(path));
  }
  return epoch;
}

SavedModel LoadSavedModel(const fs::path& folder,
                          const std::function<MappedFile(const fs::path&)>& map) {
  ModelDescription description = ReadModelDescription(folder / kDescription);
  const fs::path weights = folder / kWeights;
  // Mapped once, so that all comes from one file where another replaces it meanwhile.
  const MappedFile mapped = map(weights);
  SavedModel saved;
  const auto classes = std::make_shared<std::vector<std::string>>(std::move(description.classes));
  try {
    const Model model(description.config, description.convention, description.input, classes,
                      /*seed=*/0);
    model.CheckClassifier();
    CheckHead(*WeightsFile::OpenOwn(weights, mapped), model);
    if (fs::exists(folder / kMaps)) {
      saved.source.maps = std::make_shared<const std::vector<MapStatistics>>(
          ReadMaps(folder / kMaps, model.backbone()));
    }
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kData) throw;
    throw Error(ErrorKind::kData, (folder / kDescription).string() + ": " + error.what(),
                kBelongTogether);
  }
  saved.classes = std::move(*classes);  // nobody else has them any more
  saved.input = description.input;
  saved.use = std::move(description.use);
  saved.source.config = std::move(description.config);
  saved.source.config.backbone.weights = fs::absolute(weights).string();
  saved.source.convention = description.convention;
  saved.source.open_backbone = [weights, mapped](const Model& model) {
    return ReadBackbone(WeightsFile::OpenOwn(weights, mapped), model.backbone());
  };
  saved.source.load_head = [weights, mapped](const Model&, int layer, const HeadArray& array,
                                             const auto&) {
    return ReadValues(*WeightsFile::OpenOwn(weights, mapped), HeadArrayName(layer, array.name),
                      array.values());
  };
  return saved;
}

}  // namespace weir
