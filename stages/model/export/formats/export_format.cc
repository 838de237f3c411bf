#include "stages/model/export/formats/export_format.h"

namespace weir {

std::optional<ExportInput> InputOf(std::string_view name) {
  for (const auto& [each, input] : kExportInputs) {
    if (each == name) return input;
  }
  return std::nullopt;
}

}  // namespace weir
