#include "pipelines/record/json_lines.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string_view>

#include "framework/error.h"
#include "framework/input_file.h"
#include "framework/write_error.h"
#include "stages/files/atomic_file.h"
#include "stages/files/bounded_json.h"

namespace weir {
namespace {

using nlohmann::json;

constexpr std::size_t kMostLineBytes = 256 << 10;
constexpr std::size_t kReadAtOnce = 64 << 10;  // bytes
constexpr JsonLimits kLimits{.text_bytes = kMostLineBytes, .held_bytes = 16 * kMostLineBytes};
constexpr const char* kElsewhere = "copy the run to another place; then go on with --resume";

// The lines of a file, however long they are.
class Lines {
 public:
  explicit Lines(InputFile& file) : file_(file) {}

  struct Line {
    std::string text;       // its first 256 KiB
    bool is_whole = false;  // all of it is there
    bool is_ended = false;  // a line end stands behind it
  };

  std::optional<Line> Next() {
    Line line;
    std::uint64_t bytes = 0;
    while (at_ < buffer_.size() || Fill()) {
      const std::size_t end = std::min(buffer_.find('\n', at_), buffer_.size());
      const std::string_view piece = std::string_view(buffer_).substr(at_, end - at_);
      bytes += piece.size();
      line.text += piece.substr(0, kMostLineBytes - std::min(kMostLineBytes, line.text.size()));
      line.is_ended = end < buffer_.size();
      at_ = end + (line.is_ended ? 1 : 0);
      if (line.is_ended) break;
    }
    if (bytes == 0 && !line.is_ended) return std::nullopt;
    line.is_whole = bytes <= kMostLineBytes;
    return line;
  }

 private:
  bool Fill() {
    at_ = 0;
    buffer_ = file_.ReadText(kReadAtOnce);
    return !buffer_.empty();
  }

  InputFile& file_;
  std::string buffer_;
  std::size_t at_ = 0;
};

// A file that is written in large pieces.
class Kept {
 public:
  explicit Kept(const std::filesystem::path& path) : file_(path) {}

  void Add(std::string_view line) {
    text_ += line;
    text_ += '\n';
    if (text_.size() >= kReadAtOnce) Flush();
  }
  void Commit() {
    Flush();
    file_.Commit();
  }

 private:
  void Flush() {
    file_.Write(std::as_bytes(std::span(text_)));
    text_.clear();
  }

  AtomicFile file_;
  std::string text_;
};

// Asks what becomes of the line, and changes it where that is to be.
LineUse UseOf(Lines::Line& line, const std::function<LineUse(json&)>& use) {
  if (!line.is_whole) return LineUse::kDamaged;
  try {
    json value = ParseJson(line.text, kLimits);
    const LineUse what = value.is_object() ? use(value) : LineUse::kDamaged;
    if (what == LineUse::kChange) line.text = Dump(value);
    return what;
  } catch (const JsonRefusal&) {
    return LineUse::kDamaged;
  }
}

}  // namespace

std::string SiftLines(const std::filesystem::path& path, const std::function<LineUse(json&)>& use) {
  Kept kept(path);
  std::error_code unknown;
  if (!std::filesystem::exists(path, unknown)) {
    kept.Commit();
    return "";
  }
  InputFile file(path);
  Lines lines(file);
  std::uint64_t number = 0, damaged = 0, first = 0;
  bool is_changed = false;
  while (auto line = lines.Next()) {
    ++number;
    const LineUse what = UseOf(*line, use);
    if (what == LineUse::kKeep || what == LineUse::kChange) kept.Add(line->text);
    is_changed |= what != LineUse::kKeep || !line->is_ended;
    if (what == LineUse::kDamaged && damaged++ == 0) first = number;
  }
  if (!file.problem().empty()) {
    throw Error(ErrorKind::kData, path.string() + " " + file.problem(),
                "Put a file in its place, or remove it: it only tells what was.");
  }
  if (is_changed) kept.Commit();
  if (damaged == 0) return "";
  return path.string() + ": " + std::to_string(damaged) +
         (damaged == 1
              ? " damaged line was left out, line " + std::to_string(first)
              : " damaged lines were left out, from line " + std::to_string(first) + " on");
}

void AppendLine(const std::filesystem::path& path, const json& value) {
  const std::string line = Dump(value) + "\n";
  const int file =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0666);
  if (file < 0) throw WriteError(path, "cannot be opened", errno, kElsewhere);
  struct stat before {};
  int error = ::fstat(file, &before) == 0 ? 0 : errno;
  for (std::string_view rest = line; error == 0 && !rest.empty();) {
    const ssize_t written = ::write(file, rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      error = errno;
      // Best effort: SiftLines takes out what stays torn.
      [[maybe_unused]] const int cut = ::ftruncate(file, before.st_size);
    }
  }
  if (::close(file) != 0 && error == 0) error = errno;
  if (error != 0) throw WriteError(path, "cannot be written", error, kElsewhere);
}

std::string Dump(const json& value, int indent) {
  return value.dump(indent, ' ', false, json::error_handler_t::replace);
}

}  // namespace weir
