#include "framework/config/params.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>
#include <utility>
#include <variant>

#include "framework/config/address.h"
#include "framework/config/foreign_word.h"
#include "framework/config/home_folder.h"
#include "framework/config/suggestion.h"
#include "framework/text.h"

namespace weir {
namespace {

std::string Shortest(double value) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return std::string(text.data(), end);
}

// "`epochs`", or what the root is called.
std::string Named(const YamlNode& node) {
  return node.name().empty() ? "the configuration" : "`" + node.name() + "`";
}

std::string InWhere(const YamlNode& node) {
  return node.name().empty() ? "" : " in " + node.name();
}

// `text` as one decimal number, read to the end.
template <class T>
std::errc ReadAll(std::string_view text, T& value) {
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.starts_with("+") || text.empty()) return std::errc::invalid_argument;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return end != text.data() + text.size() ? std::errc::invalid_argument : error;
}

bool IsWhole(std::string_view text) {
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool IsPlain(const YamlNode& node) { return node.is_scalar() && !node.quoted(); }

// Whether nothing is written as `~` there: YAML's word for it, and a shell's for the home folder.
bool IsTilde(const YamlNode& node) {
  const Position& at = node.position();
  if (!at.source) return false;
  const std::string_view line = at.source->Line(at.line);
  return at.column < line.size() && line[at.column] == '~';
}

std::vector<std::string> Texts(const std::vector<Choice>& choices) {
  std::vector<std::string> texts;
  for (const Choice& choice : choices) texts.push_back(choice.text);
  return texts;
}

const Choice* FindChoice(const YamlNode& node, const FieldRules& rules, Problems& problems) {
  if (node.is_scalar()) {
    for (const Choice& choice : rules.choices) {
      if (choice.text == node.scalar()) return &choice;
    }
  }
  const std::string ending =
      node.is_scalar() ? DidYouMean(node.scalar(), Texts(rules.choices)) : "";
  detail::AddWrongType(node, rules, detail::ChoicesInWords(rules), problems, ending);
  return nullptr;
}

// What is said of a key that a struct of these keys does not have.
std::string UnknownKeyText(const YamlNode& node, const YamlEntry& entry,
                           const std::vector<std::string>& known,
                           std::span<const detail::ForeignName> foreign,
                           std::span<const ForeignWord> foreign_words) {
  for (const detail::ForeignName& name : foreign) {
    if (name.word != WithUnderscores(entry.key)) continue;
    return InBackticks(entry.key) + " is called " + InBackticks(name.field) + " here";
  }
  if (const ForeignWord* row = FindForeignWord(foreign_words, node.path(), entry.key)) {
    const auto& source = entry.key_position.source;
    const bool is_option = source && !source->is_file();
    return AdviceOn(*row, entry.key, entry.value.scalar(),
                    is_option ? AdviceForm::kOption : AdviceForm::kYaml,
                    ItemThatHas(*row, node.path(), known));
  }
  std::string ending = DidYouMean(entry.key, known);
  if (ending.empty()) ending = known.empty() ? "; it takes none" : "; it takes " + Enumerate(known);
  return "unknown key " + InBackticks(entry.key) + InWhere(node) + ending;
}

// `form` of a number, within the rules.
YamlNode WithLimits(YamlNode form, const FieldRules& rules) {
  const auto limit = [&form](const char* keyword, const std::optional<Bound>& bound) {
    if (bound) form = form.With({keyword, YamlNode::Scalar(bound->text)});
  };
  limit(rules.is_low_excluded ? "exclusiveMinimum" : "minimum", rules.low);
  limit("maximum", rules.high);
  return form;
}

}  // namespace

Bound::Bound(double number) : value(number), text(Shortest(number)) {}

void Blame::operator()(std::string_view field, std::string_view message) const {
  const std::optional<YamlNode> value = node_.Find(field);
  problems_.Add(value ? value->position() : node_.position(), message);
}

namespace detail {

void AddWrongType(const YamlNode& node, const FieldRules& rules, const std::string& expected,
                  Problems& problems, const std::string& ending) {
  const std::string start =
      Named(node) + " takes " + (rules.is_auto_allowed ? "auto or " : "") + expected;
  problems.Add(node.position(), node.is_null() ? start + ", but nothing is written there"
                                               : start + ", not " + node.Shown() + ending);
}

std::string RangeInWords(const FieldRules& rules) {
  if (!rules.low) return "";
  if (rules.high) return rules.low->text + " to " + rules.high->text;
  return rules.is_low_excluded ? "more than " + rules.low->text : rules.low->text + " or more";
}

bool IsInRange(const YamlNode& node, const FieldRules& rules, long double value,
               Problems& problems) {
  const bool low_ok = !rules.low || value > rules.low->value ||
                      (!rules.is_low_excluded && value == rules.low->value);
  if (low_ok && (!rules.high || value <= rules.high->value)) return true;
  problems.Add(node.position(), Named(node) + " takes " +
                                    (rules.is_auto_allowed ? "auto or " : "") +
                                    RangeInWords(rules) + ", not " + node.scalar());
  return false;
}

std::optional<bool> ReadBool(const YamlNode& node, const FieldRules& rules, Problems& problems) {
  if (IsPlain(node)) {
    for (const char* yes : {"true", "True", "TRUE"}) {
      if (node.scalar() == yes) return true;
    }
    for (const char* no : {"false", "False", "FALSE"}) {
      if (node.scalar() == no) return false;
    }
  }
  AddWrongType(node, rules, "true or false", problems);
  return std::nullopt;
}

template <class T>
std::optional<T> ReadWhole(const YamlNode& node, const FieldRules& rules, Problems& problems) {
  if (!IsPlain(node) || !IsWhole(node.scalar())) {
    AddWrongType(node, rules, "a whole number", problems);
    return std::nullopt;
  }
  T value{};
  if (ReadAll(node.scalar(), value) == std::errc()) {
    return IsInRange(node, rules, value, problems) ? std::optional(value) : std::nullopt;
  }
  const bool negative = node.scalar().starts_with('-');
  std::string limit = RangeInWords(rules);
  if (limit.empty()) {
    using Limits = std::numeric_limits<T>;
    limit = "a whole number of at " + (negative ? "least " + std::to_string(Limits::min())
                                                : "most " + std::to_string(Limits::max()));
  }
  AddWrongType(node, rules, limit, problems);
  return std::nullopt;
}
template std::optional<int> ReadWhole(const YamlNode&, const FieldRules&, Problems&);
template std::optional<std::int64_t> ReadWhole(const YamlNode&, const FieldRules&, Problems&);
template std::optional<std::uint64_t> ReadWhole(const YamlNode&, const FieldRules&, Problems&);

std::optional<double> ReadNumber(const YamlNode& node, const FieldRules& rules,
                                 Problems& problems) {
  const std::string& text = node.scalar();
  const std::size_t slash = text.find('/');
  double value = 0;
  double divisor = 1;
  std::errc error = ReadAll(std::string_view(text).substr(0, slash), value);
  if (error == std::errc() && slash != std::string::npos) {
    error = ReadAll(std::string_view(text).substr(slash + 1), divisor);
  }
  if (error == std::errc::result_out_of_range) {
    AddWrongType(node, rules, "a number that a double can hold", problems);
  } else if (error != std::errc()) {
    AddWrongType(node, rules, "a number", problems);
  } else if (!std::isfinite(value / divisor)) {
    AddWrongType(node, rules, "a finite number", problems);
  } else if (IsInRange(node, rules, value / divisor, problems)) {
    return value / divisor;
  }
  return std::nullopt;
}

std::optional<std::string> ReadText(const YamlNode& node, const FieldRules& rules,
                                    Problems& problems) {
  if (!rules.choices.empty()) {
    const Choice* choice = FindChoice(node, rules, problems);
    return choice ? std::optional(choice->text) : std::nullopt;
  }
  if (node.is_scalar()) return node.scalar();
  AddWrongType(node, rules, "text", problems);
  return std::nullopt;
}

std::optional<std::filesystem::path> ReadPath(const YamlNode& node, const FieldRules& rules,
                                              Problems& problems) {
  const std::shared_ptr<const YamlSource>& source = node.position().source;
  const std::string text = node.is_null() && IsTilde(node) ? "~" : node.scalar();
  if (text.empty()) {
    AddWrongType(node, rules, "a path", problems);
    return std::nullopt;
  }
  if (IsAddress(text)) return std::filesystem::path(text);
  std::variant<std::filesystem::path, std::string> read = WithHomeFolder(text);
  if (const std::string* wrong = std::get_if<std::string>(&read)) {
    problems.Add(node.position(), Named(node) + " takes a path, and " + *wrong);
    return std::nullopt;
  }
  std::filesystem::path& path = std::get<std::filesystem::path>(read);
  return source ? source->folder() / path : std::move(path);
}

std::optional<ByteSize> ReadByteSize(const YamlNode& node, const FieldRules& rules,
                                     Problems& problems) {
  if (!node.is_scalar()) {
    AddWrongType(node, rules, "a size such as 512MiB", problems);
    return std::nullopt;
  }
  const std::variant<ByteSize, std::string> read = ParseByteSize(node.scalar());
  if (const ByteSize* size = std::get_if<ByteSize>(&read)) {
    return IsInRange(node, rules, size->bytes, problems) ? std::optional(*size) : std::nullopt;
  }
  problems.Add(node.position(), Named(node) + " takes " +
                                    (rules.is_auto_allowed ? "auto or " : "") + "a size, and " +
                                    std::get<std::string>(read));
  return std::nullopt;
}

std::optional<Duration> ReadDuration(const YamlNode& node, const FieldRules& rules,
                                     Problems& problems) {
  if (!node.is_scalar()) {
    AddWrongType(node, rules, "a length of time such as 90s", problems);
    return std::nullopt;
  }
  const std::variant<Duration, std::string> read = ParseDuration(node.scalar());
  if (const Duration* duration = std::get_if<Duration>(&read)) {
    return IsInRange(node, rules, duration->seconds, problems) ? std::optional(*duration)
                                                               : std::nullopt;
  }
  problems.Add(node.position(), Named(node) + " takes " +
                                    (rules.is_auto_allowed ? "auto or " : "") +
                                    "a length of time, and " + std::get<std::string>(read));
  return std::nullopt;
}

std::optional<std::int64_t> ReadChoice(const YamlNode& node, const FieldRules& rules,
                                       Problems& problems) {
  const Choice* choice = FindChoice(node, rules, problems);
  return choice ? std::optional(choice->value) : std::nullopt;
}

std::optional<std::vector<YamlNode>> ReadList(const YamlNode& node, const FieldRules& rules,
                                              const std::string& expected, std::size_t length,
                                              Problems& problems) {
  if (!node.is_list()) {
    AddWrongType(node, rules, expected, problems);
    return std::nullopt;
  }
  std::vector<YamlNode> items = node.items();
  if (length == 0 || items.size() == length) return items;
  problems.Add(node.position(),
               Named(node) + " takes " + expected + ", not " + std::to_string(items.size()));
  return std::nullopt;
}

bool IsAuto(const YamlNode& node) { return node.is_scalar() && node.scalar() == "auto"; }

YamlNode WriteNumber(double value) { return YamlNode::Scalar(Shortest(value)); }

YamlNode WriteText(const std::string& text) {
  bool quoted = text.empty();
  for (const char* word : {"true", "false", "null", "yes", "no", "on", "off", "auto"}) {
    quoted = quoted || text == word;
  }
  double number;
  quoted = quoted || ReadAll(text, number) != std::errc::invalid_argument;
  return YamlNode::Scalar(text, quoted);
}

YamlNode WritePath(const std::filesystem::path& path) {
  if (path.empty()) return YamlNode::Scalar("", true);
  if (IsAddress(path.native())) return WriteText(path.native());
  return WriteText(std::filesystem::absolute(path).lexically_normal().string());
}

YamlNode WriteChoice(std::int64_t value, const FieldRules& rules) {
  for (const Choice& choice : rules.choices) {
    if (choice.value == value) return YamlNode::Scalar(choice.text);
  }
  return YamlNode();
}

std::string ChoicesInWords(const FieldRules& rules) {
  return Enumerate(Texts(rules.choices), "or");
}

YamlNode WholeSchema(const FieldRules& rules) {
  return WithLimits(schema::OfType("integer"), rules);
}

// YAML's readers take 1e-3 and 1/255 for texts.
YamlNode NumberSchema(const FieldRules& rules) {
  constexpr const char* kNumber = R"([-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?)";
  return schema::AnyOf({WithLimits(schema::OfType("number"), rules),
                        schema::Matching("^" + std::string(kNumber) + "(/" + kNumber + ")?$")});
}

YamlNode TextSchema(const FieldRules& rules) {
  return rules.choices.empty() ? schema::Text() : schema::OneOf(Texts(rules.choices));
}

YamlNode ByteSizeSchema() {
  const YamlNode bytes = schema::OfType("integer").With({"minimum", YamlNode::Scalar("0")});
  return schema::AnyOf(
      {bytes, schema::Matching(R"(^[0-9]+(\.[0-9]{1,6})? ?([kKmMgGtT][iI]?)?[bB]$)")});
}

YamlNode DurationSchema() {
  const YamlNode seconds = schema::OfType("number").With({"minimum", YamlNode::Scalar("0")});
  return schema::AnyOf(
      {seconds, schema::Matching(R"(^[0-9.]+([eE][-+]?[0-9]+)? ?(ms|s|min|h|d)$)")});
}

bool IsStruct(const YamlNode& node, const std::vector<std::string>& fields,
              std::span<const std::string> others, std::span<const ForeignName> foreign,
              Problems& problems) {
  if (node.is_null()) return true;
  if (!node.is_map()) {
    problems.Add(node.position(), Named(node) + " takes a map of keys, not " + node.Shown());
    return false;
  }
  std::vector<std::string> known = fields;
  known.insert(known.end(), others.begin(), others.end());
  for (const YamlEntry& entry : node.entries()) {
    if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
    problems.Add(entry.key_position,
                 UnknownKeyText(node, entry, known, foreign, problems.foreign_words()));
  }
  return true;
}

bool IsForeignNameWritten(const YamlNode& node, const FieldRules& rules) {
  const std::vector<YamlEntry> entries = node.entries();
  return std::any_of(entries.begin(), entries.end(), [&](const YamlEntry& entry) {
    const std::string word = WithUnderscores(entry.key);
    return std::find(rules.foreign_names.begin(), rules.foreign_names.end(), word) !=
           rules.foreign_names.end();
  });
}

std::optional<YamlNode> FindField(const YamlNode& node, std::string_view field,
                                  const FieldRules& rules, Problems& problems) {
  std::optional<YamlNode> found = node.Find(field);
  for (const std::string& old : rules.old_names) {
    const std::optional<YamlNode> written = node.Find(old);
    if (!written) continue;
    const std::string message = "`" + old + "` is called `" + std::string(field) + "` now";
    if (found) {
      problems.Add(written->position(), message + ", which stands there too: remove one of them");
    } else {
      problems.Warn(written->position(), message);
      found = written;
    }
  }
  return found;
}

void AddMissing(const YamlNode& node, std::string_view field, Problems& problems) {
  problems.Add(node.position(),
               "missing required key `" + std::string(field) + "`" + InWhere(node));
}

}  // namespace detail
}  // namespace weir
