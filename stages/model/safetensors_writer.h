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

#include "stages/model/atomic_file.h"
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

// The same for tensors that are made one after another, so that no two need be held at once. All
// members throw Error(kData) where the disk refuses.
class SafetensorsStream {
 public:
  // Of `tensors` only names, shapes and types are read; in that order their bytes follow.
  SafetensorsStream(const std::filesystem::path& path, const std::vector<TensorToWrite>& tensors,
                    const std::map<std::string, std::string>& metadata = {});

  void Write(std::span<const std::byte> bytes) { file_.Write(bytes); }
  void Commit() { file_.Commit(); }

 private:
  AtomicFile file_;
};

}  // namespace weir
