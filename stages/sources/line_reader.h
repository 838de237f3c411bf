// The lines of a text file, one after the other, in bounded memory: 64 KB and the longest line.
//
// One thread. A byte order mark at the beginning (UTF-8's) is passed over; a line may end in "\n"
// or "\r\n", and the last in neither.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

class LineReader {
 public:
  static constexpr std::size_t kMostBytes = std::size_t{1} << 20;  // the longest line that is read

  // Throws Error(kData) where the file cannot be read.
  explicit LineReader(const std::filesystem::path& path);
  // Those of standard input, which may be a pipe. Throws Error(kData) where it is none that ends.
  static LineReader OfStandardInput();

  // The next line without its end, there until the next call. Throws Error(kData) where it is
  // longer than kMostBytes, or holds a zero byte: no text.
  std::optional<std::string_view> Next();

  const std::string& name() const { return name_; }  // that of the file
  std::uint64_t number() const { return number_; }   // the number of that line, from 1 on
  std::string place() const;                         // "photos.csv:3", for messages

 private:
  using Read = std::function<std::size_t(std::uint64_t offset, char* to, std::size_t count)>;
  LineReader(std::string name, Read read);
  bool Fill();

  const std::string name_;    // "photos.csv", for messages
  const Read read_bytes_;     // fewer only at the end; throws where they cannot be read
  std::uint64_t read_ = 0;    // how many bytes of the file have been read
  std::vector<char> buffer_;  // what is read and not yet given begins at begin_
  std::size_t begin_ = 0;
  std::uint64_t number_ = 0;
};

}  // namespace weir
