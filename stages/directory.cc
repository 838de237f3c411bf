#include "stages/directory.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "framework/error.h"
#include "framework/suggestion.h"
#include "stages/class_folders.h"

namespace weir {
namespace {

constexpr const char* kPathKey = "directory.path";
constexpr const char* kValidationKey = "directory.validation";

std::uint64_t Sum(const std::vector<std::uint64_t>& sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), std::uint64_t{0});
}

}  // namespace

void Directory::Params::Check(const Blame& blame) const {
  if (validation_split >= 1) blame("validation_split", "`validation_split` takes less than 1");
  if (validation && validation_split > 0) {
    blame("validation", "`validation` and `validation_split` cannot both be set");
  }
  if (stratified && validation_split == 0) {
    blame("stratified", "`stratified` says how `validation_split` draws, which is not set");
  }
  if (classes.is_auto()) return;
  const std::set<std::string> distinct(classes.value().begin(), classes.value().end());
  if (distinct.size() < classes.value().size()) blame("classes", "`classes` names a class twice");
  if (distinct.size() < 2) blame("classes", "`classes` takes two classes at least");
}

Directory::Directory(const Params& params, BuildContext& context)
    : params_(params),
      seed_(context.seed),
      training_(context.training),
      classes_(std::make_shared<Classes>()) {
  ListClasses();
  split_ = params_.stratified ? ValidationSplit::Drawn(sizes_, params_.validation_split, seed_)
                              : ValidationSplit(sizes_, params_.validation_split);
  if (params_.validation) ListValidation();
  if (training_) CheckSplit();
  context.resources.Put(classes_);
  auto counts = std::make_shared<SampleCounts>();
  for (Split split : {Split::kTrain, Split::kValidation, Split::kTest, Split::kPredict}) {
    counts->of_split[split] = size(split);
  }
  context.resources.Put(counts);
  auto order = std::make_shared<SampleOrder>();
  order->index_end = files_.size();
  order->begin = [this](const Pass& pass) {
    return [walk = Walk(*this, pass)]() mutable { return walk.Next(); };
  };
  context.resources.Put(order);
}

void Directory::ListClasses() {
  const std::vector<std::string> found = FindClasses(kPathKey, params_.path);
  if (params_.classes.is_auto()) {
    if (training_) CheckClasses(kPathKey, params_.path, found);
    classes_->names = found;
  } else {
    if (training_) CheckListed(kPathKey, params_.path, params_.classes.value(), found);
    classes_->names = params_.classes.value();
  }
  for (const std::string& name : classes_->names) {
    const bool is_there = std::binary_search(found.begin(), found.end(), name);
    const std::string folder = (params_.path / name).string();
    const int label = static_cast<int>(sizes_.size());
    sizes_.push_back(is_there ? files_.AddFolder(folder, label, params_.follow_links) : 0);
    if (training_ && sizes_.back() == 0) {
      throw Error(
          ErrorKind::kData,
          std::string(kPathKey) + ": the class '" + name + "' has no pictures in '" + folder + "'",
          "Add some, or remove the folder; pictures end in " + PictureEndings() + ".");
    }
  }
  path_files_ = files_.size();
  if (path_files_ == 0) {
    throw Error(ErrorKind::kData,
                std::string(kPathKey) + ": '" + params_.path.string() +
                    "' has no pictures of the classes " + Enumerate(classes_->names),
                "Pictures end in " + PictureEndings() + ".");
  }
}

void Directory::ListValidation() {
  const std::vector<std::string> found = FindClasses(kValidationKey, *params_.validation);
  if (params_.classes.is_auto()) {
    for (const std::string& name : found) {
      if (std::binary_search(classes_->names.begin(), classes_->names.end(), name)) continue;
      throw Error(ErrorKind::kData,
                  std::string(kValidationKey) + ": the class '" + name + "' of '" +
                      params_.validation->string() + "' is not in '" + params_.path.string() + "'",
                  "Add pictures of it to train with, or remove its folder.");
    }
  }
  for (const std::string& name : classes_->names) {
    const bool is_there = std::binary_search(found.begin(), found.end(), name);
    const int label = static_cast<int>(validation_sizes_.size());
    validation_sizes_.push_back(is_there ? files_.AddFolder((*params_.validation / name).string(),
                                                            label, params_.follow_links)
                                         : 0);
  }
  if (Sum(validation_sizes_) == 0) {
    throw Error(ErrorKind::kData,
                std::string(kValidationKey) + ": '" + params_.validation->string() +
                    "' has no pictures of the classes " + Enumerate(classes_->names),
                "Pictures end in " + PictureEndings() + ".");
  }
}

void Directory::CheckSplit() const {
  for (int label = 0; label < static_cast<int>(sizes_.size()); ++label) {
    const std::uint64_t training = split_->size(ValidationSplit::Part::kTraining, label);
    const std::uint64_t validation = split_->size(ValidationSplit::Part::kValidation, label);
    const bool wants_validation = params_.validation_split > 0;
    if (training > 0 && (validation > 0 || !wants_validation)) continue;
    throw Error(ErrorKind::kData,
                "directory.validation_split: of the " + std::to_string(sizes_[label]) +
                    " pictures of the class '" + classes_->names[label] + "' " +
                    (training == 0 ? "none is left to train with" : "none is kept for validation"),
                "Add pictures, set another `validation_split`, or give `validation` a folder.");
  }
}

Footprint Directory::footprint() const {
  return {.held = {{"list of the files", MemoryTag::kReserve, files_.bytes() + split_->bytes()}}};
}

void Directory::Open(OpenContext& context) {
  lease_ = LeaseListing(context.budget, kName, footprint(), files_.size());
}

Directory::Walk::Walk(const Directory& directory, const Pass& pass)
    : directory_(&directory),
      split_(pass.split),
      position_(pass.first_sample),
      end_(directory.size(pass.split)) {
  if (pass.split == Split::kTrain && directory.params_.shuffle) {
    shuffle_.emplace(end_, directory.seed_, "shuffle", pass.epoch);
  }
}

std::optional<Sample> Directory::Walk::Next() {
  if (position_ >= end_) return std::nullopt;
  const std::uint64_t position = shuffle_ ? (*shuffle_)(position_) : position_;
  ++position_;
  const std::uint64_t index = directory_->IndexOf(split_, position);
  return Sample{index, directory_->files_.label(index), directory_->files_.path(index)};
}

void Directory::BeginPass(const Pass& pass) { walk_.emplace(*this, pass); }

std::optional<ImageFile> Directory::Next(StageContext&) {
  std::optional<Sample> sample = walk_->Next();
  if (!sample) return std::nullopt;
  return ImageFile{*std::move(sample)};
}

std::uint64_t Directory::IndexOf(Split split, std::uint64_t position) const {
  if (split == Split::kTrain) return split_->IndexOf(ValidationSplit::Part::kTraining, position);
  if (split != Split::kValidation) return position;
  if (params_.validation) return path_files_ + position;
  return split_->IndexOf(ValidationSplit::Part::kValidation, position);
}

std::uint64_t Directory::size(Split split) const {
  std::uint64_t size = 0;
  for (int label = 0; label < static_cast<int>(sizes_.size()); ++label) {
    size += this->size(split, label);
  }
  return size;
}

std::uint64_t Directory::size(Split split, int label) const {
  switch (split) {
    case Split::kTrain:
      return split_->size(ValidationSplit::Part::kTraining, label);
    case Split::kValidation:
      return params_.validation ? validation_sizes_[label]
                                : split_->size(ValidationSplit::Part::kValidation, label);
    default:
      return sizes_[label];
  }
}

}  // namespace weir
