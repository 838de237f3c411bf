#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "framework/config/suggestion.h"
#include "framework/error.h"
#include "framework/text.h"
#include "pipelines/commands/commands.h"
#include "pipelines/export/export_check.h"
#include "pipelines/job/trained_session.h"
#include "pipelines/recipe/recipe.h"
#include "stages/augment/crops.h"
#include "stages/files/atomic_file.h"
#include "stages/files/sha256.h"
#include "stages/model/export/inference/inference_graph.h"
#include "stages/model/export/saved_model.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

// Where the model lies, and the run that it is of.
struct Source {
  fs::path model;  // the folder with model.json
  fs::path run;    // empty where that is not the model/ of a run
};

Source SourceOf(const fs::path& run) {
  std::error_code unknown;
  if (fs::exists(run / "model.json", unknown)) {
    const fs::path parent = fs::absolute(run / "model.json").parent_path().parent_path();
    const bool is_of_run = fs::exists(parent / "config.yaml", unknown) &&
                           fs::equivalent(parent / "model", run, unknown);
    return {run, is_of_run ? parent : fs::path()};
  }
  CheckIsTrainedRun(run);
  return {run / "model", run};
}

void CheckIsFree(const fs::path& out, bool force) {
  std::error_code unknown;
  if (force || !fs::exists(fs::symlink_status(out, unknown))) return;
  throw Error(ErrorKind::kConfig, OneLine(out.string()) + " is there already",
              "Give another file with --out, or --force to replace it.");
}

// That the run's own way from a picture to the model's size is what `--input any-size` does.
void CheckResizesAlone(const fs::path& run, StageTable& stages) {
  for (const StageConfig& stage : LoadRecipe(stages, run / "config.yaml", {}).config.pipeline) {
    if (stage.stage != CenterCrop::kName && stage.stage != RandomResizedCrop::kName) continue;
    throw Error(ErrorKind::kConfig,
                "--input any-size resizes whole pictures, and the run cuts a part out of them (" +
                    stage.name() + ")",
                "Leave --input out, and feed the model pictures that are cut and resized.");
  }
}

constexpr const char* kInt8 = "int8";

// The maps to compute in int8 with; null where it is to be float32.
std::shared_ptr<const std::vector<MapStatistics>> MapsOf(const SavedModel& saved,
                                                         const ExportOptions& options) {
  if (options.precision == kInt8 && !saved.source.maps) {
    throw Error(ErrorKind::kConfig,
                "--precision int8 needs to know the maps of the backbone, which were not measured "
                "when this model was trained",
                "Leave it out, or train with features: {precision: int8}.");
  }
  const bool is_int8 =
      saved.source.maps && (options.precision.empty() || options.precision == kInt8);
  if (is_int8 && options.keeps_batch_norms) {
    throw Error(ErrorKind::kConfig, "--keep-batch-norm: int8 has batch norms folded",
                "Leave it out, or add --precision float32.");
  }
  return is_int8 ? saved.source.maps : nullptr;
}

std::string InputText(const Model& model, ExportInput input, bool channels_last) {
  const MapSize size = model.network().input();
  const std::string height = std::to_string(size.height), width = std::to_string(size.width);
  switch (input) {
    case ExportInput::kUint8:
      return "uint8 [N, " + height + ", " + width + ", 3]";
    case ExportInput::kAnySize:
      return "uint8 [N, height, width, 3]";
    case ExportInput::kFloat:
      return channels_last ? "float32 [N, " + height + ", " + width + ", 3]"
                           : "float32 [N, 3, " + height + ", " + width + "]";
  }
  return "";
}

// Gives how many bytes it took.
std::uint64_t Write(const ExportFormat& format, const ExportJob& job, const fs::path& out) {
  if (out.has_parent_path()) {
    std::error_code ignored;  // the file says why it cannot be written
    fs::create_directories(out.parent_path(), ignored);
  }
  AtomicFile file(out);
  format.write(job, file);
  file.Commit();
  return fs::file_size(out);
}

void Print(const ExportDifference& difference, const fs::path& out) {
  const std::string file = OneLine(out.filename().string());
  std::printf(
      "%llu pictures beside `weir predict`: the largest difference of a probability is "
      "%.2g (%s), %zu of another class\n",
      static_cast<unsigned long long>(difference.pictures), difference.largest,
      OneLine(difference.largest_of).c_str(), difference.others.size());
  for (const ExportDifference::OtherClass& other : difference.others) {
    std::printf("%s: %s by weir, %s by %s, which differ by up to %.2g\n",
                OneLine(other.path).c_str(), difference.classes[other.predicted].c_str(),
                difference.classes[other.exported].c_str(), file.c_str(), other.difference);
  }
  if (difference.missing > 0) {
    std::printf("%llu pictures were left out: in their full size they do not fit in memory.host\n",
                static_cast<unsigned long long>(difference.missing));
  }
}

}  // namespace

void ExportCommand(const ExportOptions& options, StageTable& stages) {
  const ExportFormat& format = FindExportFormat(options.format);
  if (options.input == ExportInput::kAnySize && !format.why_not_any_size.empty()) {
    throw Error(ErrorKind::kConfig, "--input any-size: " + std::string(format.why_not_any_size),
                "Leave --input out, and feed the model pictures of its size.");
  }
  const Source source = SourceOf(options.run);
  const fs::path out = !options.out.empty()
                           ? options.out
                           : (source.run.empty() ? source.model : source.run) / format.file_name;
  CheckIsFree(out, options.force);
  if (!options.check.empty()) {
    if (source.run.empty()) {
      throw Error(ErrorKind::kConfig,
                  "--check predicts with the run's pipeline, and beside " +
                      OneLine(source.model.string()) + " lies no config.yaml",
                  "Give the folder of the run, or leave --check out.");
    }
    CheckCanRun(format);
  }
  if (options.input == ExportInput::kAnySize && !source.run.empty()) {
    CheckResizesAlone(source.run, stages);
  }
  SavedModel saved = LoadSavedModel(source.model);
  const auto maps = MapsOf(saved, options);
  const std::string weights = saved.source.config.backbone.weights;
  const InferenceGraph graph = OpenInferenceGraph(
      std::move(saved), {.keeps_batch_norms = options.keeps_batch_norms, .maps = maps});
  const std::uint64_t bytes = Write(format,
                                    {.graph = graph,
                                     .input = options.input,
                                     .weir_version = WEIR_VERSION,
                                     .weights_sha256 = Sha256Of(weights)},
                                    out);
  const Model& model = graph.model();
  std::printf("%s: %s%s, %s; images %s, probabilities float32 [N, %zu]\n",
              OneLine(out.string()).c_str(), std::string(format.title).c_str(),
              maps ? ", int8" : "", PrintableBytes(static_cast<double>(bytes)).c_str(),
              InputText(model, options.input, format.channels_last).c_str(),
              model.classes().size());
  if (options.check.empty()) return;
  std::vector<std::string> overrides;
  if (!options.precision.empty()) {
    overrides.push_back("pipeline.features.precision=" + options.precision);
  }
  Print(CompareWithPredict({.format = format,
                            .input = options.input,
                            .preprocessing = model.preprocessing(),
                            .exported = out,
                            .run = source.run,
                            .pictures = options.check,
                            .overrides = std::move(overrides)},
                           stages),
        out);
}

}  // namespace weir
