#include "pipelines/job/model_setup.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipelines/job/signals.h"
#include "pipelines/report/download_line.h"
#include "stages/files/cache_folder.h"
#include "stages/model/backbones/fetch_weights.h"
#include "stages/model/backbones/load_backbone.h"
#include "stages/model/backbones/weights_source.h"
#include "stages/model/export/warm_start.h"
#include "stages/model/weights/weights_file.h"
#include "stages/model/weights/weights_formats.h"

namespace weir {
namespace {

// What a file says of itself, and the user's own word where there is one. The batch norms' epsilon
// belongs to who made the file, whatever the padding.
Convention ConventionFor(ConventionChoice choice, const WeightsSource& source, WeightsFile* file) {
  Convention convention = Convention::Keras();
  if (file) {
    convention = ConventionOf(*file);
  } else if (source.convention) {
    convention = *source.convention;
  } else if (source.kind != WeightsSource::Kind::kNone && !IsNameOfKeras(source.url)) {
    convention = Convention::Torchvision();
  }
  if (source.convention) convention = *source.convention;
  if (choice == ConventionChoice::kKeras) convention = Convention::Keras();
  if (choice == ConventionChoice::kTorchvision) convention = Convention::Torchvision();
  if (file) convention.batch_norm_epsilon = BatchNormEpsilonOf(*file);
  return convention;
}

// A run reads weights again when it writes its model, perhaps days later.
MappedFile Mapped(const std::filesystem::path& path, Fetching fetching) {
  return fetching == Fetching::kAllowed ? MappedFile::Kept(path, CacheFolder()) : MappedFile(path);
}

std::shared_ptr<ModelSource> BeginWithRun(const ModelConfig& model, Fetching fetching) {
  const std::filesystem::path folder = ModelFolderOf(model.from);
  const auto map = [fetching](const std::filesystem::path& path) { return Mapped(path, fetching); };
  return WarmStart(model, LoadSavedModel(folder, map), folder);
}

// A model of weir's has a head beside the backbone. Gives what is said of it.
std::vector<std::string> NoteUnusedHead(const WeightsFile& file) {
  const bool has_head = std::ranges::any_of(
      file.tensors(), [](const TensorInfo& tensor) { return tensor.name.starts_with("head."); });
  if (!has_head || !file.metadata().contains("weir.convention")) return {};
  return {file.path().string() +
          " has a head too, which is not used: the head begins anew; `model.from` in place of "
          "`weights` takes it over"};
}

}  // namespace

std::shared_ptr<ModelSource> SetUpModel(const ModelConfig& model, Fetching fetching) {
  if (!model.from.empty()) return BeginWithRun(model, fetching);
  const BackboneConfig& backbone = model.backbone;
  const WeightsSource source = ParseWeightsSource(backbone.weights, backbone.sha256,
                                                  FindBackbone(backbone.name), backbone.width);
  std::optional<std::filesystem::path> path;
  if (source.kind == WeightsSource::Kind::kPath ||
      (source.kind == WeightsSource::Kind::kUrl && fetching == Fetching::kAllowed)) {
    DownloadLine line;
    path = Fetch(source, CacheFolder(), [&](const DownloadProgress& progress) {
      line.Show(progress);
      return !SignalReceived();
    });
  }
  std::optional<MappedFile> mapped;
  std::unique_ptr<WeightsFile> file;
  if (path) {
    mapped = Mapped(*path, fetching);
    file = WeightsFile::Open(*path, *mapped);
  }

  auto result = std::make_shared<ModelSource>();
  result->config = model;
  result->convention = ConventionFor(backbone.convention, source, file.get());
  if (file) {
    result->opening_bytes = file->opening_bytes();
    result->about = [lines = NoteUnusedHead(*file)](const Model&) { return lines; };
  }
  if (source.kind == WeightsSource::Kind::kNone) {
    result->open_backbone = [](const Model& declared) {
      return RandomLayers(declared.network(), declared.seed());
    };
  } else if (path) {
    result->open_backbone = [path = *path, mapped = *mapped,
                             prefix = backbone.prefix](const Model& declared) {
      return ReadBackbone(WeightsFile::Open(path, mapped), declared.backbone(), prefix);
    };
  }
  return result;
}

std::shared_ptr<ModelSource> ModelOf(const Recipe& recipe, Fetching fetching) {
  return recipe.has_model ? SetUpModel(recipe.model, fetching) : nullptr;
}

}  // namespace weir
