// TensorFlow Lite, schema version 3, as LiteRT, MediaPipe and the TFLite Task Library read it.
// Written table by table with flatbuffers' headers.
#pragma once

#include "stages/model/export/formats/export_format.h"

namespace weir {

extern const ExportFormat kTfliteFormat;

}  // namespace weir
