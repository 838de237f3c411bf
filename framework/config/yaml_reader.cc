#include "framework/config/yaml_reader.h"

#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <istream>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "framework/config/suggestion.h"
#include "framework/config/yaml_builder.h"
#include "framework/input_file.h"
#include "framework/text.h"

namespace weir {
namespace {

struct Wording {
  std::string_view theirs;  // how yaml-cpp's message starts
  std::string_view ours;
};
constexpr std::array kWordings{
    Wording{"illegal map value",
            "a `:` where none can stand: is this line indented right, is a text with `: ` quoted?"},
    Wording{"unknown token", "a value that starts with this character must be quoted"},
    Wording{"illegal EOF in scalar", "the text ends inside quotes"},
    Wording{"the referenced anchor is not defined", "no anchor of this name stands before it"},
    Wording{"illegal flow end", "a bracket that closes nothing"},
    Wording{"end of map flow not found", "this `{` is never closed"},
    Wording{"end of sequence flow not found", "this `[` is never closed"},
    Wording{"bad file", "too many values inside one another"},
    Wording{"end of map not found", "this line does not fit the indentation above it"},
    Wording{"end of sequence not found", "this line does not fit the indentation above it"},
};

bool IsUnclosed(std::string_view message) { return message.find("flow not found") != message.npos; }

std::string Reworded(std::string_view message) {
  for (const Wording& wording : kWordings) {
    if (message.starts_with(wording.theirs)) return std::string(wording.ours);
  }
  return "not valid YAML: " + std::string(message);
}

// Where `byte` of the source's text is.
Position PositionAt(std::shared_ptr<const YamlSource> source, std::size_t byte) {
  Position position{source, 0, 0};
  for (std::size_t at = 0; at < byte; ++at) {
    ++position.column;
    if (source->text()[at] == '\n') position = {source, position.line + 1, 0};
  }
  return position;
}

bool RefuseNonText(const std::shared_ptr<const YamlSource>& source, Problems& problems) {
  const std::size_t at = FindNonText(source->text());
  if (at == std::string::npos) return false;
  const std::string_view byte = std::string_view(source->text()).substr(at, 1);
  problems.Add(PositionAt(source, at), "not UTF-8 text: byte " + InBackticks(byte));
  return true;
}

// yaml-cpp blames what follows a tab, never the tab.
std::optional<Position> FindTab(const std::shared_ptr<const YamlSource>& source,
                                std::size_t last_line) {
  for (std::size_t line = 0; line <= last_line; ++line) {
    const std::string_view text = source->Line(line);
    const std::size_t first = text.find_first_not_of(" \t");
    const std::size_t tab = text.find('\t');
    if (tab < first) return Position{source, line, tab};
  }
  return std::nullopt;
}

void AddSyntaxProblem(const YAML::Exception& error, const YamlBuilder& builder,
                      const std::shared_ptr<const YamlSource>& source, Problems& problems) {
  const Position position = builder.PositionOf(error.mark);
  if (const std::optional<Position> tab = FindTab(source, position.line)) {
    problems.Add(*tab, "a tab in the indentation; YAML takes spaces");
  } else if (IsUnclosed(error.msg)) {
    problems.Add(builder.open_position().value_or(position), Reworded(error.msg));
  } else {
    problems.Add(position, Reworded(error.msg));
  }
}

std::vector<std::string> YamlFilesBeside(const std::filesystem::path& path) {
  std::vector<std::string> names;
  std::error_code ignored;
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  for (std::filesystem::directory_iterator it(folder, ignored), end; it != end;
       it.increment(ignored)) {
    const std::filesystem::path extension = it->path().extension();
    if (extension == ".yaml" || extension == ".yml") names.push_back(it->path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

void AddMissing(const std::filesystem::path& path, Problems& problems) {
  std::string message = path.string() + ": no such file";
  if (const auto meant = Suggest(path.filename().string(), YamlFilesBeside(path))) {
    message += "; did you mean `" + (path.parent_path() / *meant).string() + "`?";
  }
  problems.Add({}, message);
}

}  // namespace

YamlNode ParseYaml(std::shared_ptr<const YamlSource> source, Problems& problems, std::size_t from) {
  if (RefuseNonText(source, problems)) return {};
  std::istringstream text(source->text().substr(from));
  YamlBuilder builder(source, from, problems);
  try {
    YAML::Parser parser(text);
    while (builder.documents() < 2 && parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    AddSyntaxProblem(error, builder, source, problems);
  }
  return builder.root();
}

YamlNode ReadYaml(const std::filesystem::path& path, Problems& problems) {
  const std::string label = path.string();
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    AddMissing(path, problems);
    return {};
  }
  InputFile file(path);
  std::string text = file.ReadText(kLargestConfigBytes + 1);
  if (!file.problem().empty()) {
    problems.Add({}, label + ": " + file.problem() + "; a configuration is a YAML file");
    return {};
  }
  if (text.size() > kLargestConfigBytes) {
    problems.Add({}, label + ": too large for a configuration, which has at most 1 MiB");
    return {};
  }
  const auto source = YamlSource::File(label, std::move(text), path.parent_path());
  const std::size_t before = problems.size();
  YamlNode root = ParseYaml(source, problems);
  if (root.is_null() && problems.size() == before) {
    problems.Add({}, label + ": the file is empty");
  }
  return root;
}

}  // namespace weir
