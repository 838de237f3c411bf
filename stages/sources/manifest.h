// Begins the flow with the pictures that a table lists, with a label each: CSV, TSV or JSON Lines.
//
//   - manifest: {path: photos.csv, label_column: species, validation_split: 0.2}
//
// Paths in it are relative to its own folder, or to `root`. Labels are names of classes or their
// numbers (label_texts.h). All passes are as listed_source.h has them; the rows of `validation` go
// on counting where those of `path` end. Only the first ten pictures are looked up when the
// table is read, of which one has to be there; others that are not are dropped by name.
//
// The table is read once, when the stage is built: a row costs its path and 13 bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "framework/config/params.h"
#include "framework/flow/data_reading.h"
#include "stages/sources/label_texts.h"
#include "stages/sources/listed_source.h"
#include "stages/sources/listing/file_listing.h"

namespace weir {

class Manifest final : public ListedSource {
 public:
  static constexpr std::string_view kName = "manifest";
  static constexpr std::string_view kDoc =
      "Takes pictures and their labels from a table: CSV, TSV or JSON Lines.";

  struct Params {
    std::filesystem::path path;
    std::string path_column = "path";
    std::string label_column = "label";
    std::optional<std::string> split_column{};
    std::optional<std::filesystem::path> root{};
    double validation_split = 0;
    bool stratified = false;
    std::optional<std::filesystem::path> validation{};
    Auto<std::vector<std::string>> classes{};
    bool shuffle = true;

    static auto Fields() {
      return std::tuple_cat(
          std::tuple{
              Field{"path", &Params::path, "The table; ends in .csv, .tsv, .jsonl or .ndjson.",
                    Required{}},
              Field{"path_column", &Params::path_column, "The column of the pictures' paths."},
              Field{"label_column", &Params::label_column,
                    "The column of their labels: names of classes, or numbers."},
              Field{"split_column", &Params::split_column,
                    "A column that says what a picture is for: train, validation (or val, valid, "
                    "dev), or test. Runs leave out those for test, `evaluate` all others."},
              Field{"root", &Params::root,
                    "The folder that paths begin at; by default the one that the table is in."}},
          SplitFields<Params>(),
          std::tuple{Field{"validation", &Params::validation,
                           "A table of its own to validate with; its labels are among those of "
                           "`path`."}});
    }
    void Check(const Blame& blame) const;
  };

  static DataReading<Params> Reads();

  // Throws Error(kData), with the line, where a table is not as it should be.
  Manifest(Params params, BuildContext& context);

 private:
  void ReadAll(Listing& listing);
  void Read(const std::filesystem::path& table, LabelTexts& labels, Listing& listing);

  std::string path(std::uint64_t index) const override { return files_.path(index); }
  std::size_t listing_bytes() const override { return files_.bytes(); }

  Params params_;      // without its `classes` once it is made
  FileListing files_;  // the files that `path` lists, then those of `validation`
};

}  // namespace weir
