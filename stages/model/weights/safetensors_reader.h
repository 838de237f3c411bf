// safetensors: a JSON header that places every tensor, then the tensors.
// Format: https://github.com/huggingface/safetensors#format, whose demands are all checked: the
// header's length, that the tensors tile the rest of the file without gap or overlap, and that each
// has as many bytes as its shape and type say. A tensor of a type that is not read is refused only
// when it is asked for.
//
// What a header may be says safetensors_limits.h (the format allows one of 100 MB), and what it
// costs to read safetensors_header.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "stages/model/weights/weights_format.h"

namespace weir {

extern const WeightsFormat kSafetensorsFormat;

// What the file's first bytes say; 0 where it is no safetensors file.
std::uint64_t SafetensorsHeaderBytes(std::span<const std::byte> file);

}  // namespace weir
