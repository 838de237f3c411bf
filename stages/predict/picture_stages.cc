#include "stages/predict/picture_stages.h"

#include "stages/augment/augment.h"
#include "stages/augment/color_stages.h"
#include "stages/augment/crops.h"
#include "stages/augment/rand_augment.h"
#include "stages/decode/decode.h"

namespace weir {

void AddPictureStages(Registry& registry) {
  registry.Add<Decode>();
  registry.Add<Augment>();
  registry.Add<CenterCrop>();
  registry.Add<RandomResizedCrop>();
  registry.Add<ColorJitter>();
  registry.Add<GrayscaleStage>();
  registry.Add<RandomErasing>();
  registry.Add<RandAugment>();
}

}  // namespace weir
