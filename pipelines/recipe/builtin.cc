#include "pipelines/recipe/builtin.h"

#include "stages/batch/batch.h"
#include "stages/batch/mixing.h"
#include "stages/batch/normalize.h"
#include "stages/device/prefetch.h"
#include "stages/features/features.h"
#include "stages/predict/picture_stages.h"
#include "stages/sources/directory.h"
#include "stages/sources/list.h"
#include "stages/sources/manifest.h"
#include "stages/sources/shards/webdataset.h"
#include "stages/train/train.h"
#include "stages/writers/contact_sheet.h"
#include "stages/writers/encode.h"
#include "stages/writers/safetensors_sink.h"
#include "stages/writers/webdataset_writer.h"

namespace weir {

void AddBuiltinStages(Registry& registry) {
  registry.Add<Directory>();
  registry.Add<List>();
  registry.Add<Manifest>();
  registry.Add<Webdataset>();
  AddPictureStages(registry);
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
