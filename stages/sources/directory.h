// Begins the flow with the pictures of a folder that has a sub-folder for each class.
//
// What Keras' flow_from_directory does: the labels are the positions of the classes in byte order
// (or in the order of `classes`); pictures are found at any depth below a class. What is no
// picture, or lies beside the class folders, is left out and counted (SourceNotes); clutter is not.
// A name in NFC and in NFD is one class (lookalikes.h).
//
// All passes are as listed_source.h has them; the folder `validation` goes on counting where `path`
// ends.
//
// The folders are listed once, when the stage is built: about 40 bytes a file.
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
#include "stages/sources/listed_source.h"
#include "stages/sources/listing/class_folders.h"
#include "stages/sources/listing/file_listing.h"
#include "stages/sources/listing/folder_layout.h"

namespace weir {

class Directory final : public ListedSource {
 public:
  static constexpr std::string_view kName = "directory";
  static constexpr std::string_view kDoc =
      "Lists the pictures of a folder that has a sub-folder for each class.";

  struct Params {
    std::filesystem::path path;
    double validation_split = 0;
    bool stratified = false;
    std::optional<std::filesystem::path> validation{};
    Auto<std::vector<std::string>> classes{};
    bool shuffle = true;
    bool follow_links = true;

    static auto Fields() {
      return std::tuple_cat(
          std::tuple{Field{"path", &Params::path, "The folder with one sub-folder for each class.",
                           Required{},
                           ElsewhereCalled{"directory", "dir", "data_dir", "train_dir", "data_path",
                                           "dataset_path", "folder", "root"}}},
          SplitFields<Params>(),
          std::tuple{
              Field{"validation", &Params::validation,
                    "A folder of its own to validate with; its classes are among those of `path`.",
                    ElsewhereCalled{"val", "val_dir", "valid", "valid_dir", "val_path",
                                    "validation_dir", "validation_data"}},
              Field{"follow_links", &Params::follow_links, "Enter folders that are links.",
                    ElsewhereCalled{"follow_symlinks", "followlinks"}}});
    }
    void Check(const Blame& blame) const { CheckSplit(*this, validation.has_value(), blame); }
  };

  static DataReading<Params> Reads();

  // Throws Error(kData) where the folders do not hold what is asked of them. Without train passes a
  // class that is listed may have no folder and no picture.
  Directory(Params params, BuildContext& context);

 private:
  void ListClasses(Listing& listing);
  void ListValidation(Listing& listing);
  ListedClass AddClass(const std::filesystem::path& folder, const ClassFolders& found, int label,
                       Listing& listing);
  // Tells of a folder of `validation` that is of no class that is trained with.
  void ThrowUnknown(const ClassFolders& found, const std::vector<std::string>& classes) const;
  // What lies in `folder` and belongs to none of the classes.
  void NoteOthers(const char* key, const std::filesystem::path& folder, const ClassFolders& found,
                  Listing& listing) const;

  std::string path(std::uint64_t index) const override { return files_.path(index); }
  std::size_t listing_bytes() const override { return files_.bytes(); }

  Params params_;      // without its `classes` once it is made
  FileListing files_;  // the files of `path`, then those of `validation`
};

}  // namespace weir
