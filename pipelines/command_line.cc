#include "pipelines/command_line.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "framework/config/home_folder.h"
#include "framework/config/suggestion.h"
#include "pipelines/commands/commands.h"
#include "pipelines/export/export_formats.h"

namespace weir {
namespace {

constexpr const char* kFooter = R"(Begin with:
  weir draw pictures                      draws a few hundred labelled pictures
  weir check configs/demo.yaml            says what is wrong before anything runs
  weir plan configs/demo.yaml             the memory bill
  weir run configs/demo.yaml --out first  fine-tunes; first/model is the result
  weir predict first photo.jpg            what is in a picture

Exit status: 0 done, 1 our own fault, 2 the command line or the configuration, 3 does not fit in
memory, 4 the data or the weights, 130 interrupted (the checkpoint is saved).)";

// --set, and --memory as the short form of one of them.
void AddOverrides(CLI::App* command, std::vector<std::string>& overrides) {
  command
      ->add_option("--set", overrides,
                   "Change a value of the configuration: --set training.epochs=3, "
                   "--set pipeline.augment.size=96, --set device=cpu; repeatable")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command
      ->add_option_function<std::string>(
          "--memory",
          [&overrides](const std::string& size) { overrides.push_back("memory.host=" + size); },
          "The ceiling of this process' memory, as --set memory.host=")
      ->type_name("SIZE");
}

void AddConfig(CLI::App* command, std::filesystem::path& config) {
  command->add_option("CONFIG", config, "The YAML file")->required();
}

// Reads the path of an option: shells leave the `~` of `--out=~/first` as it is.
CLI::Validator HomeFolder() {
  return CLI::Validator(
      [](std::string& text) {
        const std::variant<std::filesystem::path, std::string> path = WithHomeFolder(text);
        if (const std::string* wrong = std::get_if<std::string>(&path)) return *wrong;
        text = std::get<std::filesystem::path>(path).string();
        return std::string();
      },
      "");
}

void AddRanks(CLI::App* command, int& ranks, const char* what) {
  constexpr int kMost = 1024;
  command->add_option("--ranks", ranks, what)->check(CLI::Range(1, kMost))->type_name("N");
}

void DeclareRun(CLI::App& app, StageTable& stages) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* command = app.add_subcommand(
      "run", "Fine-tune as a YAML file says; leaves a run folder with the model");
  AddConfig(command, options->config);
  AddOverrides(command, options->overrides);
  command->add_option("--out", options->out, "The run folder (default: runs/<name>-<time>)")
      ->transform(HomeFolder())
      ->type_name("DIR");
  command->add_flag("--resume", options->resume,
                    "Go on with the interrupted run in --out, or with the youngest of that name");
  command
      ->add_option("--trace", options->trace,
                   "Write what each thread does and how much memory is held, moment by moment, for "
                   "ui.perfetto.dev")
      ->transform(HomeFolder())
      ->type_name("FILE");
  AddRanks(command, options->ranks,
           "Train with so many processes on this machine, which share each batch; under torchrun, "
           "srun or mpirun they are those that it starts");
  command->callback([options, &stages] { RunCommand(*options, stages); });
}

void DeclarePlanAndCheck(CLI::App& app, StageTable& stages) {
  auto planned = std::make_shared<ConfigOptions>();
  CLI::App* plan = app.add_subcommand("plan", "Show the memory bill of a run, without running it");
  AddConfig(plan, planned->config);
  AddOverrides(plan, planned->overrides);
  auto form = std::make_shared<PlanForm>(PlanForm::kText);
  const auto add_form = [&](const char* name, PlanForm value, const char* what) {
    return plan->add_flag_callback(
        name, [form, value] { *form = value; }, what);
  };
  CLI::Option* json = add_form("--json", PlanForm::kJson, "As JSON");
  CLI::Option* dot = add_form("--dot", PlanForm::kDot, "The flow alone, for Graphviz");
  CLI::Option* svg = add_form("--svg", PlanForm::kSvg, "The flow alone, as a picture");
  json->excludes(dot)->excludes(svg);
  dot->excludes(svg);
  auto ranks = std::make_shared<int>(0);
  AddRanks(plan, *ranks,
           "The bill of one of so many processes on this machine that train together");
  plan->callback([planned, form, ranks, &stages] { PlanCommand(*planned, *form, *ranks, stages); });

  auto checked = std::make_shared<ConfigOptions>();
  CLI::App* check = app.add_subcommand(
      "check", "Look for problems in the configuration, the data and the weights");
  AddConfig(check, checked->config);
  AddOverrides(check, checked->overrides);
  check->callback([checked, &stages] { CheckCommand(*checked, stages); });
}

void DeclarePreview(CLI::App& app, StageTable& stages) {
  auto options = std::make_shared<PreviewOptions>();
  CLI::App* command = app.add_subcommand(
      "preview", "Draw the pictures that training begins with, as it will see them: a PNG");
  AddConfig(command, options->config);
  AddOverrides(command, options->overrides);
  command->add_option("--out", options->out, "The PNG to write")
      ->transform(HomeFolder())
      ->type_name("FILE")
      ->capture_default_str();
  command->add_option("--columns", options->columns, "Pictures side by side")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  command->add_option("--rows", options->rows, "Pictures one below the other")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  command->add_option("--cell", options->cell, "The longer side of a picture, in pixels")
      ->check(CLI::Range(8, 2048))
      ->capture_default_str();
  command
      ->add_option_function<int>(
          "--epoch", [options](int epoch) { options->epoch = epoch - 1; },
          "As the pictures are in that epoch (default: 1)")
      ->check(CLI::Range(1, std::numeric_limits<int>::max()));
  command->callback([options, &stages] { PreviewCommand(*options, stages); });
}

void DeclareLrFind(CLI::App& app, StageTable& stages) {
  auto options = std::make_shared<LrFindOptions>();
  CLI::App* command = app.add_subcommand(
      "lr-find", "Look for a learning rate: train while it rises, see how the loss answers");
  AddConfig(command, options->config);
  AddOverrides(command, options->overrides);
  command->add_option("--phase", options->phase,
                      "The phase whose layers and optimizer are tested; by default the first");
  command->add_option("--from", options->range.from, "The learning rate of the first step")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--to", options->range.to, "The learning rate of the last step")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--steps", options->range.steps, "How many batches are learnt from, at most")
      ->check(CLI::Range(20, 100'000))
      ->capture_default_str();
  command->add_option("--out", options->out, "The plot to write, a PNG")
      ->transform(HomeFolder())
      ->type_name("FILE")
      ->capture_default_str();
  command->add_flag("--json", options->json, "The losses of all steps, as JSON");
  command->callback([options, &stages] { LrFindCommand(*options, stages); });
}

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
  command->add_option("--top", options->rows.top, "How many classes to show for each")
      ->capture_default_str()
      ->check(CLI::Range(1, std::numeric_limits<int>::max()));
  command
      ->add_option("--threshold", options->rows.threshold,
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

void DeclareExplain(CLI::App& app) {
  auto run = std::make_shared<std::filesystem::path>();
  CLI::App* command = app.add_subcommand(
      "explain", "Say how a run ended and who held what memory then, also of one that was killed");
  command->add_option("RUN_DIR", *run, "The folder of a run")->required();
  command->callback([run] { ExplainCommand(*run); });
}

void AddPlugins(CLI::App* command, std::vector<std::filesystem::path>& plugins) {
  command->add_option("--plugin", plugins, "A shared object with more stages; repeatable")
      ->type_name("FILE")
      ->allow_extra_args(false);
}

void DeclareTheRest(CLI::App& app, StageTable& stages) {
  auto listed = std::make_shared<StagesOptions>();
  CLI::App* list =
      app.add_subcommand("stages", "List the stages there are, or the parameters of one");
  list->add_option("NAME", listed->name, "A stage, or `model` or `training`");
  AddPlugins(list, listed->plugins);
  CLI::Option* as_json = list->add_flag("--json", listed->json, "As JSON");
  list->add_flag("--markdown", listed->markdown,
                 "All stages and sections with their parameters, as a page of Markdown")
      ->excludes(as_json);
  list->callback([listed, &stages] { StagesCommand(*listed, stages); });

  auto plugins = std::make_shared<std::vector<std::filesystem::path>>();
  CLI::App* schema = app.add_subcommand(
      "schema", "Print what a configuration may hold, as JSON Schema: for editors");
  AddPlugins(schema, *plugins);
  schema->callback([plugins, &stages] { SchemaCommand(*plugins, stages); });

  auto plugin = std::make_shared<NewPluginOptions>();
  CLI::App* new_plugin = app.add_subcommand(
      "new-plugin", "Write a stage of your own, ready to be built, tested and run");
  new_plugin->add_option("NAME", plugin->name, "Of the stage: a word such as sepia")->required();
  new_plugin->add_option("--out", plugin->folder, "The folder to write (default: NAME)")
      ->transform(HomeFolder())
      ->type_name("DIR");
  new_plugin->callback([plugin, &stages] { NewPluginCommand(*plugin, stages); });

  auto devices_json = std::make_shared<bool>(false);
  CLI::App* devices = app.add_subcommand(
      "devices", "Show the processors, GPUs and memory that this process may use");
  devices->add_flag("--json", *devices_json, "As JSON");
  devices->callback([devices_json] { DevicesCommand(*devices_json); });

  auto drawn = std::make_shared<DrawOptions>();
  CLI::App* draw =
      app.add_subcommand("draw", "Draw a small labelled set of pictures to try weir on");
  draw->add_option("DIR", drawn->folder, "The folder to draw in")->required();
  draw->add_option("--classes", drawn->set, "Which classes: demo, or pretrain")
      ->capture_default_str()
      ->check(CLI::IsMember({"demo", "pretrain"}));
  draw->add_option("--per-class", drawn->per_class, "Pictures of each class")
      ->check(CLI::Range(1, std::numeric_limits<int>::max()));
  draw->add_option("--seed", drawn->seed, "Of all that is drawn by chance")->capture_default_str();
  draw->callback([drawn] { DrawCommand(*drawn); });
}

}  // namespace

void DeclareCommands(CLI::App& app, StageTable& stages) {
  app.name("weir");
  app.description("weir fine-tunes image classifiers inside a memory ceiling.");
  app.footer(kFooter);
  app.set_version_flag("--version", "weir " WEIR_VERSION);
  app.require_subcommand(1);
  DeclareRun(app, stages);
  DeclarePlanAndCheck(app, stages);
  DeclarePreview(app, stages);
  DeclareLrFind(app, stages);
  DeclarePredict(app, stages);
  DeclareEvaluate(app, stages);
  DeclareExport(app, stages);
  DeclareExplain(app);
  DeclareTheRest(app, stages);
}

}  // namespace weir
