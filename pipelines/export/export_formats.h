// The formats that a saved model can be exported in, in one list. Any thread.
#pragma once

#include <span>
#include <string_view>

#include "stages/model/export/formats/export_format.h"

namespace weir {

std::span<const ExportFormat* const> ExportFormats();

// Throws Error(kConfig), which suggests one that there is, where there is none of that name.
const ExportFormat& FindExportFormat(std::string_view name);

}  // namespace weir
