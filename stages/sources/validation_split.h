// Which samples of a listing are for training and which for validation.
//
// In each class of n samples, int(fraction * n) are for validation: the first ones, which is Keras'
// rule (it decides by position within each class), or as many drawn by chance; or the source says
// of each.
//
// Immutable, any thread. Takes 1.1 bits for each sample, and two words for each class. A look-up
// takes some 50 ns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace weir {

class ValidationSplit {
 public:
  enum class Part { kTraining, kValidation };

  // Splits samples with these labels, each below `classes`, in the order of the listing.
  static ValidationSplit FirstOfEach(std::span<const std::int32_t> labels, int classes,
                                     double fraction);
  // Drawn by chance: a pure function of the seed and the labels.
  static ValidationSplit Drawn(std::span<const std::int32_t> labels, int classes, double fraction,
                               std::uint64_t seed);
  // Those of which is_validation(index) is true.
  static ValidationSplit Given(std::span<const std::int32_t> labels, int classes,
                               const std::function<bool(std::uint64_t)>& is_validation);

  std::uint64_t size(Part part) const;
  std::uint64_t size(Part part, int label) const { return sizes_[label].of(part); }

  // The index in the listing of the `position`th sample of a part, in the order of the listing.
  std::uint64_t IndexOf(Part part, std::uint64_t position) const;

  std::size_t bytes() const;  // what it holds

 private:
  struct Sizes {
    std::uint64_t training = 0;
    std::uint64_t validation = 0;
    std::uint64_t of(Part part) const { return part == Part::kTraining ? training : validation; }
  };

  static constexpr std::uint64_t kWordBits = 64;
  static constexpr std::uint64_t kBlockWords = 8;

  ValidationSplit(std::span<const std::int32_t> labels, int classes,
                  const std::function<bool(std::uint64_t)>& is_validation);
  std::uint64_t BeforeBlock(Part part, std::uint64_t block) const;

  std::vector<std::uint64_t> is_validation_;      // a bit a sample
  std::vector<std::uint32_t> validation_before_;  // each block of words
  std::vector<Sizes> sizes_;                      // by label
};

}  // namespace weir
