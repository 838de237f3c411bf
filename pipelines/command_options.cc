#include "pipelines/command_options.h"

#include <filesystem>
#include <variant>

#include "framework/config/home_folder.h"

namespace weir {

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

}  // namespace weir
