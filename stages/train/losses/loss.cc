// The list of losses: what `training.loss` may name. The first is the default.
#include <array>

#include "stages/train/losses/cross_entropy.h"
#include "stages/train/losses/focal.h"

namespace weir {
namespace {

// clang-format off
constexpr std::array kLosses{
    PartOf<Loss, CrossEntropy>(),
    PartOf<Loss, Focal>(),
};
// clang-format on

}  // namespace

std::span<const Part<Loss>> Loss::All() { return kLosses; }

}  // namespace weir
