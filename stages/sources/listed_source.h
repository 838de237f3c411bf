// What the sources have in common that list all of their pictures when they are built: the part
// that is kept for validation, and the order of a pass.
//
//   train pass        the training part, shuffled anew each epoch from (seed, epoch)
//   validation pass   the validation part
//   test, predict     all, but what is only there to validate with
//
// All but a shuffled pass go in the order of the listing. A pass starts at pass.first_sample at no
// cost. Sample.index is the position in the listing. Where ranks share a training, train and
// validation passes give this rank's samples alone (RankShare); counts are those of all ranks.
//
// Beside its listing a source holds 4 bytes a picture where there are labels, and a bit where there
// is a validation part: leased when it is opened. Next() is for one thread; the rest may be read by
// any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "framework/config/params.h"
#include "framework/flow/stage.h"
#include "stages/payloads.h"
#include "stages/ranks/ranks.h"
#include "stages/sources/permutation.h"
#include "stages/sources/source_notes.h"
#include "stages/sources/validation_split.h"

namespace weir {

// Parameters that such sources share. `Params` has members of these names, and `validation`.
template <class Params>
auto SplitFields() {
  return std::tuple{
      Field{"validation_split", &Params::validation_split,
            "The part of each class that is kept for validation: as Keras, its first pictures.",
            Range{0, 1},
            ElsewhereCalled{"val_split", "val_fraction", "validation_fraction", "val_size",
                            "val_ratio", "test_size", "valid_pct"}},
      Field{"stratified", &Params::stratified,
            "Draw the validation part of each class by chance, from the seed.",
            ElsewhereCalled{"stratify"}},
      Field{"classes", &Params::classes,
            "The classes in the order of their labels; by default all that there are, sorted.",
            ElsewhereCalled{"class_names", "class_list"}},
      Field{"shuffle", &Params::shuffle, "Train in another order each epoch, from the seed."}};
}

namespace detail {
void CheckClassList(const Blame& blame, const std::vector<std::string>& classes);
}

template <class Params>
void CheckSplit(const Params& params, bool has_validation, const Blame& blame) {
  if (params.validation_split >= 1) {
    blame("validation_split", "`validation_split` takes less than 1");
  }
  if (has_validation && params.validation_split > 0) {
    blame("validation", "`validation` and `validation_split` cannot both be set");
  }
  if (params.stratified && params.validation_split == 0) {
    blame("stratified", "`stratified` says how `validation_split` draws, which is not set");
  }
  if (!params.classes.is_auto()) detail::CheckClassList(blame, params.classes.value());
}

class ListedSource : public SourceStage<ImageFile> {
 public:
  ListedSource(const ListedSource&) = delete;  // the SampleOrder and the ClassCounts point here
  ListedSource& operator=(const ListedSource&) = delete;

  static std::vector<ResourceUse> Provides();

  ItemSpec output() const override { return {}; }
  Footprint footprint() const override;
  // Throws Error(kMemory) where the listing does not fit.
  void Open(OpenContext& context) override;
  void BeginPass(const Pass& pass) override { walk_.emplace(*this, pass, ranks_.get()); }
  std::optional<ImageFile> Next(StageContext& context) override;
  std::optional<std::string> DependsOn(const Pass&, std::uint64_t) const override { return ""; }

  // Empty where there are no labels.
  const std::vector<std::string>& classes() const { return classes_->names; }
  // Pictures of a pass over `split`, in all or of one class.
  std::uint64_t size(Split split) const;
  std::uint64_t size(Split split, int label) const;

 protected:
  // What was listed.
  struct Listing {
    std::uint64_t size = 0;
    std::vector<std::string> classes{};
    std::vector<std::int32_t> labels{};         // one a picture; empty where there are none
    std::uint64_t first_of_validation = kNone;  // from there on they are only to validate with
    std::vector<bool> is_validation{};          // one a picture before that, if the source knows
    double validation_split = 0;
    bool stratified = false;
    bool shuffle = true;
    SourceNotes notes{};
    // The folders that the pictures' paths begin with. The rest of a path tells the picture from
    // others wherever those folders are.
    std::vector<std::filesystem::path> roots{};

    static constexpr std::uint64_t kNone = ~std::uint64_t{0};
  };

  ListedSource(std::string_view name, const BuildContext& context);

  // To be called when all is listed. Provides the Classes with their ClassCounts, the
  // SampleCounts, the SampleOrder, the SourceNotes, to which it adds the classes that look alike,
  // and where there are train passes the PictureLists. Throws Error(kData) where a class has none
  // to train or to validate with.
  void Offer(Listing listing, BuildContext& context);

  // The next picture of the pass that BeginPass() began.
  std::optional<ImageFile> NextListed();

  bool training() const { return training_; }  // whether there will be train passes

  virtual std::string path(std::uint64_t index) const = 0;
  // Where a picture is no file of its own.
  virtual std::optional<FilePart> part(std::uint64_t /*index*/) const { return std::nullopt; }
  virtual std::size_t listing_bytes() const = 0;

 private:
  // The samples of a pass, from its first_sample on.
  class Walk {
   public:
    Walk(const ListedSource& source, const Pass& pass, const Ranks* ranks);
    std::optional<Sample> Next();

   private:
    const ListedSource* source_;
    const Ranks* ranks_;  // null: all samples are walked
    Split split_;
    std::optional<Permutation> shuffle_;
    std::uint64_t first_;
    std::uint64_t walked_ = 0;
    std::uint64_t end_;
  };

  void CheckParts() const;
  std::string DigestOf(Split split, const std::vector<std::filesystem::path>& roots) const;
  std::uint64_t IndexOf(Split split, std::uint64_t position) const;

  const std::string name_;
  const std::uint64_t seed_;
  const bool training_;
  const std::shared_ptr<const Ranks> ranks_;  // null where this process is not one of several
  std::uint64_t size_ = 0;
  std::uint64_t test_size_ = 0;  // without what is only there to validate with
  // Those among the resources, so that they are held once.
  std::shared_ptr<const Classes> classes_ = std::make_shared<Classes>();
  std::vector<std::int32_t> labels_;
  std::vector<std::uint64_t> test_sizes_;  // by label
  std::optional<ValidationSplit> split_;   // where some are for validation
  bool wants_validation_ = false;          // `validation_split` wants some of each class
  bool shuffle_ = true;
  std::optional<Lease> lease_;

  std::optional<Walk> walk_;  // the samples of this pass
};

}  // namespace weir
