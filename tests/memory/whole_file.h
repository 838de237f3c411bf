// Whether a file that weir wrote is whole, told by its own form: a JSON that ends, lines of JSON, a
// safetensors file as long as its header says, a PNG with its last chunk, a tar with its end.
#pragma once

#include <filesystem>

namespace weir {

// Told by the ending of its name; what has none of those endings counts as whole.
bool IsWholeFile(const std::filesystem::path& path);

}  // namespace weir
