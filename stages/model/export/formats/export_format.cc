#include "stages/model/export/formats/export_format.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "framework/config/suggestion.h"
#include "framework/error.h"
#include "framework/text.h"
#include "stages/model/export/formats/keras_format.h"
#include "stages/model/export/formats/onnx_format.h"
#include "stages/model/export/formats/tflite_format.h"
#include "stages/model/export/formats/torchvision_format.h"

namespace weir {
namespace {

constexpr const ExportFormat* kFormats[] = {
    &kOnnxFormat,
    &kTfliteFormat,
    &kKerasFormat,
    &kTorchvisionFormat,
};

}  // namespace

std::optional<ExportInput> InputOf(std::string_view name) {
  for (const auto& [each, input] : kExportInputs) {
    if (each == name) return input;
  }
  return std::nullopt;
}

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
