// What the formats say of a model in texts by key, wherever a file of theirs has room for some.
//
// Pure; any thread. Holds the names of the classes twice.
#pragma once

#include <map>
#include <string>

#include "stages/model/export/formats/export_format.h"

namespace weir {

// backbone, classes (a JSON list of their names, where bytes that are not UTF-8 become U+FFFD),
// preprocessing as it is given, weights_sha256 and weir_version.
std::map<std::string, std::string> ModelTexts(const ExportJob& job, std::string preprocessing);

}  // namespace weir
