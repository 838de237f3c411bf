#include "stages/sources/webdataset.h"

#include <algorithm>
#include <map>
#include <utility>

#include "framework/error.h"
#include "stages/sources/label_texts.h"
#include "stages/sources/shard_paths.h"

namespace weir {
namespace {

// The samples of all shards, and what stands beside them.
class Reading {
 public:
  Reading(const Webdataset::Params& params, ShardIndex& index, std::vector<std::int32_t>& labels)
      : params_(params), index_(index), labels_(labels), texts_(params.classes) {}

  void Add(const std::string& key, const std::vector<std::filesystem::path>& paths) {
    const std::uint64_t before = index_.size();
    for (const std::filesystem::path& path : paths) {
      for (const std::string& shard : ShardsOf(key, path)) {
        index_.AddShard(shard, params_.label,
                        [this](const ShardIndex::Notes& notes, const std::string& place) {
                          AddSample(notes, place);
                        });
      }
    }
    if (index_.size() > before) return;
    throw Error(ErrorKind::kData, key + ": the shards have no pictures",
                "Pictures end in " + PictureEndings() + ".");
  }

  void Close() { texts_.Close(); }

  std::vector<std::string> Classes() {
    std::vector<std::string> classes = texts_.Settle(labels_);
    const bool all_named =
        std::all_of(classes.begin(), classes.end(),
                    [this](const std::string& name) { return class_names_.contains(name); });
    if (!params_.classes.is_auto() || !all_named) return classes;
    for (std::string& name : classes) name = class_names_.at(name);
    return classes;
  }

 private:
  bool IsGiven(const std::string& name) const {
    if (params_.classes.is_auto()) return false;
    const std::vector<std::string>& given = params_.classes.value();
    return std::find(given.begin(), given.end(), name) != given.end();
  }

  void AddSample(const ShardIndex::Notes& notes, const std::string& place) {
    // A number says less than a name, if that is one of `classes`.
    const bool by_name = notes.label.empty() || IsGiven(notes.class_name);
    const std::string& label = by_name ? notes.class_name : notes.label;
    const bool is_first = index_.size() == 1;
    if (!is_first && label.empty() != labels_.empty()) {
      throw Error(ErrorKind::kData,
                  place + (label.empty() ? " has no label, and those before it have"
                                         : " has a label, and those before it have none"),
                  "Either all samples have one or none has; `label` says what its file ends in.");
    }
    if (label.empty()) return;
    labels_.push_back(texts_.Add(label, [&] { return place; }));
    if (notes.label.empty() || notes.class_name.empty()) return;
    const auto [named, is_new] = class_names_.emplace(notes.label, notes.class_name);
    if (is_new || named->second == notes.class_name) return;
    throw Error(ErrorKind::kData,
                place + ": the label " + notes.label + " is '" + notes.class_name +
                    "' here, and was '" + named->second + "' before",
                "Shards that are taken together have the same labels.");
  }

  const Webdataset::Params& params_;
  ShardIndex& index_;
  std::vector<std::int32_t>& labels_;
  LabelTexts texts_;
  std::map<std::string, std::string> class_names_;  // by the label's text
};

}  // namespace

void Webdataset::Params::Check(const Blame& blame) const {
  CheckSplit(*this, !validation.empty(), blame);
  if (shards.empty()) blame("shards", "`shards` takes one at least");
}

Webdataset::Webdataset(const Params& params, BuildContext& context)
    : ListedSource(kName, context), params_(params) {
  Listing listing{.validation_split = params_.validation_split,
                  .stratified = params_.stratified,
                  .shuffle = params_.shuffle};
  Reading reading(params_, index_, listing.labels);
  reading.Add("webdataset.shards", params_.shards);
  if (!params_.validation.empty()) {
    listing.first_of_validation = index_.size();
    reading.Close();
    reading.Add("webdataset.validation", params_.validation);
  }
  listing.size = index_.size();
  listing.classes = reading.Classes();
  if (listing.labels.empty()) {
    listing.classes.clear();
    if (params_.validation_split > 0) {
      throw Error(ErrorKind::kData,
                  "webdataset.validation_split: the samples have no labels to split by",
                  "`label` says what the files with the labels end in.");
    }
  }
  Offer(std::move(listing), context);
}

}  // namespace weir
