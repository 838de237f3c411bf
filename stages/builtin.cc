#include "stages/builtin.h"

#include "stages/augment.h"
#include "stages/batch.h"
#include "stages/color_stages.h"
#include "stages/contact_sheet.h"
#include "stages/crops.h"
#include "stages/decode.h"
#include "stages/encode.h"
#include "stages/features.h"
#include "stages/mixing.h"
#include "stages/normalize.h"
#include "stages/prefetch.h"
#include "stages/rand_augment.h"
#include "stages/safetensors_sink.h"
#include "stages/sources/directory.h"
#include "stages/sources/list.h"
#include "stages/sources/manifest.h"
#include "stages/sources/webdataset.h"
#include "stages/train.h"
#include "stages/webdataset_writer.h"

namespace weir {

void AddBuiltinStages(Registry& registry) {
  registry.Add<Directory>();
  registry.Add<List>();
  registry.Add<Manifest>();
  registry.Add<Webdataset>();
  registry.Add<Decode>();
  registry.Add<Augment>();
  registry.Add<CenterCrop>();
  registry.Add<RandomResizedCrop>();
  registry.Add<ColorJitter>();
  registry.Add<GrayscaleStage>();
  registry.Add<RandomErasing>();
  registry.Add<RandAugment>();
  registry.Add<BatchImages>();
  registry.Add<Mixup>();
  registry.Add<Cutmix>();
  registry.Add<Normalize>();
  registry.Add<Prefetch>();
  registry.Add<Features>();
  registry.Add<Train>();
  registry.Add<ContactSheet>();
  registry.Add<Encode>();
  registry.Add<WebdatasetWriter>();
  registry.Add<SafetensorsSink>();
}

}  // namespace weir
