// The rows of a table of pictures: CSV (RFC 4180, the first row names the columns), TSV, or JSON
// Lines, one object a line. Which it is, its ending says: .csv, .tsv, .jsonl or .ndjson.
//
// One thread. Reads on as it goes. Limits: a row of 1 MiB with 65,536 columns. Memory: 64 KB, the
// row twice, and 64 bytes for each of its columns and of the first row's: 8 MB at most.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

// Whether it ends as such a table does.
bool IsManifestName(std::string_view name);

class ManifestReader {
 public:
  virtual ~ManifestReader() = default;

  // Reads of each row the values of `columns`. Throws Error(kData) where the file cannot be read,
  // is of another kind, or lacks one of them.
  static std::unique_ptr<ManifestReader> Open(const std::filesystem::path& path,
                                              const std::vector<std::string>& columns);

  // The next row: the values in the order of `columns`, there until the next call; nothing at the
  // end. Throws Error(kData) where the row is not as it should be.
  virtual std::optional<std::span<const std::string>> Next() = 0;

  virtual std::string place() const = 0;  // "photos.csv:3": where that row begins
};

}  // namespace weir
