// The list of optimizers: what `training.optimizer` may name. The first is the default.
#include <array>

#include "stages/train/optimizers/adagrad.h"
#include "stages/train/optimizers/adam.h"
#include "stages/train/optimizers/lamb.h"
#include "stages/train/optimizers/lion.h"
#include "stages/train/optimizers/nadam.h"
#include "stages/train/optimizers/rmsprop.h"
#include "stages/train/optimizers/sgd.h"

namespace weir {
namespace {

// clang-format off
constexpr std::array kOptimizers{
    PartOf<Optimizer, Adam>(),
    PartOf<Optimizer, AdamW>(),
    PartOf<Optimizer, Sgd>(),
    PartOf<Optimizer, Rmsprop>(),
    PartOf<Optimizer, Lion>(),
    PartOf<Optimizer, Lamb>(),
    PartOf<Optimizer, Nadam>(),
    PartOf<Optimizer, Adagrad>(),
};
// clang-format on

}  // namespace

std::span<const Part<Optimizer>> Optimizer::All() { return kOptimizers; }

}  // namespace weir
