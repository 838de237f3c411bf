// The commands, one file each. They print to standard output and throw Error. `stages` are those
// that a configuration may name; the plugins that one names are loaded into them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "pipelines/finetune/range_test.h"
#include "pipelines/job/run_options.h"
#include "pipelines/report/prediction_rows.h"
#include "stages/model/export/formats/export_format.h"

namespace weir {

class StageTable;

// Trains, or does the job of a pipeline that does not. Throws Error: kInterrupted where a signal
// stopped it.
void RunCommand(const RunOptions& options, StageTable& stages);

struct ConfigOptions {
  std::filesystem::path config;
  std::vector<std::string> overrides;
};

enum class PlanForm { kText, kJson, kDot, kSvg };

// The memory bill and the flow, without running; nothing is downloaded, no picture is read.
// `ranks` are processes on this machine that share the training; 0: one alone.
void PlanCommand(const ConfigOptions& options, PlanForm form, int ranks, StageTable& stages);

// Every problem of the configuration, the data and the weights that can be told beforehand.
// Throws Error(kConfig) or Error(kData) where there is one.
void CheckCommand(const ConfigOptions& options, StageTable& stages);

struct PredictOptions {
  std::filesystem::path run;                 // the folder of a run, or its model/
  std::vector<std::filesystem::path> paths;  // pictures, folders of pictures, "-" for a list
  std::vector<std::string> overrides;
  PredictionRowOptions rows;
};

// The classes of pictures, one row each, in the order given. Throws Error(kData) where not one
// picture could be read.
void PredictCommand(const PredictOptions& options, StageTable& stages);

struct ServeOptions {
  std::filesystem::path run;  // the folder of a run, or its model/
  std::string host = "127.0.0.1";
  int port = 8080;        // 0: any that is free
  int connections = 100;  // at once
  std::string name;       // the model is called so in paths; empty: as the run is
  AnswerOptions answer;
  std::vector<std::string> overrides;
};

// Answers over HTTP until a signal comes, and then the requests that have come. Throws
// Error(kMemory) where the ceiling is too low for it, Error(kConfig) where the port cannot be had,
// or stages that are not weir's own stand around the model.
void ServeCommand(const ServeOptions& options, StageTable& stages);

struct EvaluateOptions {
  std::filesystem::path run;
  // A folder with a sub-folder for each class, a table or shards; empty: what the run validated
  // with.
  std::filesystem::path data;
  std::vector<std::string> source;  // "label_column=species": parameters of the source for that
  std::vector<std::string> overrides;
  int resamples = 1000;  // for the intervals; 0: none
  bool json = false;
};

// Loss, the metrics of the run with their intervals, precision, recall and F1 of each class, and
// who was taken for whom.
void EvaluateCommand(const EvaluateOptions& options, StageTable& stages);

struct ExportOptions {
  std::filesystem::path run;         // the folder of a run, or its model/
  std::string format = "onnx";       // one of ExportFormats()
  std::filesystem::path out;         // the file to write; empty: in the run's folder
  std::optional<ExportInput> input;  // empty: uint8
  bool keeps_batch_norms = false;
  std::string precision;  // float32 or int8; empty: as the run has it, bfloat16 as float32
  bool force = false;     // replaces a file that is there
  // Pictures, on which what was exported is compared with `weir predict`; empty: it is not.
  std::filesystem::path check;
};

// Writes the model of a run in a format of others. Throws Error(kConfig) where the file is there
// already, the format cannot hold the model or has no such option, or --check cannot run it;
// Error(kData) where there is no model, or the file cannot be written.
void ExportCommand(const ExportOptions& options, StageTable& stages);

// How a run ended, and who held what of the memory then: also of one that was killed. Throws
// Error(kData) where there is no such run.
void ExplainCommand(const std::filesystem::path& run);

struct StagesOptions {
  std::string name;  // the stage or section to show; empty: all
  std::vector<std::filesystem::path> plugins;
  bool json = false;
  bool markdown = false;  // every stage and section, with all their parameters: a reference
};

// The stages there are, or the parameters of one; of `model` and `training` as well.
void StagesCommand(const StagesOptions& options, StageTable& table);

struct PreviewOptions {
  std::filesystem::path config;
  std::vector<std::string> overrides;
  std::filesystem::path out = "preview.png";
  int columns = 8;
  int rows = 4;
  int cell = 160;
  int epoch = 0;
};

// A sheet of the pictures that training begins with, augmented as it will see them. Throws
// Error(kData) where not one could be used.
void PreviewCommand(const PreviewOptions& options, StageTable& stages);

struct LrFindOptions {
  std::filesystem::path config;
  std::vector<std::string> overrides;
  std::string phase;  // the name of the one that is tested; empty: the first
  RateRange range;
  std::filesystem::path out = "lr_find.png";
  bool json = false;
};

// A range test: trains for some steps while the learning rate rises, and suggests one. Writes a
// plot, and leaves nothing else behind. Throws Error(kConfig) where no rate can be suggested.
void LrFindCommand(const LrFindOptions& options, StageTable& stages);

// What a configuration may hold, as JSON Schema: the built-in stages', and those of `plugins`.
void SchemaCommand(const std::vector<std::filesystem::path>& plugins, StageTable& stages);

struct NewPluginOptions {
  std::string name;              // what the stage and the plugin are called
  std::filesystem::path folder;  // where it is written; empty: one of the name
};

// Writes a plugin that can be built, tested and run at once. Throws Error(kConfig) where the name
// is none or the folder is there already.
void NewPluginCommand(const NewPluginOptions& options, StageTable& stages);

// What this machine has, and what this process may use of it.
void DevicesCommand(bool json);

struct DrawOptions {
  std::filesystem::path folder;
  std::string set = "demo";
  int per_class = 0;  // 0: as the set has it
  std::uint64_t seed = 1;
};

// Draws a small labelled set of pictures to try weir on.
void DrawCommand(const DrawOptions& options);

}  // namespace weir
