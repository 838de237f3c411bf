#include "stages/sources/validation_split.h"

#include <bit>

#include "framework/random.h"
#include "stages/sources/permutation.h"

namespace weir {
namespace {

std::vector<std::uint64_t> SizesOf(std::span<const std::int32_t> labels, int classes) {
  std::vector<std::uint64_t> sizes(classes);
  for (const std::int32_t label : labels) ++sizes[label];
  return sizes;
}

std::uint64_t PartOf(double fraction, std::uint64_t size) {
  return static_cast<std::uint64_t>(fraction * static_cast<double>(size));
}

// The place of the `rank`th bit that is set.
int PlaceOfBit(std::uint64_t word, std::uint64_t rank) {
  for (; rank > 0; --rank) word &= word - 1;
  return std::countr_zero(word);
}

}  // namespace

ValidationSplit::ValidationSplit(std::span<const std::int32_t> labels, int classes,
                                 const std::function<bool(std::uint64_t)>& is_validation)
    : sizes_(classes) {
  is_validation_.resize((labels.size() + kWordBits - 1) / kWordBits);
  std::uint32_t validation = 0;
  for (std::uint64_t i = 0; i < labels.size(); ++i) {
    if (i % (kWordBits * kBlockWords) == 0) validation_before_.push_back(validation);
    Sizes& sizes = sizes_[labels[i]];
    if (!is_validation(i)) {
      ++sizes.training;
      continue;
    }
    ++sizes.validation;
    ++validation;
    is_validation_[i / kWordBits] |= std::uint64_t{1} << (i % kWordBits);
  }
}

ValidationSplit ValidationSplit::Given(std::span<const std::int32_t> labels, int classes,
                                       const std::function<bool(std::uint64_t)>& is_validation) {
  return {labels, classes, is_validation};
}

ValidationSplit ValidationSplit::FirstOfEach(std::span<const std::int32_t> labels, int classes,
                                             double fraction) {
  std::vector<std::uint64_t> left = SizesOf(labels, classes);
  for (std::uint64_t& size : left) size = PartOf(fraction, size);
  return {labels, classes, [&](std::uint64_t i) {
            std::uint64_t& of_class = left[labels[i]];
            if (of_class == 0) return false;
            --of_class;
            return true;
          }};
}

ValidationSplit ValidationSplit::Drawn(std::span<const std::int32_t> labels, int classes,
                                       double fraction, std::uint64_t seed) {
  const std::vector<std::uint64_t> sizes = SizesOf(labels, classes);
  std::vector<std::vector<bool>> drawn(classes);  // by the place within the class
  for (int label = 0; label < classes; ++label) {
    drawn[label].resize(sizes[label]);
    const Permutation draw(sizes[label], seed, "validation split",
                           static_cast<std::uint64_t>(label));
    for (std::uint64_t i = 0; i < PartOf(fraction, sizes[label]); ++i) drawn[label][draw(i)] = true;
  }
  std::vector<std::uint64_t> place(classes);
  return {labels, classes, [&](std::uint64_t i) { return drawn[labels[i]][place[labels[i]]++]; }};
}

std::uint64_t ValidationSplit::size(Part part) const {
  std::uint64_t size = 0;
  for (const Sizes& sizes : sizes_) size += sizes.of(part);
  return size;
}

std::uint64_t ValidationSplit::BeforeBlock(Part part, std::uint64_t block) const {
  const std::uint64_t validation = validation_before_[block];
  return part == Part::kValidation ? validation : block * kBlockWords * kWordBits - validation;
}

std::uint64_t ValidationSplit::IndexOf(Part part, std::uint64_t position) const {
  std::uint64_t block = 0;
  for (std::uint64_t end = validation_before_.size(); end - block > 1;) {
    const std::uint64_t middle = (block + end) / 2;
    (BeforeBlock(part, middle) <= position ? block : end) = middle;
  }
  std::uint64_t rank = position - BeforeBlock(part, block);
  for (std::uint64_t word = block * kBlockWords;; ++word) {
    const std::uint64_t bits =
        part == Part::kValidation ? is_validation_[word] : ~is_validation_[word];
    const auto here = static_cast<std::uint64_t>(std::popcount(bits));
    if (rank < here) return word * kWordBits + PlaceOfBit(bits, rank);
    rank -= here;
  }
}

std::size_t ValidationSplit::bytes() const {
  return is_validation_.capacity() * sizeof is_validation_[0] +
         validation_before_.capacity() * sizeof validation_before_[0] +
         sizes_.capacity() * sizeof sizes_[0];
}

}  // namespace weir
