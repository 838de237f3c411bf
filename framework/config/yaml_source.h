// Where a value was written, and how that place is shown: file:line:column, the line, a caret.
//
// Sources are immutable and shared; everything here may be used from any thread.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "framework/config/foreign_word.h"

namespace weir {

// A text that YAML is read from: a file, or one --set on the command line.
class YamlSource {
 public:
  // Line ends are made '\n' and a byte order mark is taken off. `folder` is what relative paths in
  // this text are relative to. Holds the text once and 8 bytes a line.
  static std::shared_ptr<const YamlSource> File(std::string label, std::string text,
                                                std::filesystem::path folder);
  // What was typed behind `flag`; its paths are relative to the working directory.
  static std::shared_ptr<const YamlSource> Option(const std::string& flag, const std::string& text);

  const std::string& label() const { return label_; }  // "configs/a.yaml", "--set a.b=c"
  const std::string& text() const { return text_; }
  const std::filesystem::path& folder() const { return folder_; }
  bool is_file() const { return is_file_; }
  std::string_view Line(std::size_t line) const;  // from 0; empty past the end
  std::size_t LineStart(std::size_t line) const;  // in bytes; the size of the text past the end

 private:
  void FindLines();

  std::string label_, text_;
  std::vector<std::size_t> line_starts_;
  std::filesystem::path folder_;
  bool is_file_ = true;
};

// A place in a source; lines and columns count from 0, columns in bytes. Without a source it is
// nowhere: a value that the program made.
struct Position {
  std::shared_ptr<const YamlSource> source;
  std::size_t line = 0;
  std::size_t column = 0;
};

// "configs/a.yaml:7:15", or "--set a.b=c"; the column counts characters. Empty where it is nowhere.
std::string PlaceText(const Position& position);

// The message as a person gets it, several lines joined by '\n':
//   configs/a.yaml:7:15: unknown key `horizontl_flip` in augment; did you mean `horizontal_flip`?
//       7 |   - augment: {horizontl_flip: true}
//         |               ^
// The column counts characters from 1, so that an accent before the caret does not move it. A line
// that is longer than a screen is shown around the caret.
std::string Format(const Position& position, std::string_view message);

// Collects what is wrong, so that a person sees all of it at once. Not thread-safe.
class Problems {
 public:
  void Add(Position position, std::string_view message);
  // Something that works, but should be written otherwise.
  void Warn(Position position, std::string_view message);

  bool empty() const { return problems_.empty(); }
  std::size_t size() const { return problems_.size(); }
  // As Format makes them: those of a file in the order of its lines, then those of the --sets.
  std::vector<std::string> messages() const;
  std::string text() const;  // the first 50, joined by '\n'
  std::vector<std::string> warnings() const;

  // The words of other programs that unknown keys are looked for in; `rows` outlives this.
  void set_foreign_words(std::span<const ForeignWord> rows) { foreign_words_ = rows; }
  std::span<const ForeignWord> foreign_words() const { return foreign_words_; }

  // Throws Error(kConfig) with text(), if there are any.
  void ThrowIfAny() const;

 private:
  struct Problem {
    Position position;
    std::string message;
  };
  static std::vector<std::string> Formatted(std::vector<Problem> problems);

  std::vector<Problem> problems_;
  std::vector<Problem> warnings_;
  std::span<const ForeignWord> foreign_words_;
};

}  // namespace weir
