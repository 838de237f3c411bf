#include "stages/sources/line_reader.h"

#include <memory>
#include <utility>
#include <variant>

#include "framework/error.h"
#include "framework/input_file.h"
#include "stages/files/file_bytes.h"

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

std::size_t ReadFile(const std::string& name, const FileBytes& file, std::uint64_t offset, char* to,
                     std::size_t count) {
  const std::size_t got = file.ReadSome(offset, to, count);
  if (got == count || offset + got >= file.size()) return got;
  const std::string& failure = file.failure();
  throw Error(ErrorKind::kData,
              "'" + name + "' " + (failure.empty() ? "cannot be read to its end" : failure),
              "See whether its disk has a fault, or somebody changes it.");
}

}  // namespace

LineReader::LineReader(const std::filesystem::path& path)
    : LineReader(path.string(),
                 [name = path.string(), file = std::make_shared<const FileBytes>(Opened(path))](
                     std::uint64_t offset, char* to, std::size_t count) {
                   return ReadFile(name, *file, offset, to, count);
                 }) {}

LineReader LineReader::OfStandardInput() {
  constexpr const char* kName = "standard input";
  const auto refuse = [](const std::string& problem) {
    throw Error(ErrorKind::kData, std::string(kName) + " " + problem,
                "Pipe a list into it: find photos -name '*.jpg' | weir predict first -");
  };
  const auto file = std::make_shared<InputFile>("/dev/stdin");
  if (!file->problem().empty()) refuse(file->problem());
  return {kName, [file, refuse](std::uint64_t, char* to, std::size_t count) {
            const std::size_t got = file->Read(to, count);
            if (!file->problem().empty()) refuse(file->problem());
            return got;
          }};
}

LineReader::LineReader(std::string name, Read read)
    : name_(std::move(name)), read_bytes_(std::move(read)) {
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
  const std::size_t got = read_bytes_(read_, buffer_.data() + kept, kReadAtOnce);
  buffer_.resize(kept + got);
  read_ += got;
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

std::string LineReader::place() const { return name_ + ":" + std::to_string(number_); }

}  // namespace weir
