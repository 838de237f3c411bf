// ONNX, opset 18, as ONNX Runtime, OpenVINO, TensorRT and others read it. Written field by field
// with protozero: libtorch_cpu.so has libprotobuf inside, which no second one may meet.
#pragma once

#include "stages/model/export/formats/export_format.h"

namespace weir {

extern const ExportFormat kOnnxFormat;

}  // namespace weir
