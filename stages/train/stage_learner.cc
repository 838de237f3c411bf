#include "stages/train/stage_learner.h"

#include <algorithm>

namespace weir {

bool NeedsWholeBatch(const Model& model) {
  const bool in_head = std::ranges::any_of(
      model.head(), [](const auto& layer) { return layer->needs_whole_batch(); });
  bool in_backbone = false;
  for (int i = 0; i < model.network().size(); ++i) {
    in_backbone = in_backbone || model.normalises_the_batch(i);
  }
  return in_head || in_backbone;
}

}  // namespace weir
