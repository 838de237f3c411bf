#include <cctype>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <system_error>

#include "framework/error.h"
#include "framework/write_error.h"
#include "pipelines/commands/commands.h"
#include "pipelines/commands/plugin_template.h"
#include "pipelines/recipe/stage_table.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

void CheckName(const std::string& name, StageTable& stages) {
  const auto is_part = [](unsigned char c) {
    return std::islower(c) || std::isdigit(c) || c == '_';
  };
  bool is_word = !name.empty() && std::islower(static_cast<unsigned char>(name[0])) &&
                 name.back() != '_' && name.find("__") == std::string::npos;
  for (const char c : name) is_word = is_word && is_part(static_cast<unsigned char>(c));
  // Files of the project's, and targets of CMake's.
  static const std::set<std::string> kTaken = {"plugin",     "all",           "clean",
                                               "help",       "install",       "package",
                                               "edit_cache", "rebuild_cache", "test"};
  if (kTaken.contains(name)) {
    throw Error(ErrorKind::kConfig, "`" + name + "` means something to CMake already",
                "Take another name.");
  }
  if (!is_word) {
    throw Error(ErrorKind::kConfig, "`" + name + "` cannot be the name of a stage",
                "Take lower-case letters, digits and single underscores: sepia, random_crop.");
  }
  stages.Load({});
  if (stages.registry().Find(name) != nullptr) {
    throw Error(ErrorKind::kConfig, "there is a stage `" + name + "` already",
                "Take another name; `weir stages` lists those that are taken.");
  }
}

// random_crop: RandomCrop.
std::string ClassName(const std::string& name) {
  std::string result;
  bool begins = true;
  for (const char c : name) {
    if (c == '_') {
      begins = true;
      continue;
    }
    const auto letter = static_cast<unsigned char>(c);
    result += static_cast<char>(begins ? std::toupper(letter) : letter);
    begins = false;
  }
  return result;
}

std::string Filled(std::string_view text, const std::string& name) {
  std::string result(text);
  const auto replace = [&](std::string_view what, const std::string& by) {
    for (std::size_t at = 0; (at = result.find(what, at)) != std::string::npos; at += by.size()) {
      result.replace(at, what.size(), by);
    }
  };
  replace("@name@", name);
  replace("@Name@", ClassName(name));
  return result;
}

void Write(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text << std::flush;
  if (!file) {
    throw WriteError(path, "cannot be written", errno, "take another folder with --out");
  }
}

}  // namespace

void NewPluginCommand(const NewPluginOptions& options, StageTable& stages) {
  CheckName(options.name, stages);
  const fs::path folder = options.folder.empty() ? fs::path(options.name) : options.folder;
  std::error_code failure;
  if (!fs::create_directories(folder, failure)) {
    throw Error(ErrorKind::kConfig,
                failure ? "cannot make '" + folder.string() + "': " + failure.message()
                        : "'" + folder.string() + "' is there already",
                "Take another folder with --out.");
  }
  for (const TemplateFile& file : PluginTemplate()) {
    Write(folder / Filled(file.name, options.name), Filled(file.text, options.name));
  }
  std::printf(
      "%s: a stage `%s`, its test and a configuration that uses it\n\n"
      "  cd %s\n"
      "  cmake -B build && cmake --build build && ctest --test-dir build\n"
      "  weir draw pictures && weir run config.yaml --out first\n",
      folder.c_str(), options.name.c_str(), folder.c_str());
}

}  // namespace weir
