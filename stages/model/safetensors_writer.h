// Writes safetensors. The file is whole or absent (atomic_file.h), and its bytes are a function of
// what is in it: tensors lie by falling alignment of their type, then by name.
//
// Nothing is copied but the header: the spans are written one after another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "stages/model/element_type.h"

namespace weir {

struct TensorToWrite {
  std::string name;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;  // row-major, little-endian; as many as shape and type say
  ElementType type = ElementType::kF32;

  static TensorToWrite Of(std::string name, std::vector<std::int64_t> shape,
                          std::span<const float> values) {
    return {std::move(name), std::move(shape), std::as_bytes(values)};
  }
};

// Throws Error(kData) where the disk refuses; what stood at `path` is then untouched. Names are
// distinct and valid UTF-8.
void WriteSafetensors(const std::filesystem::path& path, std::vector<TensorToWrite> tensors,
                      const std::map<std::string, std::string>& metadata = {});

}  // namespace weir
