#include "pipelines/command_line.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "pipelines/command_options.h"
#include "pipelines/commands/commands.h"
#include "pipelines/model_command_line.h"

namespace weir {
namespace {

constexpr const char* kFooter = R"(Begin with:
  weir draw pictures                      draws a few hundred labelled pictures
  weir check configs/demo.yaml            says what is wrong before anything runs
  weir plan configs/demo.yaml             the memory bill
  weir run configs/demo.yaml --out first  fine-tunes; first/model is the result
  weir predict first photo.jpg            what is in a picture
  weir serve first                        the same over HTTP, with a page to drop pictures on

Exit status: 0 done, 1 our own fault, 2 the command line or the configuration, 3 does not fit in
memory, 4 the data or the weights, 130 interrupted (the checkpoint is saved).)";

void AddConfig(CLI::App* command, std::filesystem::path& config) {
  command->add_option("CONFIG", config, "The YAML file")->required();
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
  DeclareModelCommands(app, stages);
  DeclareExplain(app);
  DeclareTheRest(app, stages);
}

}  // namespace weir
