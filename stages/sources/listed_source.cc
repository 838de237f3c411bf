#include "stages/sources/listed_source.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <set>
#include <span>
#include <utility>

#include "framework/byte_size.h"
#include "framework/error.h"
#include "stages/files/sha256.h"
#include "stages/picture_lists.h"
#include "stages/sources/listing/lookalikes.h"

namespace weir {

void detail::CheckClassList(const Blame& blame, const std::vector<std::string>& classes) {
  std::set<std::string> distinct;
  for (const std::string& name : classes) distinct.insert(Composed(name));
  if (distinct.size() < classes.size()) blame("classes", "`classes` names a class twice");
  if (distinct.size() < 2) blame("classes", "`classes` takes two classes at least");
}

namespace {

// What follows the longest of the roots that the path is below; all of it where there is none.
std::string_view BelowRoot(std::string_view path, const std::vector<std::filesystem::path>& roots) {
  std::size_t longest = 0;
  for (const std::filesystem::path& each : roots) {
    std::string_view root = each.native();
    while (root.ends_with('/')) root.remove_suffix(1);
    if (path.starts_with(root) && path.substr(root.size()).starts_with('/')) {
      longest = std::max(longest, root.size() + 1);
    }
  }
  path.remove_prefix(longest);
  // A root that is written with a slash at its end gives paths with two.
  while (longest > 0 && path.starts_with('/')) path.remove_prefix(1);
  return path;
}

}  // namespace

ListedSource::ListedSource(std::string_view name, const BuildContext& context)
    : name_(name),
      seed_(context.seed),
      training_(context.training),
      ranks_(context.training ? context.resources.Find<Ranks>() : nullptr) {}

std::vector<ResourceUse> ListedSource::Provides() {
  return {ResourceOf<ClassCounts>(),  ResourceOf<Classes>(),     ResourceOf<PictureLists>(),
          ResourceOf<SampleCounts>(), ResourceOf<SampleOrder>(), ResourceOf<SourceNotes>()};
}

void ListedSource::Offer(Listing listing, BuildContext& context) {
  for (const std::string& name : listing.classes) {
    if (IsText(name)) continue;
    throw Error(ErrorKind::kData,
                name_ + ": the name of the class " + Shown(name) +
                    " is not UTF-8, or has a control character in it",
                "Rename it.");
  }
  for (auto notes_on : {NotesOnLookalikes, NotesOnJoinedClasses}) {
    std::vector<std::string> notes = notes_on(listing.classes);
    std::move(notes.begin(), notes.end(), std::back_inserter(listing.notes.notes));
  }
  context.resources.Put(std::make_shared<SourceNotes>(std::move(listing.notes)));
  size_ = listing.size;
  test_size_ = std::min(size_, listing.first_of_validation);
  shuffle_ = listing.shuffle;
  const auto named = std::make_shared<Classes>(Classes{std::move(listing.classes)});
  classes_ = named;
  labels_ = std::move(listing.labels);
  labels_.shrink_to_fit();
  const int count = static_cast<int>(named->names.size());
  test_sizes_.resize(count);
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(test_size_, labels_.size()); ++i) {
    ++test_sizes_[labels_[i]];
  }
  wants_validation_ = listing.validation_split > 0;
  if (wants_validation_) {
    split_ = listing.stratified
                 ? ValidationSplit::Drawn(labels_, count, listing.validation_split, seed_)
                 : ValidationSplit::FirstOfEach(labels_, count, listing.validation_split);
  } else if (test_size_ < size_ || !listing.is_validation.empty()) {
    const std::vector<std::int32_t> none(labels_.empty() ? size_ : 0);
    split_ = ValidationSplit::Given(
        labels_.empty() ? none : labels_, std::max(1, count), [&](std::uint64_t index) {
          return index >= test_size_ ||
                 (!listing.is_validation.empty() && listing.is_validation[index]);
        });
  }
  if (training_) CheckParts();

  if (count > 0) {
    context.resources.Put(named);
    context.resources.Put(std::make_shared<ClassCounts>(
        ClassCounts{[this](Split split, int label) { return size(split, label); }}));
  }
  auto counts = std::make_shared<SampleCounts>();
  for (Split split : {Split::kTrain, Split::kValidation, Split::kTest, Split::kPredict}) {
    counts->of_split[split] = size(split);
  }
  context.resources.Put(counts);
  auto order = std::make_shared<SampleOrder>();
  order->index_end = size_;
  order->begin = [this](const Pass& pass) {
    return [walk = Walk(*this, pass, nullptr)]() mutable { return walk.Next(); };
  };
  order->begin_share = [this](const Pass& pass) {
    return [walk = Walk(*this, pass, ranks_.get())]() mutable { return walk.Next(); };
  };
  order->content = [this](const Sample& sample) {
    return part(sample.index).value_or(FilePart{sample.path});
  };
  context.resources.Put(order);
  if (!training_) return;
  const auto list = [&](Split split) {
    return std::to_string(size(split)) +
           (split != Split::kTrain ? ""
            : shuffle_             ? " in another order each epoch"
                                   : " in one order") +
           ", sha256 " + DigestOf(split, listing.roots);
  };
  context.resources.Put(
      std::make_shared<PictureLists>(PictureLists{list(Split::kTrain), list(Split::kValidation)}));
}

std::string ListedSource::DigestOf(Split split,
                                   const std::vector<std::filesystem::path>& roots) const {
  Sha256 digest;
  for (std::uint64_t position = 0; position < size(split); ++position) {
    const std::uint64_t index = IndexOf(split, position);
    const std::string whole = path(index);
    digest.Add(std::as_bytes(std::span(BelowRoot(whole, roots))));
    const std::array<std::int32_t, 2> end = {0, labels_.empty() ? -1 : labels_[index]};
    digest.Add(std::as_bytes(std::span(end)));
  }
  return digest.Finish().substr(0, kShownDigits);
}

void ListedSource::CheckParts() const {
  for (int label = 0; label < static_cast<int>(classes().size()); ++label) {
    const bool none_to_train = size(Split::kTrain, label) == 0;
    const bool none_to_validate = wants_validation_ && size(Split::kValidation, label) == 0;
    if (!none_to_train && !none_to_validate) continue;
    throw Error(
        ErrorKind::kData,
        name_ + (wants_validation_ ? ".validation_split" : "") + ": of the " +
            std::to_string(test_sizes_[label]) + " pictures of the class '" + classes()[label] +
            "' " + (none_to_train ? "none is left to train with" : "none is kept for validation"),
        wants_validation_ ? "Add pictures, set another `validation_split`, or set `validation`."
                          : "Add pictures of it, or leave it out.");
  }
}

Footprint ListedSource::footprint() const {
  const std::size_t labels = labels_.size() * sizeof labels_.front();
  std::size_t names = 0;
  for (const std::string& name : classes()) names += sizeof(std::string) + name.size();
  return {.held = {{"list of the files", MemoryTag::kReserve,
                    listing_bytes() + names + labels + (split_ ? split_->bytes() : 0)}}};
}

void ListedSource::Open(OpenContext& context) {
  const std::size_t bytes = footprint().held_bytes();
  lease_ = context.budget.TryAcquire(MemoryTag::kReserve, bytes);
  if (lease_) return;
  throw Error(ErrorKind::kMemory,
              name_ + ": the list of " + std::to_string(size_) + " pictures takes " +
                  ToRoundText({bytes}) + ", which the ceiling does not leave",
              "Raise memory.host.");
}

ListedSource::Walk::Walk(const ListedSource& source, const Pass& pass, const Ranks* ranks)
    : source_(&source),
      ranks_(RankShare::IsShared(pass.split) ? ranks : nullptr),
      split_(pass.split),
      first_(pass.first_sample),
      end_(source.size(pass.split)) {
  if (pass.split == Split::kTrain && source.shuffle_) {
    shuffle_.emplace(end_, source.seed_, "shuffle", pass.epoch);
  }
}

std::optional<Sample> ListedSource::Walk::Next() {
  const std::uint64_t order = first_ + (ranks_ ? ranks_->share.OrderOf(walked_) : walked_);
  if (order >= end_) return std::nullopt;
  ++walked_;
  const std::uint64_t position = shuffle_ ? (*shuffle_)(order) : order;
  const std::uint64_t index = source_->IndexOf(split_, position);
  return Sample{index, source_->labels_.empty() ? -1 : source_->labels_[index],
                source_->path(index)};
}

std::optional<ImageFile> ListedSource::Next(StageContext&) { return NextListed(); }

std::optional<ImageFile> ListedSource::NextListed() {
  std::optional<Sample> sample = walk_->Next();
  if (!sample) return std::nullopt;
  std::optional<FilePart> where = part(sample->index);
  return ImageFile{*std::move(sample), std::move(where)};
}

std::uint64_t ListedSource::IndexOf(Split split, std::uint64_t position) const {
  if (!split_) return position;
  if (split == Split::kTrain) return split_->IndexOf(ValidationSplit::Part::kTraining, position);
  if (split != Split::kValidation) return position;
  return split_->IndexOf(ValidationSplit::Part::kValidation, position);
}

std::uint64_t ListedSource::size(Split split) const {
  if (split == Split::kTrain && split_) return split_->size(ValidationSplit::Part::kTraining);
  if (split != Split::kValidation) return test_size_;
  return split_ ? split_->size(ValidationSplit::Part::kValidation) : 0;
}

std::uint64_t ListedSource::size(Split split, int label) const {
  if (split == Split::kTrain && split_) {
    return split_->size(ValidationSplit::Part::kTraining, label);
  }
  if (split != Split::kValidation) return test_sizes_[label];
  return split_ ? split_->size(ValidationSplit::Part::kValidation, label) : 0;
}

}  // namespace weir
