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
#include "pipelines/export/export_formats.h"
#include "pipelines/job/trained_model.h"
#include "pipelines/recipe/recipe.h"
#include "stages/augment/crops.h"
#include "stages/files/atomic_file.h"
#include "stages/files/sha256.h"
#include "stages/model/export/formats/preprocessing_text.h"
#include "stages/model/export/inference/inference_graph.h"
#include "stages/model/export/saved_model.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

void CheckIsFree(const fs::path& out, bool force) {
  std::error_code unknown;
  if (force || !fs::exists(fs::symlink_status(out, unknown))) return;
  throw Error(ErrorKind::kConfig, OneLine(out.string()) + " is there already",
              "Give another file with --out, or --force to replace it.");
}

void CheckEnding(const ExportFormat& format, const fs::path& out) {
  const std::string name = out.filename().string();
  const auto ends_in = [&name](std::string_view ending) { return name.ends_with(ending); };
  if (format.endings.empty() || std::ranges::any_of(format.endings, ends_in)) return;
  throw Error(
      ErrorKind::kConfig,
      "--out " + OneLine(out.string()) + ": a file of --to " + std::string(format.name) +
          " ends in " +
          Enumerate(std::vector<std::string>(format.endings.begin(), format.endings.end()), "or"),
      "Others tell by the name how to read it.");
}

constexpr const char* kInt8 = "int8";

// What says how a whole model is written or fed says nothing to weights alone.
void CheckOptions(const ExportFormat& format, const ExportOptions& options) {
  if (!format.is_weights()) return;
  const char* const option = options.input                ? "--input"
                             : options.keeps_batch_norms  ? "--keep-batch-norm"
                             : options.precision == kInt8 ? "--precision int8"
                                                          : nullptr;
  if (!option) return;
  throw Error(ErrorKind::kConfig,
              std::string(option) + ": --to " + std::string(format.name) +
                  " writes the weights alone, in float32 and as they were learnt",
              "Leave it out: a program of others feeds and computes the network.");
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

// The maps to compute in int8 with; null where it is to be float32.
std::shared_ptr<const std::vector<MapStatistics>> MapsOf(const SavedModel& saved,
                                                         const ExportFormat& format,
                                                         const ExportOptions& options) {
  if (format.is_weights()) return nullptr;
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

void PrintWritten(const ExportFormat& format, const ExportJob& job, bool is_int8,
                  const fs::path& out, std::uint64_t bytes) {
  std::printf("%s: %s%s, %s", OneLine(out.string()).c_str(), std::string(format.title).c_str(),
              is_int8 ? ", int8" : "", PrintableBytes(static_cast<double>(bytes)).c_str());
  if (format.is_weights()) {
    std::printf("; they are loaded by\n\n%s%s\n", format.build(job).c_str(),
                format.load(out).c_str());
    return;
  }
  std::printf("; images %s, probabilities float32 [N, %zu]\n",
              InputShapeText(job, format.channels_last).c_str(),
              job.graph.model().classes().size());
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
  CheckOptions(format, options);
  if (options.input == ExportInput::kAnySize && !format.why_not_any_size.empty()) {
    throw Error(ErrorKind::kConfig, "--input any-size: " + std::string(format.why_not_any_size),
                "Leave --input out, and feed the model pictures of its size.");
  }
  const TrainedModel source = FindTrainedModel(options.run);
  const fs::path out = !options.out.empty()
                           ? options.out
                           : (source.run.empty() ? source.model : source.run) / format.file_name;
  CheckEnding(format, out);
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
  const auto maps = MapsOf(saved, format, options);
  const std::string weights = saved.source.config.backbone.weights;
  const bool keeps_batch_norms = options.keeps_batch_norms || format.is_weights();
  const InferenceGraph graph =
      OpenInferenceGraph(std::move(saved), {.keeps_batch_norms = keeps_batch_norms, .maps = maps});
  const ExportJob job{.graph = graph,
                      .input = format.is_weights() ? ExportInput::kFloat
                                                   : options.input.value_or(ExportInput::kUint8),
                      .weir_version = WEIR_VERSION,
                      .weights_sha256 = Sha256Of(weights)};
  const std::string program = format.is_weights() ? format.build(job) : "";
  PrintWritten(format, job, maps != nullptr, out, Write(format, job, out));
  if (options.check.empty()) return;
  const std::string precision = format.is_weights() ? "float32" : options.precision;
  std::vector<std::string> overrides;
  if (!precision.empty()) overrides.push_back("pipeline.features.precision=" + precision);
  Print(CompareWithPredict({.opening = std::string(format.opening) + program,
                            .input = job.input,
                            .channels_last = format.channels_last,
                            .preprocessing = graph.model().preprocessing(),
                            .exported = out,
                            .run = source.run,
                            .pictures = options.check,
                            .overrides = std::move(overrides)},
                           stages),
        out);
}

}  // namespace weir
