// Which samples of a listing are for training and which for validation.
//
// The listing holds the classes one after the other. Of each class with n samples int(fraction * n)
// are for validation: the first ones, which is Keras' rule (it decides by position within each
// class), or as many drawn by chance.
//
// Immutable, any thread. Takes 4 bytes for each sample drawn by chance, else a few words a class.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace weir {

class ValidationSplit {
 public:
  enum class Part { kTraining, kValidation };

  // The first ones of each class; `sizes` are the classes' in the order of the listing.
  ValidationSplit(const std::vector<std::uint64_t>& sizes, double fraction);
  // Drawn by chance: a pure function of the seed and the sizes.
  static ValidationSplit Drawn(const std::vector<std::uint64_t>& sizes, double fraction,
                               std::uint64_t seed);

  std::uint64_t size(Part part) const;
  std::uint64_t size(Part part, int label) const;

  // The index in the listing of the `position`th sample of a part, in the order of the listing.
  std::uint64_t IndexOf(Part part, std::uint64_t position) const;

  std::size_t bytes() const;  // that it holds

 private:
  struct Class {
    std::uint64_t begin;               // in the listing
    std::uint64_t training_begin;      // in the order of the part
    std::uint64_t validation_begin;    // in the order of the part
    std::vector<std::uint32_t> drawn;  // places within the class, ascending; empty: the first ones
  };

  std::vector<Class> classes_;  // and one more, that begins where the last one ends
};

}  // namespace weir
