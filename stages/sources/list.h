// Begins the flow with pictures that are named one by one, or lie anywhere below some folders; what
// is predicted, for one. They have no labels. Every pass but one to validate takes all of them: in
// the order given, a folder's in that of FileListing.
//
//   - list: {paths: [photos, scan.png]}
//   - list: {file: pictures.txt, root: photos}
//
// On a command line "-" is the list on standard input. A file that is named is taken whatever its
// name ends in. Of those in `file` only the first ten are looked up when the list is read, of which
// one has to be there; others are dropped by name where they are not.
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
#include "stages/sources/line_reader.h"
#include "stages/sources/listed_source.h"
#include "stages/sources/listing/file_listing.h"

namespace weir {

class List final : public ListedSource {
 public:
  static constexpr std::string_view kName = "list";
  // In `paths`, as a command hands them on; in a file it would be a path like others.
  static constexpr const char* kStandardInput = "-";
  static constexpr std::string_view kDoc =
      "Takes pictures, and folders of pictures, by their paths, without labels.";

  struct Params {
    std::vector<std::filesystem::path> paths{};
    std::optional<std::filesystem::path> file{};
    std::optional<std::filesystem::path> root{};
    bool shuffle = false;

    static auto Fields() {
      return std::tuple{
          Field{"paths", &Params::paths, "Pictures, and folders that hold pictures."},
          Field{"file", &Params::file, "A text file with the path of a picture on each line."},
          Field{"root", &Params::root,
                "The folder that the paths in `file` begin at; by default the one that it is in."},
          Field{"shuffle", &Params::shuffle,
                "Take them in another order in each epoch, from the seed."}};
    }
    void Check(const Blame& blame) const;
  };

  // Without Classes, as there are no labels.
  static std::vector<ResourceUse> Provides();
  static DataReading<Params> Reads();

  // Throws Error(kData) where one of `paths` does not exist, or a folder has no pictures.
  List(const Params& params, BuildContext& context);

 private:
  void Add(const std::filesystem::path& path);
  void AddLines(LineReader lines, const std::filesystem::path& root);

  std::string path(std::uint64_t index) const override { return files_.path(index); }
  std::size_t listing_bytes() const override { return files_.bytes(); }

  FileListing files_;
};

}  // namespace weir
