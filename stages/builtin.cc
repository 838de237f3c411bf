#include "stages/builtin.h"

#include "stages/augment.h"
#include "stages/batch.h"
#include "stages/decode.h"
#include "stages/directory.h"
#include "stages/features.h"
#include "stages/prefetch.h"
#include "stages/train.h"

namespace weir {

void AddBuiltinStages(Registry& registry) {
  registry.Add<Directory>();
  registry.Add<Decode>();
  registry.Add<Augment>();
  registry.Add<BatchImages>();
  registry.Add<Prefetch>();
  registry.Add<Features>();
  registry.Add<Train>();
}

}  // namespace weir
