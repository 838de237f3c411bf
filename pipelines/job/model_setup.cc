#include "pipelines/job/model_setup.h"

#include <filesystem>
#include <optional>
#include <utility>

#include "pipelines/job/signals.h"
#include "pipelines/report/download_line.h"
#include "stages/files/cache_folder.h"
#include "stages/model/backbones/load_backbone.h"
#include "stages/model/backbones/weights_source.h"
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

}  // namespace

std::shared_ptr<ModelSource> SetUpModel(const ModelConfig& model, Fetching fetching) {
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
  // A run reads the weights again when it writes its model, perhaps days later.
  std::optional<MappedFile> mapped;
  std::unique_ptr<WeightsFile> file;
  if (path) {
    mapped =
        fetching == Fetching::kAllowed ? MappedFile::Kept(*path, CacheFolder()) : MappedFile(*path);
    file = WeightsFile::Open(*path, *mapped);
  }

  auto result = std::make_shared<ModelSource>();
  result->config = model;
  result->convention = ConventionFor(backbone.convention, source, file.get());
  if (file) result->opening_bytes = file->opening_bytes();
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

}  // namespace weir
