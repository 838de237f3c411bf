#include "pipelines/recipe/recipe_ranks.h"

#include <algorithm>
#include <string>
#include <utility>

#include "framework/error.h"
#include "stages/batch/batch.h"

namespace weir {
namespace {

int BatchSizeOf(const Recipe& recipe) {
  for (const StageConfig& stage : recipe.config.pipeline) {
    if (stage.stage == BatchImages::kName) return Parse<BatchImages::Params>(stage.params).size;
  }
  throw Error(ErrorKind::kConfig,
              "`ranks` share the batches of the stage `batch`, and there is none",
              "Put it into the pipeline, or train with one process and without `ranks`.");
}

}  // namespace

std::shared_ptr<Ranks> RanksOf(const Recipe& recipe, const RankPlace& place,
                               std::shared_ptr<RankGroup> group) {
  const int batch = BatchSizeOf(recipe);
  const int wanted = std::min(recipe.config.ranks->pieces, batch);
  const RankShare share{.rank = place.rank,
                        .ranks = place.ranks,
                        .batch_size = batch,
                        .piece_size = (batch + wanted - 1) / wanted};
  if (place.ranks > share.pieces()) {
    throw Error(
        ErrorKind::kConfig,
        std::to_string(place.ranks) + " ranks cannot share batches of " + std::to_string(batch) +
            " that are cut in " + std::to_string(share.pieces()) + " pieces",
        place.ranks <= batch ? "Start fewer, or set ranks.pieces to " + std::to_string(batch) +
                                   ": other pieces give other numbers."
                             : "Start fewer, or set a larger batch.size.");
  }
  return std::make_shared<Ranks>(Ranks{.share = share, .group = std::move(group)});
}

}  // namespace weir
