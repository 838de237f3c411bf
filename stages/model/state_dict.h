// The tensors that a pickle describes: where each lies in which storage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stages/model/element_type.h"
#include "stages/model/pickle.h"

namespace weir {

struct StoredTensor {
  std::string name;
  std::string_view storage = {};  // the storage's key
  ElementType element = ElementType::kF32;
  std::uint64_t storage_elements = 0;
  std::uint64_t first = 0;                 // element of the storage
  std::vector<std::int64_t> shape = {};    // its product is at most storage_elements
  std::vector<std::int64_t> strides = {};  // in elements; every element lies in the storage
};

// As many as the pickle's dictionary has. Throws Error(kData), with `file_name` in front, for one
// that leaves its storage or repeats elements (torch.Tensor.expand).
std::vector<StoredTensor> TensorsOf(const Pickle& pickle, const std::string& file_name);

// Writes the tensor's values row-major, whatever its strides. `storage` holds at least
// storage_elements of its elements, out.size() is the product of the shape.
void ReadStrided(const StoredTensor& tensor, const std::byte* storage, std::span<float> out);

}  // namespace weir
