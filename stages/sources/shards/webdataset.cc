#include "stages/sources/shards/webdataset.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "framework/byte_size.h"
#include "framework/error.h"
#include "stages/files/class_names.h"
#include "stages/files/remote/remote_address.h"
#include "stages/sources/label_texts.h"
#include "stages/sources/listing/endings.h"
#include "stages/sources/listing/lookalikes.h"
#include "stages/sources/listing/picture_names.h"
#include "stages/sources/shards/shard_paths.h"

namespace weir {
namespace {

std::vector<std::string> Lowered(std::vector<std::string> endings) {
  for (std::string& ending : endings) ending = LowerCase(std::move(ending));
  return endings;
}

std::string NoteOnServers(const ShardIndex& index) {
  const std::uint64_t shards = index.remote_shards();
  return std::to_string(shards) + (shards == 1 ? " shard" : " shards") + " on servers, " +
         ToRoundText(ByteSize{index.remote_bytes()}) +
         " in all: " + ToRoundText(ByteSize{index.client()->fetched_bytes()}) +
         " were fetched to list them, and each pass fetches its pictures";
}

// The samples of all shards, and what stands beside them.
class Reading {
 public:
  Reading(const Webdataset::Params& params, ShardIndex& index, std::vector<std::int32_t>& labels)
      : endings_{.label = LowerCase(params.label),
                 .images = Lowered(params.image.value_or({})),
                 .class_key = params.class_key},
        names_labels_(params.classes.is_auto()),
        index_(index),
        labels_(labels),
        texts_(params.classes) {}

  void Add(const std::string& key, const std::vector<std::filesystem::path>& paths) {
    const std::uint64_t before = index_.size();
    for (const std::filesystem::path& path : paths) {
      ForEachShard(key, path, [&](const std::string& shard) { AddShard(key, shard); });
    }
    if (index_.size() > before) return;
    const LeftOut& others = index_.left_out();
    throw Error(
        ErrorKind::kData,
        key + ": the shards have no pictures" + (others.empty() ? "" : ", but " + others.Kinds()),
        "Pictures end in " + PictureEndings() + ".");
  }

  void Close() { texts_.Close(); }

  // The folders that the shards lie in.
  std::vector<std::filesystem::path> Folders() const {
    std::set<std::filesystem::path> folders;
    for (const std::string& shard : shards_) {
      const std::string name = IsRemote(shard) ? ShownRemote(shard) : shard;
      folders.insert(std::filesystem::path(name).parent_path());
    }
    return {folders.begin(), folders.end()};
  }

  std::vector<std::string> Classes() {
    std::vector<std::string> classes = texts_.Settle(labels_);
    const bool all_named = std::all_of(
        classes.begin(), classes.end(),
        [this](const std::string& label) { return class_names_.contains(Composed(label)); });
    if (!names_labels_ || !all_named) return classes;
    std::map<std::string, std::string> labels;  // by the names
    for (std::string& name : classes) {
      const std::string label = std::exchange(name, class_names_.at(Composed(name)));
      const auto [other, is_new] = labels.emplace(name, label);
      if (is_new) continue;
      throw Error(ErrorKind::kData,
                  "webdataset: the labels " + other->second + " and " + label +
                      " are both named '" + name + "'",
                  kAboutNames);
    }
    return classes;
  }

 private:
  enum class LabelIn { kNone, kFile, kNotes };

  void AddShard(const std::string& key, const std::string& shard) {
    // "a/./b.tar" is "a/b.tar".
    const bool is_remote = IsRemote(shard);
    const std::string name =
        is_remote ? shard : std::filesystem::path(shard).lexically_normal().string();
    if (!shards_.insert(name).second) {
      throw Error(ErrorKind::kData,
                  key + ": " + (is_remote ? ShownRemote(shard) : shard) + " is named twice",
                  "Name it once.");
    }
    index_.AddShard(shard, endings_,
                    [this](const ShardIndex::Notes& notes, const std::string& place) {
                      AddSample(notes, place);
                    });
  }

  static constexpr const char* kAboutNames =
      "`class_key` says which key has the names of the classes; \"\" leaves them out.";

  void CheckLikeOthers(const ShardIndex::Notes& notes, const std::string& place) {
    const LabelIn here = !notes.label.empty()       ? LabelIn::kFile
                         : notes.class_name.empty() ? LabelIn::kNone
                                                    : LabelIn::kNotes;
    if (index_.size() == 1) label_in_ = here;
    if (here == label_in_) return;
    throw Error(ErrorKind::kData,
                place + (here == LabelIn::kNone ? " has no label, and those before it have"
                         : label_in_ == LabelIn::kNone
                             ? " has a label, and those before it have none"
                             : " has its label in another file than those before it"),
                "All samples have their labels alike, or none has; `label` says what their files "
                "end in.");
  }

  void AddSample(const ShardIndex::Notes& notes, const std::string& place) {
    CheckLikeOthers(notes, place);
    if (label_in_ == LabelIn::kNone) return;
    // A number says less than a name, if that is one of `classes`.
    const bool by_name = notes.label.empty() || texts_.IsGiven(notes.class_name);
    labels_.push_back(texts_.Add(by_name ? notes.class_name : notes.label, [&] { return place; }));
    if (by_name || notes.class_name.empty()) return;
    CheckLength(notes.class_name, place);
    const auto [named, is_new] = class_names_.emplace(Composed(notes.label), notes.class_name);
    if (is_new) CountName(notes.class_name, place);
    if (is_new || Composed(named->second) == Composed(notes.class_name)) return;
    throw Error(ErrorKind::kData,
                place + ": the label " + notes.label + " is '" + notes.class_name +
                    "' here, and was '" + named->second + "' before",
                kAboutNames);
  }

  static void CheckLength(const std::string& class_name, const std::string& place) {
    if (class_name.size() <= kLongestClassName) return;
    throw Error(ErrorKind::kData, place + ": the name of the class is longer than 4 KiB",
                kAboutNames);
  }

  void CountName(const std::string& class_name, const std::string& place) {
    names_bytes_ += class_name.size();
    if (names_bytes_ <= kMostClassNamesBytes) return;
    throw Error(ErrorKind::kData,
                place + ": the names of the classes up to here take more than 16 MiB", kAboutNames);
  }

  const ShardIndex::Endings endings_;
  const bool names_labels_;  // by class_names_, where all have one
  ShardIndex& index_;
  std::vector<std::int32_t>& labels_;
  LabelTexts texts_;
  LabelIn label_in_ = LabelIn::kNone;
  std::set<std::string> shards_;
  std::map<std::string, std::string> class_names_;  // by the label's text, composed
  std::size_t names_bytes_ = 0;                     // taken by class_names_
};

}  // namespace

void Webdataset::Params::Check(const Blame& blame) const {
  CheckSplit(*this, !validation.empty(), blame);
  if (shards.empty()) blame("shards", "`shards` takes one at least");
}

DataReading<Webdataset::Params> Webdataset::Reads() {
  return {
      .use = DataUse::kLabelled,
      .fit =
          [](const std::filesystem::path& data) {
            const bool are_shards =
                IsShardName(IsRemote(data.native()) ? ShownRemote(data.native()) : data.string()) ||
                HoldsShards(data);
            return are_shards ? DataFit::kMade : DataFit::kNone;
          },
      .parameter = "shards",
      .member = &Params::shards,
      .kept = {"label", "image", "class_key", "remote"}};
}

Webdataset::Webdataset(Params params, BuildContext& context)
    : ListedSource(kName, context),
      params_(std::move(params)),
      workers_(context.workers),
      index_(ShardIndex::Remote{params_.remote.settings(), context.is_interrupted}) {
  Listing listing{.validation_split = params_.validation_split,
                  .stratified = params_.stratified,
                  .shuffle = params_.shuffle};
  ReadAll(listing);
  listing.notes.left_out = index_.left_out();
  if (index_.client()) listing.notes.notes.push_back(NoteOnServers(index_));
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

Footprint Webdataset::footprint() const {
  Footprint footprint = ListedSource::footprint();
  if (!index_.client()) return footprint;
  footprint.held.push_back({"read-ahead from servers", MemoryTag::kReserve,
                            static_cast<std::size_t>(params_.remote.read_ahead.bytes) +
                                RemoteReadAhead::bytes_beside()});
  // Each worker may read a picture that is too large to be read ahead.
  footprint.held.push_back({"connections to servers", MemoryTag::kReserve,
                            RemoteClient::bytes(params_.remote.settings()) +
                                2 * RemoteFile::kBytesAtOnce * static_cast<std::size_t>(workers_)});
  return footprint;
}

void Webdataset::Open(OpenContext& context) {
  ListedSource::Open(context);
  if (!index_.client()) return;
  ahead_.emplace(index_.client(), static_cast<std::size_t>(params_.remote.read_ahead.bytes));
}

void Webdataset::BeginPass(const Pass& pass) {
  ListedSource::BeginPass(pass);
  if (ahead_) ahead_->Begin([this] { return NextListed(); });
}

void Webdataset::set_on_ready(std::function<void()> on_ready) {
  if (index_.client()) index_.client()->set_on_news(std::move(on_ready));
}

std::optional<ImageFile> Webdataset::Next(StageContext& context) {
  return ahead_ ? ahead_->Next() : ListedSource::Next(context);
}

void Webdataset::ReadAll(Listing& listing) {
  Reading reading(params_, index_, listing.labels);
  params_.classes = Auto<std::vector<std::string>>();  // they may be long, and `reading` has them
  reading.Add("webdataset.shards", params_.shards);
  if (!params_.validation.empty()) {
    listing.first_of_validation = index_.size();
    reading.Close();
    reading.Add("webdataset.validation", params_.validation);
  }
  listing.size = index_.size();
  listing.roots = reading.Folders();
  listing.classes = reading.Classes();
}

}  // namespace weir
