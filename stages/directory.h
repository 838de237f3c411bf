// Begins the flow with the pictures of a folder that has a sub-folder for each class.
//
// What Keras' flow_from_directory does: the labels are the positions of the classes in byte order
// (or in the order of `classes`); hidden files and folders are passed over; pictures are found at
// any depth below a class. Files that lie beside the class folders belong to no class and are left
// alone.
//
//   train pass        the training part, shuffled anew each epoch from (seed, epoch)
//   validation pass   the validation part: of the split, or the folder `validation`
//   test, predict     all of `path`
//
// All but a shuffled pass go in the order of the listing. A pass starts at pass.first_sample at no
// cost. Sample.index is the position in the listing; the folder `validation` goes on counting where
// `path` ends.
//
// The folders are listed once, when the stage is built: about 35 bytes a file, which are leased
// when it is opened. Next() is for one thread; the rest may be read by any.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "framework/params.h"
#include "framework/stage.h"
#include "stages/file_listing.h"
#include "stages/payloads.h"
#include "stages/permutation.h"
#include "stages/validation_split.h"

namespace weir {

class Directory final : public SourceStage<ImageFile> {
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
      return std::tuple{
          Field{"path", &Params::path, "The folder with one sub-folder for each class.",
                Required{}},
          Field{"validation_split", &Params::validation_split,
                "The part of each class that is kept for validation: as Keras, its first pictures "
                "by name.",
                Range{0, 1}},
          Field{"stratified", &Params::stratified,
                "Draw the validation part of each class by chance, from the seed."},
          Field{"validation", &Params::validation,
                "A folder of its own to validate with; its classes are among those of `path`."},
          Field{"classes", &Params::classes,
                "The classes in the order of their labels; other sub-folders are left alone."},
          Field{"shuffle", &Params::shuffle, "Train in another order each epoch, from the seed."},
          Field{"follow_links", &Params::follow_links, "Enter folders that are links."}};
    }
    void Check(const Blame& blame) const;
  };

  // Provides the Classes, the SampleCounts and the SampleOrder. Throws Error(kData) where the
  // folders do not hold what is asked of them. Without train passes a class that is listed may have
  // no folder and no picture.
  Directory(const Params& params, BuildContext& context);

  ItemSpec output() const override { return {}; }
  Footprint footprint() const override;
  void Open(OpenContext& context) override;
  void BeginPass(const Pass& pass) override;
  std::optional<ImageFile> Next(StageContext& context) override;
  std::optional<std::string> DependsOn(const Pass&, std::uint64_t) const override { return ""; }

  const std::vector<std::string>& classes() const { return classes_->names; }
  // Pictures of a pass over `split`, in all or of one class.
  std::uint64_t size(Split split) const;
  std::uint64_t size(Split split, int label) const;

 private:
  void ListClasses();
  void ListValidation();
  void CheckSplit() const;
  // The samples of a pass, from its first_sample on.
  class Walk {
   public:
    Walk(const Directory& directory, const Pass& pass);
    std::optional<Sample> Next();

   private:
    const Directory* directory_;
    Split split_;
    std::optional<Permutation> shuffle_;
    std::uint64_t position_;
    std::uint64_t end_;
  };
  std::uint64_t IndexOf(Split split, std::uint64_t position) const;

  const Params params_;
  const std::uint64_t seed_;
  const bool training_;
  std::shared_ptr<Classes> classes_;
  FileListing files_;                            // of `path`, then of `validation`
  std::uint64_t path_files_ = 0;                 // the first of them, of `path`
  std::vector<std::uint64_t> sizes_;             // of the classes in `path`
  std::vector<std::uint64_t> validation_sizes_;  // and in `validation`
  std::optional<ValidationSplit> split_;         // of `path`
  std::optional<Lease> lease_;

  std::optional<Walk> walk_;  // of this pass
};

}  // namespace weir
