#include "framework/config/yaml_source.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "framework/error.h"
#include "framework/text.h"

namespace weir {
namespace {

constexpr std::size_t kScreenColumns = 100;
constexpr std::string_view kCut = "...";

struct Excerpt {
  std::string line;
  std::size_t caret;  // characters before it
};

Excerpt ExcerptAround(std::string_view whole, std::size_t caret_byte) {
  const std::string line = TerminalLine(whole);
  const std::size_t length = CountCharacters(line);
  const std::size_t caret = CountCharacters(line.substr(0, caret_byte));
  if (length <= kScreenColumns) return {line, caret};
  const std::size_t first = std::min(caret > kScreenColumns / 2 ? caret - kScreenColumns / 2 : 0,
                                     length - kScreenColumns);
  Excerpt excerpt{std::string(Characters(line, first, kScreenColumns)), caret - first};
  if (first > 0) {
    excerpt.line.insert(0, kCut);
    excerpt.caret += kCut.size();
  }
  if (first + kScreenColumns < length) excerpt.line += kCut;
  return excerpt;
}

}  // namespace

std::shared_ptr<const YamlSource> YamlSource::File(std::string label, std::string text,
                                                   std::filesystem::path folder) {
  auto source = std::make_shared<YamlSource>();
  source->label_ = std::move(label);
  source->folder_ = std::move(folder);
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  std::size_t from = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  source->text_.reserve(text.size());
  for (; from < text.size(); ++from) {
    if (text[from] != '\r') {
      source->text_ += text[from];
    } else if (from + 1 == text.size() || text[from + 1] != '\n') {
      source->text_ += '\n';
    }
  }
  source->FindLines();
  return source;
}

std::shared_ptr<const YamlSource> YamlSource::Option(const std::string& flag,
                                                     const std::string& text) {
  auto source = std::make_shared<YamlSource>();
  source->label_ = flag + " " + TerminalLine(text.substr(0, text.find('\n')));
  source->text_ = flag + " " + text;
  source->is_file_ = false;
  source->FindLines();
  return source;
}

void YamlSource::FindLines() {
  line_starts_.push_back(0);
  for (std::size_t at = 0; at < text_.size(); ++at) {
    if (text_[at] == '\n') line_starts_.push_back(at + 1);
  }
}

std::size_t YamlSource::LineStart(std::size_t line) const {
  return line < line_starts_.size() ? line_starts_[line] : text_.size();
}

std::string_view YamlSource::Line(std::size_t line) const {
  const std::size_t begin = LineStart(line);
  const std::string_view rest = std::string_view(text_).substr(begin, LineStart(line + 1) - begin);
  return rest.substr(0, rest.size() - (rest.ends_with('\n') ? 1 : 0));
}

std::string PlaceText(const Position& position) {
  if (!position.source) return "";
  const YamlSource& source = *position.source;
  if (!source.is_file()) return source.label();
  const std::string_view before = source.Line(position.line).substr(0, position.column);
  return source.label() + ":" + std::to_string(position.line + 1) + ":" +
         std::to_string(CountCharacters(before) + 1);
}

std::string Format(const Position& position, std::string_view message) {
  if (!position.source) return std::string(message);
  const YamlSource& source = *position.source;
  const std::string_view whole = source.Line(position.line);
  const auto [line, caret] = ExcerptAround(whole, position.column);

  std::string margin = "  ";
  if (source.is_file()) {
    const std::string number = std::to_string(position.line + 1);
    margin = std::string(number.size() < 5 ? 5 - number.size() : 0, ' ') + number + " | ";
  }
  std::string text = PlaceText(position) + ": " + std::string(message);
  if (whole.empty()) return text;
  text += "\n" + margin + line + "\n";
  if (source.is_file()) margin = std::string(margin.size() - 2, ' ') + "| ";
  return text + margin + std::string(caret, ' ') + "^";
}

void Problems::Add(Position position, std::string_view message) {
  problems_.push_back({std::move(position), std::string(message)});
}

void Problems::Warn(Position position, std::string_view message) {
  warnings_.push_back({std::move(position), std::string(message)});
}

std::vector<std::string> Problems::messages() const { return Formatted(problems_); }
std::vector<std::string> Problems::warnings() const { return Formatted(warnings_); }

namespace {

// Problems without a place first, then those of files by line, then those of options.
constexpr auto kInOrder = [](const auto& a, const auto& b) {
  const auto place = [](const Position& at) {
    const int kind = !at.source ? 0 : at.source->is_file() ? 1 : 2;
    return kind == 1 ? std::tuple(kind, at.line, at.column)
                     : std::tuple(kind, std::size_t{0}, std::size_t{0});
  };
  return place(a.position) < place(b.position);
};

}  // namespace

std::vector<std::string> Problems::Formatted(std::vector<Problem> problems) {
  std::stable_sort(problems.begin(), problems.end(), kInOrder);
  std::vector<std::string> messages;
  for (const Problem& problem : problems)
    messages.push_back(Format(problem.position, problem.message));
  return messages;
}

// Only what is shown is formatted, as the text of a problem is as long as the line that it quotes.
std::string Problems::text() const {
  constexpr std::size_t kMostShown = 50;
  std::vector<Problem> shown = problems_;
  std::stable_sort(shown.begin(), shown.end(), kInOrder);
  if (shown.size() > kMostShown) shown.erase(shown.begin() + kMostShown, shown.end());
  std::string text;
  for (const std::string& message : Formatted(std::move(shown))) {
    text += (text.empty() ? "" : "\n") + message;
  }
  if (problems_.size() > kMostShown) {
    text += "\nand " + std::to_string(problems_.size() - kMostShown) + " more problems";
  }
  return text;
}

void Problems::ThrowIfAny() const {
  if (!empty()) throw Error(ErrorKind::kConfig, text());
}

}  // namespace weir
