// Writes safetensors. The file is whole or absent (atomic_file.h), and its bytes are a function of
// what is in it: tensors lie by falling alignment of their type, then by name.
//
// Nothing is copied but the header: the spans are written one after another. What the reader would
// refuse (safetensors_limits.h) is not written: Error(kData) says so before there is a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "framework/shape.h"
#include "stages/files/atomic_file.h"
#include "stages/model/weights/containers/element_type.h"

namespace weir {

struct TensorToWrite {
  std::string name;
  Shape shape;
  std::span<const std::byte> bytes;  // row-major, little-endian; as many as shape and type say
  ElementType type = ElementType::kF32;

  static TensorToWrite Of(std::string name, Shape shape, std::span<const float> values) {
    return {std::move(name), std::move(shape), std::as_bytes(values)};
  }
};

// Throws Error(kData) where the disk refuses; what stood at `path` is then untouched. Names are
// distinct; bytes of them that are not UTF-8 become U+FFFD.
void WriteSafetensors(const std::filesystem::path& path, std::vector<TensorToWrite> tensors,
                      const std::map<std::string, std::string>& metadata = {});

// The header alone: the bytes of `tensors` are to follow in their order. Only their names, shapes
// and types are read.
void WriteSafetensorsHeader(AtomicFile& file, const std::vector<TensorToWrite>& tensors,
                            const std::map<std::string, std::string>& metadata = {});

// The same for tensors that are made one after another, so that no two need be held at once. All
// members throw Error(kData) where the disk refuses.
class SafetensorsStream {
 public:
  // Only names, shapes and types are read of `tensors`; their bytes follow in that order.
  SafetensorsStream(const std::filesystem::path& path, const std::vector<TensorToWrite>& tensors,
                    const std::map<std::string, std::string>& metadata = {});

  void Write(std::span<const std::byte> bytes) { file_.Write(bytes); }
  void Commit() { file_.Commit(); }

 private:
  AtomicFile file_;
};

// One tensor of float32 rows, as many as come, and then one of int32 numbers: for what is not
// counted beforehand. All members throw Error(kData) where the disk refuses.
class GrowingSafetensors {
 public:
  // Throws Error(kData) where the file could not be read again: for those who want to know it long
  // before they write.
  static void Check(const std::filesystem::path& path, const std::string& name,
                    const Shape& row_shape, const std::map<std::string, std::string>& metadata);

  // The header gets room for `metadata` and any shape.
  GrowingSafetensors(const std::filesystem::path& path, std::string name, Shape row_shape,
                     std::map<std::string, std::string> metadata);

  void AddRows(std::span<const float> values);  // whole rows
  void Commit(const std::string& numbers_name, std::span<const std::int32_t> numbers);

 private:
  std::string HeaderOf(const std::string& numbers_name, std::size_t numbers) const;

  const std::filesystem::path path_;
  AtomicFile file_;
  const std::string name_;
  const Shape row_shape_;
  const std::map<std::string, std::string> metadata_;
  std::size_t header_bytes_ = 0;
  std::uint64_t values_ = 0;
};

}  // namespace weir
