#include "pipelines/foreign_command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>
#include <string_view>

#include "framework/config/config.h"
#include "framework/config/foreign_word.h"
#include "framework/text.h"
#include "pipelines/recipe/foreign_words.h"

namespace weir {
namespace {

constexpr std::string_view kDashes = "--";

const CLI::App* FindCommand(const CLI::App& app, const std::string& name) {
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name() == name) return command;
  }
  return nullptr;
}

// The key of the top level that is called so, here or elsewhere; empty where none is.
std::string TopKey(const std::string& word) {
  for (const FieldDoc& field : Describe<Config>()) {
    const std::vector<std::string>& others = field.foreign_names;
    const bool is_it = std::find(others.begin(), others.end(), word) != others.end();
    if (field.name == word || is_it) return field.name;
  }
  return "";
}

// "--set training.epochs=3" for `epochs` and "3"; nullopt where that is no word for anything.
std::optional<std::string> SetOption(const std::string& word, const std::string& value) {
  if (const ForeignWord* row = FindForeignWord(ForeignWords(), "", word)) {
    const std::string option = WrittenHere(*row, value, AdviceForm::kOption);
    return option.empty() ? std::string(row->note) : "is no option here: " + option;
  }
  const std::string key = TopKey(word);
  if (key.empty()) return std::nullopt;
  return "is no option here: --set " + key + "=" + (value.empty() ? "..." : TerminalLine(value));
}

std::vector<std::string> AdviceOnOptions(const CLI::App& command,
                                         const std::vector<std::string>& arguments) {
  std::vector<std::string> lines;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    const std::size_t equals = argument.find('=');
    const std::string name = argument.substr(0, equals);
    if (name == kDashes) break;
    if (!name.starts_with(kDashes) || command.get_option_no_throw(name)) continue;
    std::string value;
    if (equals != std::string::npos) {
      value = argument.substr(equals + 1);
    } else if (i + 1 < arguments.size() && !arguments[i + 1].starts_with("-")) {
      value = arguments[i + 1];
    }
    const auto advice = SetOption(WithUnderscores(name.substr(kDashes.size())), value);
    if (advice) lines.push_back(InBackticks(name) + " " + *advice);
  }
  return lines;
}

}  // namespace

const std::vector<ForeignCommand>& ForeignCommands() {
  static const std::vector<ForeignCommand> commands = {
      {{"train", "fit", "finetune", "fine-tune", "fine_tune", "start"}, "run", "CONFIG"},
      {{"resume"}, "run", "CONFIG --out DIR --resume"},
      {{"val", "valid", "validate", "validation", "test", "eval", "benchmark"},
       "evaluate",
       "RUN_DIR [DATA]"},
      {{"infer", "inference", "classify", "detect"}, "predict", "RUN_DIR PATH"},
      {{"convert", "save", "onnx"}, "export", "RUN --to FORMAT"},
      {{"lint", "verify", "doctor"}, "check", "CONFIG"},
      {{"dry-run", "dry_run", "summary"}, "plan", "CONFIG"},
      {{"visualize", "show"}, "preview", "CONFIG"},
      {{"gpus", "settings"}, "devices", ""},
  };
  return commands;
}

std::vector<std::string> AdviceOnCommandLine(const CLI::App& app,
                                             const std::vector<std::string>& arguments) {
  if (arguments.empty()) return {};
  if (const CLI::App* command = FindCommand(app, arguments[0])) {
    return command->get_option_no_throw("--set") ? AdviceOnOptions(*command, arguments)
                                                 : std::vector<std::string>();
  }
  for (const ForeignCommand& row : ForeignCommands()) {
    if (std::find(row.words.begin(), row.words.end(), arguments[0]) == row.words.end()) continue;
    const std::string usage = "weir " + std::string(row.command) +
                              (row.arguments.empty() ? "" : " " + std::string(row.arguments));
    return {InBackticks(arguments[0]) + " is " + InBackticks(row.command) + " here: " + usage};
  }
  return {};
}

}  // namespace weir
