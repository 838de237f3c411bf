#include "stages/train/confusion_counts.h"

#include <algorithm>
#include <stdexcept>

namespace weir {

void ConfusionCounts::Declare(int classes, std::uint64_t pictures) {
  classes_ = classes;
  pictures_ = pictures;
}

bool ConfusionCounts::is_dense() const {
  return static_cast<std::uint64_t>(classes_) * classes_ <= pictures_;
}

std::size_t ConfusionCounts::bytes() const {
  const std::uint64_t cells = static_cast<std::uint64_t>(classes_) * classes_;
  return std::min(cells, pictures_) * sizeof values_[0] + classes_ * sizeof of_classes_[0];
}

void ConfusionCounts::Open() {
  values_.reserve(is_dense() ? static_cast<std::size_t>(classes_) * classes_ : pictures_);
  of_classes_.resize(classes_);
  Begin();
}

void ConfusionCounts::Begin() {
  if (is_dense()) {
    values_.assign(static_cast<std::size_t>(classes_) * classes_, 0);
  } else {
    values_.clear();
  }
  std::fill(of_classes_.begin(), of_classes_.end(), ClassTally());
  is_sorted_ = false;
}

void ConfusionCounts::Add(int truth, int predicted) {
  const std::uint64_t cell = static_cast<std::uint64_t>(truth) * classes_ + predicted;
  if (is_dense()) {
    ++values_[cell];
  } else if (values_.size() == pictures_) {
    throw std::length_error("more pictures than were declared");
  } else {
    values_.push_back(cell);
    is_sorted_ = false;
  }
  AddPictures(of_classes_, truth, predicted);
}

void ConfusionCounts::Sort() {
  if (!is_sorted_ && !is_dense()) std::sort(values_.begin(), values_.end());
  is_sorted_ = true;
}

void ConfusionCounts::ForEachTaken(int truth,
                                   const std::function<void(int, std::uint64_t)>& visit) {
  const std::uint64_t begin = static_cast<std::uint64_t>(truth) * classes_;
  if (is_dense()) {
    for (int predicted = 0; predicted < classes_; ++predicted) {
      if (const std::uint64_t count = values_[begin + predicted]) visit(predicted, count);
    }
    return;
  }
  Sort();
  const auto end = std::lower_bound(values_.begin(), values_.end(), begin + classes_);
  for (auto next = std::lower_bound(values_.begin(), end, begin); next != end;) {
    const auto behind = std::upper_bound(next, end, *next);
    visit(static_cast<int>(*next - begin), static_cast<std::uint64_t>(behind - next));
    next = behind;
  }
}

}  // namespace weir
