#include "pipelines/model_command_line.h"

#include <CLI/CLI.hpp>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "framework/config/suggestion.h"
#include "pipelines/command_options.h"
#include "pipelines/commands/commands.h"
#include "pipelines/export/export_formats.h"
#include "pipelines/serve/service.h"

namespace weir {
namespace {

constexpr const char* kPredictExamples = R"(Examples:
  weir predict first photos/ --threshold 0.8
      what is in each picture, or "none of these"
  find photos -name '*.jpg' | weir predict first - --csv --top 1 > answers.csv
      a table, with a reason for each picture that cannot be read)";

void DeclarePredict(CLI::App& app, StageTable& stages) {
  auto options = std::make_shared<PredictOptions>();
  CLI::App* command = app.add_subcommand("predict", "Classify pictures with the model of a run");
  command->footer(kPredictExamples);
  command->add_option("RUN", options->run, "The folder of a run, or its model/")->required();
  command
      ->add_option("PATH", options->paths,
                   "Pictures, folders of pictures, or - for a list of paths on standard input")
      ->required();
  command->add_option("--top", options->rows.answer.top, "How many classes to show for each")
      ->capture_default_str()
      ->check(CLI::Range(1, std::numeric_limits<int>::max()));
  command
      ->add_option("--threshold", options->rows.answer.threshold,
                   "Answer \"none of these\" where no class is so probable")
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("PROBABILITY");
  AddOverrides(command, options->overrides);
  const auto form = [options](RowForm form) {
    return [options, form](std::int64_t) { options->rows.form = form; };
  };
  CLI::Option* const json = command->add_flag_function(
      "--json", form(RowForm::kJson), "A line of JSON for each picture, also for what is none");
  command->add_flag_function("--csv", form(RowForm::kCsv), "The same as a table")->excludes(json);
  command->callback([options, &stages] { PredictCommand(*options, stages); });
}

constexpr const char* kServeExamples = R"(Examples:
  weir serve first
      then open http://127.0.0.1:8080/ and drop a picture on the page, or
      curl --data-binary @photo.jpg http://127.0.0.1:8080/predict
  weir serve first --host 0.0.0.0 --set memory.host=128MiB
      for other machines, in 128 MiB whatever they send)";

void DeclareServe(CLI::App& app, StageTable& stages) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* command =
      app.add_subcommand("serve", "Answer over HTTP with the model of a run, within the ceiling");
  command->footer(kServeExamples);
  command->add_option("RUN", options->run, "The folder of a run, or its model/")->required();
  command->add_option("--host", options->host, "The address to listen on; 0.0.0.0: all")
      ->type_name("ADDRESS")
      ->capture_default_str();
  command->add_option("--port", options->port, "The port to listen on; 0: any that is free")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  command
      ->add_option("--connections", options->connections,
                   "How many senders may be connected at once; as many again wait")
      ->check(CLI::Range(1, 400))
      ->capture_default_str();
  command->add_option("--name", options->name,
                      "What the model is called in /v2/models/NAME (default: as the run is)");
  command->add_option("--top", options->answer.top, "How many classes to give for each picture")
      ->check(CLI::Range(1, kMostTop))
      ->capture_default_str();
  command
      ->add_option("--threshold", options->answer.threshold,
                   "Answer with null where no class is so probable")
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("PROBABILITY");
  AddOverrides(command, options->overrides);
  command->callback([options, &stages] { ServeCommand(*options, stages); });
}

void DeclareEvaluate(CLI::App& app, StageTable& stages) {
  auto options = std::make_shared<EvaluateOptions>();
  CLI::App* command =
      app.add_subcommand("evaluate", "Measure the model of a run on labelled pictures");
  command->add_option("RUN_DIR", options->run, "The folder of a run")->required();
  command->add_option("DATA", options->data,
                      "A folder with a sub-folder for each class, a table (.csv, .tsv, .jsonl), or "
                      "tar shards; read as the run reads its own, where that is alike. Left out: "
                      "the pictures that the run validated with");
  command
      ->add_option("--resamples", options->resamples,
                   "How often the pictures are drawn anew to say how sure the metrics are; 0: not")
      ->capture_default_str()
      ->check(CLI::Range(0, 1'000'000));
  command
      ->add_option("--source", options->source,
                   "A parameter of the source for DATA: label_column=species; repeatable")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  AddOverrides(command, options->overrides);
  command->add_flag("--json", options->json, "As JSON");
  command->callback([options, &stages] { EvaluateCommand(*options, stages); });
}

constexpr const char* kExportExamples = R"(Examples:
  weir export first --to onnx
      writes first/model.onnx, which is fed pictures of the model's size in bytes
  weir export first --to onnx --input any-size --out photos.onnx --check photos/
      one that resizes by itself, and how far it is from `weir predict` on photos/
  weir export first --to tflite
      writes first/model.tflite for LiteRT and the TFLite Task Library, labels included
  weir export first --to torchscript
      writes first/model.pt, which torch.jit.load reads in Python and in C++
  weir export first --to keras
      writes first/model.weights.h5, and prints the program in Keras that loads it
  weir export first --to torchvision --out first.safetensors
      weights for torchvision's own network, here not in a .pth)";

// The names of the formats of which that holds, for a help text: "tflite".
template <class Holds>
std::string FormatsWhich(Holds holds) {
  std::vector<std::string> names;
  for (const ExportFormat* format : ExportFormats()) {
    if (holds(*format)) names.emplace_back(format->name);
  }
  return Enumerate(names);
}

void DeclareExport(CLI::App& app, StageTable& stages) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App* command =
      app.add_subcommand("export", "Write the model of a run in a format that others read");
  command->footer(kExportExamples);
  command->add_option("RUN", options->run, "The folder of a run, or its model/")->required();
  std::string formats;
  for (const ExportFormat* format : ExportFormats()) {
    formats += (formats.empty() ? "" : ", ") + std::string(format->name);
  }
  command->add_option("--to", options->format, "The format: " + formats)
      ->type_name("FORMAT")
      ->required();
  command
      ->add_option("--out", options->out,
                   "The file to write (default: in RUN, called as the format has it: model.onnx)")
      ->transform(HomeFolder())
      ->type_name("FILE");
  std::vector<std::string> inputs;
  for (const auto& [name, input] : kExportInputs) inputs.emplace_back(name);
  command
      ->add_option_function<std::string>(
          "--input", [options](const std::string& name) { options->input = InputOf(name); },
          "What it is fed: uint8, pictures in bytes of the model's size [N, H, W, 3] (the "
          "default); any-size, pictures of any one size, which it resizes (not in " +
              FormatsWhich([](const auto& each) { return !each.why_not_any_size.empty(); }) +
              "); or float, already scaled as the network is fed: [N, 3, H, W], in " +
              FormatsWhich(
                  [](const auto& each) { return each.channels_last && !each.is_weights(); }) +
              " [N, H, W, 3]")
      ->check(CLI::IsMember(inputs))
      ->type_name("INPUT");
  command->add_flag("--keep-batch-norm", options->keeps_batch_norms,
                    "Keep batch norms as operations of their own: by default they are folded into "
                    "the weights beside them");
  command
      ->add_option("--precision", options->precision,
                   "By default as the run has it, with bfloat16 as float32: a run of int8 can be "
                   "exported in float32, not the other way round")
      ->check(CLI::IsMember({"float32", "int8"}))
      ->type_name("");
  command->add_flag("--force", options->force, "Replace a file that is there");
  command
      ->add_option(
          "--check", options->check,
          "Run what was exported over the pictures of a folder, in Python, and say how far "
          "it is from `weir predict`")
      ->transform(HomeFolder())
      ->type_name("DIR");
  command->callback([options, &stages] { ExportCommand(*options, stages); });
}

}  // namespace

void DeclareModelCommands(CLI::App& app, StageTable& stages) {
  DeclarePredict(app, stages);
  DeclareServe(app, stages);
  DeclareEvaluate(app, stages);
  DeclareExport(app, stages);
}

}  // namespace weir
