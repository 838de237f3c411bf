#include "framework/config/override.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "framework/config/suggestion.h"
#include "framework/config/yaml_reader.h"
#include "framework/text.h"

namespace weir {
namespace {

constexpr std::size_t npos = std::string_view::npos;
constexpr std::string_view kBlanks = " \t";

struct Part {
  std::string name;
  Position position;
};

bool IsIndex(std::string_view name) {
  return name.find_first_not_of("0123456789") == std::string_view::npos;
}

// The name that --set knows an item of a list by, `as` it is called or its key; empty where it has
// none.
std::string ItemName(const YamlNode& item) {
  const std::vector<YamlEntry> entries = item.entries();
  if (entries.size() != 1) return item.scalar();
  const std::optional<YamlNode> as = entries[0].value.Find("as");
  return as && !as->scalar().empty() ? as->scalar() : entries[0].key;
}

std::string Called(const YamlNode& node) {
  return node.path().empty() ? "the configuration" : "`" + node.path() + "`";
}

class Setter {
 public:
  Setter(std::vector<Part> parts, YamlNode value, Problems& problems)
      : parts_(std::move(parts)), value_(std::move(value)), problems_(problems) {}

  // `node` with the value set where parts_[next...] leads.
  YamlNode Set(const YamlNode& node, std::size_t next) {
    if (next == parts_.size()) return value_;
    if (node.is_list()) return SetInList(node, next);
    const Part& part = parts_[next];
    if (node.is_scalar()) {
      problems_.Add(part.position, Called(node) + " is " + node.Shown() + " and has no keys");
      return node;
    }
    const YamlNode old =
        node.Find(part.name).value_or(YamlNode::Null(part.position).Named(part.name, part.name));
    return node.With({part.name, Set(old, next + 1), part.position});
  }

 private:
  YamlNode SetInList(const YamlNode& list, std::size_t next) {
    const std::vector<YamlNode> items = list.items();
    const std::optional<std::size_t> index =
        IsIndex(parts_[next].name) ? FindByIndex(list, next) : FindByName(list, next);
    if (!index) return list;
    const YamlNode& item = items[*index];
    if (!IsIndex(parts_[next].name)) return list.WithItem(*index, SetNamed(item, next));
    const bool names_word =
        next + 1 < parts_.size() && item.is_scalar() && item.scalar() == parts_[next + 1].name;
    return list.WithItem(*index, names_word ? SetNamed(item, next + 1) : Set(item, next + 1));
  }

  // `item` is a map of one key, which parts_[next] names, or that word alone.
  YamlNode SetNamed(const YamlNode& item, std::size_t next) {
    const std::vector<YamlEntry> entries = item.entries();
    const std::string key = entries.empty() ? parts_[next].name : entries[0].key;
    const YamlNode inside =
        entries.empty() ? YamlNode::Null(item.position()).Named(key, key) : entries[0].value;
    const Position position = entries.empty() ? item.position() : entries[0].key_position;
    return YamlNode::Map({{key, Set(inside, next + 1), position}}, item.position());
  }

  std::optional<std::size_t> FindByIndex(const YamlNode& list, std::size_t next) {
    const std::string& text = parts_[next].name;
    const std::size_t count = list.items().size();
    std::size_t index = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), index);
    if (read.ec == std::errc() && index < count) return index;
    problems_.Add(
        parts_[next].position,
        "no item " + text + " in " + Called(list) +
            (count == 0 ? ", which is empty" : ", which has 0 to " + std::to_string(count - 1)));
    return std::nullopt;
  }

  std::optional<std::size_t> FindByName(const YamlNode& list, std::size_t next) {
    const Part& part = parts_[next];
    std::vector<std::string> names;
    std::vector<std::string> matches;
    std::size_t found = 0;
    for (const YamlNode& item : list.items()) {
      if (ItemName(item) == part.name) {
        found = names.size();
        matches.push_back(list.path() + "." + std::to_string(found) + "." + part.name);
      }
      names.push_back(ItemName(item));
    }
    if (matches.size() == 1) return found;
    if (matches.empty()) {
      std::erase(names, "");
      std::string ending = DidYouMean(part.name, names);
      if (ending.empty() && !names.empty()) ending = "; it has " + Enumerate(names);
      problems_.Add(part.position, "no " + InBackticks(part.name) + " in " + Called(list) + ending);
    } else {
      problems_.Add(part.position, "there are " + std::to_string(matches.size()) + " `" +
                                       part.name + "` in " + Called(list) + "; write " +
                                       Enumerate(matches, "or"));
    }
    return std::nullopt;
  }

  std::vector<Part> parts_;
  YamlNode value_;
  Problems& problems_;
};

std::vector<Part> Split(const std::shared_ptr<const YamlSource>& source, std::size_t begin,
                        std::size_t end) {
  std::vector<Part> parts;
  const std::string_view keys = std::string_view(source->text()).substr(0, end);
  while (begin <= end) {
    const std::size_t dot = std::min(keys.find('.', begin), end);
    parts.push_back({std::string(keys.substr(begin, dot - begin)), {source, 0, begin}});
    begin = dot + 1;
  }
  return parts;
}

// Whether `text` can only be meant as YAML: nothing at all, a list or a map in brackets, a text in
// quotes, a map or a list without brackets, several lines.
bool IsYaml(std::string_view text) {
  constexpr std::string_view kKeyLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
  for (const std::string_view nothing : {"", "~", "null", "Null", "NULL"}) {
    if (text == nothing) return true;
  }
  if (text.find_first_of("[{\"'") == 0 || text.starts_with("- ")) return true;
  if (text.find('\n') != npos) return true;
  const std::size_t key = text.find_first_not_of(kKeyLetters);
  return key != npos && key > 0 && text[key] == ':' &&
         (key + 1 == text.size() || text[key + 1] == ' ');
}

// Where in `text` a `#` would begin a comment, from `from` on; npos where none does. That is
// outside of quotes, behind a blank or behind a quote or a bracket that ends a value. A quote and a
// bracket open where a value can begin; within single quotes the quote stands twice for itself.
std::size_t FindComment(std::string_view text, std::size_t from) {
  char quote = 0;  // the quote that is open; 0 where none is
  int brackets = 0;
  bool is_value_ended = false;  // the character before ended it
  char last = ' ';              // the last character that is no blank; a blank before the first
  for (std::size_t at = from; at < text.size(); ++at) {
    const char c = text[at];
    const bool was_value_ended = std::exchange(is_value_ended, false);
    const bool can_value_begin = std::string_view(" [{,:").find(last) != npos;
    if (quote != 0) {
      const bool is_escape = quote == '"' ? c == '\\' : text.substr(at, 2) == "''";
      if (is_escape) {
        ++at;
      } else if (c == quote) {
        quote = 0;
        is_value_ended = true;
      }
    } else if (can_value_begin && (c == '"' || c == '\'')) {
      quote = c;
    } else if (can_value_begin && (c == '[' || c == '{')) {
      ++brackets;
    } else if (brackets > 0 && (c == ']' || c == '}')) {
      --brackets;
      is_value_ended = true;
    } else if (c == '#' && at > from && (was_value_ended || kBlanks.find(text[at - 1]) != npos)) {
      return at;
    }
    if (kBlanks.find(c) == npos) last = c;
  }
  return npos;
}

// What stands behind the `=`. A comment is never meant there: a plain text is taken as it is,
// without the blanks around it, and in anything else what would be one is refused.
YamlNode ReadValue(const std::shared_ptr<const YamlSource>& source, std::size_t from,
                   Problems& problems) {
  const std::string_view text = source->text();
  const std::size_t begin = std::min(text.find_first_not_of(kBlanks, from), text.size());
  const std::string_view value = text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
  if (!IsYaml(value) && FindNonText(text) == npos) {
    return YamlNode::Scalar(std::string(value), false, {source, 0, begin});
  }
  const std::size_t comment = FindComment(text, begin);
  if (comment != npos && text.find('\n') == npos) {
    problems.Add({source, 0, comment},
                 "a `#` begins a comment here: put the text that it belongs to in quotes");
    return {};
  }
  return ParseYaml(source, problems, from);
}

}  // namespace

YamlNode ApplyOverride(const YamlNode& tree, const std::string& option, Problems& problems,
                       const std::string& flag) {
  const auto source = YamlSource::Option(flag, option);
  const std::size_t begin = source->text().size() - option.size();
  const std::size_t equals = source->text().find('=', begin);
  if (equals == std::string::npos || equals == begin) {
    problems.Add({source, 0, equals == begin ? begin : source->text().size()},
                 "write a key and its value: " + flag + " KEY=VALUE");
    return tree;
  }
  const std::vector<Part> parts = Split(source, begin, equals);
  for (const Part& part : parts) {
    if (!part.name.empty()) continue;
    problems.Add(part.position, "a name is missing in the path of the key");
    return tree;
  }
  if (parts.size() > kDeepestConfig) {
    problems.Add(parts.back().position, "more than 100 names in the path of the key");
    return tree;
  }

  const std::size_t before = problems.size();
  YamlNode value = ReadValue(source, equals + 1, problems);
  if (value.is_null()) value = value.At({source, 0, equals + 1});
  if (problems.size() > before) return tree;
  YamlNode changed = Setter(parts, value, problems).Set(tree, 0);
  return problems.size() > before ? tree : changed;
}

}  // namespace weir
