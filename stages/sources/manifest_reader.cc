#include "stages/sources/manifest_reader.h"

#include <csv.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <new>
#include <string_view>
#include <utility>

#include "framework/config/suggestion.h"
#include "framework/error.h"
#include "stages/sources/json_object.h"
#include "stages/sources/line_reader.h"
#include "stages/sources/listing/endings.h"

namespace weir {
namespace {

constexpr std::size_t kColumnsShown = 12;
constexpr std::size_t kMostColumns = 65'536;

struct Kind {
  std::string_view ending;
  unsigned char delimiter;  // 0: of JSON Lines
};
constexpr std::array<Kind, 4> kKinds = {
    {{".csv", ','}, {".tsv", '\t'}, {".jsonl", 0}, {".ndjson", 0}}};

std::string Backticked(const std::string& text) { return "`" + text + "`"; }

[[noreturn]] void ThrowNoColumn(const std::string& path, const std::string& column,
                                const std::vector<std::string>& found) {
  std::vector<std::string> shown;
  for (const std::string& name : found) {
    if (shown.size() < kColumnsShown) shown.push_back(Backticked(name));
  }
  throw Error(ErrorKind::kData,
              path + " has no column " + Backticked(column) + DidYouMean(column, found),
              "Its columns are " + Enumerate(shown) + (shown.size() < found.size() ? ", ..." : "") +
                  "; `path_column`, `label_column` and `split_column` say which are meant.");
}

// libcsv's parser and the buffer that it holds.
struct CsvParser {
  explicit CsvParser(unsigned char delimiter) {
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0) throw std::bad_alloc();
    csv_set_delim(&parser, delimiter);
  }
  CsvParser(const CsvParser&) = delete;
  CsvParser& operator=(const CsvParser&) = delete;
  ~CsvParser() { csv_free(&parser); }

  csv_parser parser;
};

class CsvReader final : public ManifestReader {
 public:
  CsvReader(const std::filesystem::path& path, const std::vector<std::string>& columns,
            unsigned char delimiter)
      : path_(path.string()), lines_(path), csv_(delimiter), values_(columns.size()) {
    if (!ReadRow()) {
      throw Error(ErrorKind::kData, path_ + " has no rows",
                  "Its first line names its columns, and each one below is a picture.");
    }
    header_ = std::exchange(fields_, {});
    for (const std::string& column : columns) {
      const auto found = std::find(header_.begin(), header_.end(), column);
      if (found == header_.end()) ThrowNoColumn(path_, column, header_);
      if (std::count(found, header_.end(), column) > 1) {
        throw Error(ErrorKind::kData, path_ + " has the column " + Backticked(column) + " twice",
                    "Rename one of them.");
      }
      places_.push_back(static_cast<std::size_t>(found - header_.begin()));
    }
  }

  std::optional<std::span<const std::string>> Next() override {
    fields_.clear();
    if (!ReadRow()) return std::nullopt;
    if (fields_.size() != header_.size()) {
      throw Error(ErrorKind::kData,
                  place() + ": the row has " + std::to_string(fields_.size()) +
                      (fields_.size() == 1 ? " column" : " columns") + ", and the first row " +
                      std::to_string(header_.size()),
                  "A value that holds the sign between columns, or a quote, stands in quotes.");
    }
    for (std::size_t i = 0; i < places_.size(); ++i) values_[i] = fields_[places_[i]];
    return values_;
  }

  std::string place() const override { return path_ + ":" + std::to_string(row_begin_); }

 private:
  // Called by libcsv, which knows no exceptions: no field is longer than the row that is fed.
  static void AddField(void* text, std::size_t size, void* self) {
    auto& reader = *static_cast<CsvReader*>(self);
    if (reader.fields_.size() > kMostColumns) return;  // ReadRow refuses the row
    reader.fields_.emplace_back(static_cast<const char*>(text), size);
  }
  static void EndRow(int, void* self) { ++static_cast<CsvReader*>(self)->rows_; }

  // False at the end. A row goes on over lines as long as a quote is open; blank lines are none.
  bool ReadRow() {
    rows_ = 0;
    bool has_begun = false;
    std::size_t row_bytes = 0;
    while (const std::optional<std::string_view> line = lines_.Next()) {
      if (!std::exchange(has_begun, has_begun || !line->empty())) row_begin_ = lines_.number();
      row_bytes += line->size();
      if (row_bytes > LineReader::kMostBytes) ThrowMalformed("a quote is not closed");
      Feed(*line);
      Feed("\n");
      if (fields_.size() > kMostColumns) {
        throw Error(
            ErrorKind::kData,
            place() + ": the row has more than " + std::to_string(kMostColumns) + " columns",
            "Is this the right file?");
      }
      if (rows_ > 1) {
        throw Error(ErrorKind::kData, place() + ": the line holds several rows",
                    "Save it with line ends as Linux or Windows have them.");
      }
      if (rows_ == 1) return true;
    }
    if (csv_fini(&csv_.parser, AddField, EndRow, this) != 0)
      ThrowMalformed("a quote is not closed");
    return rows_ == 1;
  }

  void Feed(std::string_view text) {
    if (csv_parse(&csv_.parser, text.data(), text.size(), AddField, EndRow, this) == text.size())
      return;
    if (csv_error(&csv_.parser) == CSV_ENOMEM) throw std::bad_alloc();
    ThrowMalformed("a quote stands within a value");
  }

  [[noreturn]] void ThrowMalformed(const char* what) const {
    throw Error(ErrorKind::kData, place() + ": " + what,
                "A value with quotes stands in quotes, and each of its own is written twice: "
                "\"a \"\"b\"\"\".");
  }

  const std::string path_;
  LineReader lines_;
  CsvParser csv_;
  std::vector<std::string> header_;
  std::vector<std::size_t> places_;  // where the columns that are asked for stand in a row
  std::vector<std::string> fields_;  // the fields of the row that was read last
  std::vector<std::string> values_;
  std::uint64_t row_begin_ = 0;  // the row's first line
  int rows_ = 0;                 // rows that ended since the last one was given
};

class JsonLinesReader final : public ManifestReader {
 public:
  JsonLinesReader(const std::filesystem::path& path, const std::vector<std::string>& columns)
      : lines_(path), columns_(columns), values_(columns.size()) {}

  std::optional<std::span<const std::string>> Next() override {
    std::optional<std::string_view> line = lines_.Next();
    while (line && line->find_first_not_of(" \t") == std::string_view::npos) line = lines_.Next();
    if (!line) return std::nullopt;
    std::optional<JsonObject> row = ReadJsonObject(*line, columns_);
    if (!row) {
      throw Error(ErrorKind::kData, place() + ": is no JSON object",
                  R"(Each line is one: {"path": "a.jpg", "label": "ants"})");
    }
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      JsonObject::Value& value = row->values[i];
      if (!value.is_there) ThrowNoColumn(place(), columns_[i], row->keys);
      if (!value.is_text_or_number) {
        throw Error(
            ErrorKind::kData,
            place() + ": " + Backticked(columns_[i]) + " is neither text nor a whole number",
            "Write it as one.");
      }
      values_[i] = std::move(value.text);
    }
    return values_;
  }

  std::string place() const override { return lines_.place(); }

 private:
  LineReader lines_;
  const std::vector<std::string> columns_;
  std::vector<std::string> values_;
};

}  // namespace

bool IsManifestName(std::string_view name) {
  return std::any_of(kKinds.begin(), kKinds.end(),
                     [&](const Kind& kind) { return HasEnding(name, kind.ending); });
}

std::unique_ptr<ManifestReader> ManifestReader::Open(const std::filesystem::path& path,
                                                     const std::vector<std::string>& columns) {
  for (const Kind& kind : kKinds) {
    if (!HasEnding(path.string(), kind.ending)) continue;
    if (kind.delimiter == 0) return std::make_unique<JsonLinesReader>(path, columns);
    return std::make_unique<CsvReader>(path, columns, kind.delimiter);
  }
  throw Error(ErrorKind::kData, "'" + path.string() + "' is no manifest that weir reads",
              "Manifests end in .csv, .tsv, .jsonl and .ndjson.");
}

}  // namespace weir
