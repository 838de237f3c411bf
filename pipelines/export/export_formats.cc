#include "pipelines/export/export_formats.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "framework/config/suggestion.h"
#include "framework/error.h"
#include "framework/text.h"
#include "stages/model/export/formats/keras/keras_format.h"
#include "stages/model/export/formats/onnx/onnx_format.h"
#include "stages/model/export/formats/tflite/tflite_format.h"
#include "stages/model/export/formats/torchscript/torchscript_format.h"
#include "stages/model/export/formats/torchvision/torchvision_format.h"

namespace weir {
namespace {

constexpr const ExportFormat* kFormats[] = {
    &kOnnxFormat, &kTfliteFormat, &kTorchscriptFormat, &kKerasFormat, &kTorchvisionFormat,
};

}  // namespace

std::span<const ExportFormat* const> ExportFormats() { return kFormats; }

const ExportFormat& FindExportFormat(std::string_view name) {
  const auto found = std::ranges::find(kFormats, name, &ExportFormat::name);
  if (found != std::end(kFormats)) return **found;
  std::vector<std::string> names;
  for (const ExportFormat* format : kFormats) names.emplace_back(format->name);
  throw Error(ErrorKind::kConfig,
              "--to " + InBackticks(name) + ": there is no such format" + DidYouMean(name, names),
              "What there is: " + Enumerate(names) + ".");
}

}  // namespace weir
