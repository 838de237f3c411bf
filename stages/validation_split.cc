#include "stages/validation_split.h"

#include <algorithm>

#include "framework/random.h"
#include "stages/permutation.h"

namespace weir {

ValidationSplit::ValidationSplit(const std::vector<std::uint64_t>& sizes, double fraction) {
  Class next{};
  for (const std::uint64_t size : sizes) {
    classes_.push_back(next);
    const auto validation = static_cast<std::uint64_t>(fraction * static_cast<double>(size));
    next.begin += size;
    next.training_begin += size - validation;
    next.validation_begin += validation;
  }
  classes_.push_back(next);
}

ValidationSplit ValidationSplit::Drawn(const std::vector<std::uint64_t>& sizes, double fraction,
                                       std::uint64_t seed) {
  ValidationSplit split(sizes, fraction);
  for (std::size_t label = 0; label < sizes.size(); ++label) {
    const Permutation draw(sizes[label], seed, "validation split", label);
    std::vector<std::uint32_t>& drawn = split.classes_[label].drawn;
    drawn.resize(split.size(Part::kValidation, static_cast<int>(label)));
    for (std::size_t i = 0; i < drawn.size(); ++i) drawn[i] = static_cast<std::uint32_t>(draw(i));
    std::sort(drawn.begin(), drawn.end());
  }
  return split;
}

std::uint64_t ValidationSplit::size(Part part) const {
  return part == Part::kTraining ? classes_.back().training_begin
                                 : classes_.back().validation_begin;
}

std::uint64_t ValidationSplit::size(Part part, int label) const {
  const Class& here = classes_[label];
  const Class& next = classes_[label + 1];
  return part == Part::kTraining ? next.training_begin - here.training_begin
                                 : next.validation_begin - here.validation_begin;
}

std::uint64_t ValidationSplit::IndexOf(Part part, std::uint64_t position) const {
  const auto begin = part == Part::kTraining ? &Class::training_begin : &Class::validation_begin;
  const auto next = std::upper_bound(
      classes_.begin(), classes_.end(), position,
      [begin](std::uint64_t value, const Class& one) { return value < one.*begin; });
  const Class& here = *std::prev(next);
  const std::uint64_t within = position - here.*begin;
  const std::vector<std::uint32_t>& drawn = here.drawn;
  if (part == Part::kValidation) return here.begin + (drawn.empty() ? within : drawn[within]);
  if (drawn.empty()) return here.begin + (next->validation_begin - here.validation_begin) + within;

  // Behind as many of the drawn as stand before it: drawn[k] - k others stand before drawn[k].
  std::uint64_t low = 0;
  std::uint64_t high = drawn.size();
  while (low < high) {
    const std::uint64_t middle = (low + high) / 2;
    if (drawn[middle] - middle <= within) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return here.begin + low + within;
}

std::size_t ValidationSplit::bytes() const {
  std::size_t bytes = classes_.size() * sizeof(Class);
  for (const Class& one : classes_) bytes += one.drawn.size() * sizeof one.drawn[0];
  return bytes;
}

}  // namespace weir
