#include "stages/sources/line_reader.h"

#include <cstring>
#include <utility>
#include <variant>

#include "framework/error.h"

namespace weir {
namespace {

constexpr std::size_t kReadAtOnce = 64 << 10;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

FileBytes Opened(const std::filesystem::path& path) {
  Outcome<FileBytes> file = FileBytes::Open({path.string()});
  if (FileBytes* opened = std::get_if<FileBytes>(&file)) return std::move(*opened);
  throw Error(ErrorKind::kData, "'" + path.string() + "' " + std::get<Drop>(file).reason,
              "Check the path.");
}

}  // namespace

LineReader::LineReader(const std::filesystem::path& path) : path_(path), file_(Opened(path)) {
  Fill();
  const std::string_view begin(buffer_.data(), buffer_.size());
  if (begin.starts_with(kByteOrderMark)) begin_ = kByteOrderMark.size();
}

// False at the end of the file.
bool LineReader::Fill() {
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(begin_));
  begin_ = 0;
  const std::size_t kept = buffer_.size();
  buffer_.resize(kept + kReadAtOnce);
  const std::size_t got = file_.ReadSome(read_, buffer_.data() + kept, kReadAtOnce);
  buffer_.resize(kept + got);
  read_ += got;
  if (got < kReadAtOnce && read_ < file_.size()) {
    const std::string failure = file_.failure();
    throw Error(
        ErrorKind::kData,
        "'" + path_.string() + "' " + (failure.empty() ? "cannot be read to its end" : failure),
        "See whether its disk has a fault, or somebody changes it.");
  }
  return got > 0;
}

std::optional<std::string_view> LineReader::Next() {
  std::size_t searched = 0;
  std::string_view line;
  while (true) {
    const std::string_view left(buffer_.data() + begin_, buffer_.size() - begin_);
    const std::size_t end = left.find('\n', searched);
    if (end != std::string_view::npos) {
      line = left.substr(0, end);
      begin_ += end + 1;
      break;
    }
    if (left.size() > kMostBytes) {
      ++number_;
      throw Error(ErrorKind::kData, place() + ": the line is longer than 1 MiB",
                  "Is this the right file?");
    }
    searched = left.size();
    if (Fill()) continue;
    if (searched == 0) return std::nullopt;
    line = {buffer_.data() + begin_, searched};
    begin_ = buffer_.size();
    break;
  }
  ++number_;
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.find('\0') != std::string_view::npos) {
    throw Error(ErrorKind::kData, place() + ": is no text, or of 16 bits a letter",
                "Save it as UTF-8.");
  }
  return line;
}

std::string LineReader::place() const { return path_.string() + ":" + std::to_string(number_); }

}  // namespace weir
