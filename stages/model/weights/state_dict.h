// The tensors that a pickle describes: where each lies in which storage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stages/model/weights/containers/element_type.h"
#include "stages/model/weights/containers/pickle.h"
#include "stages/model/weights/weights_file.h"

namespace weir {

struct StoredTensor {
  TensorInfo info;
  std::string_view storage = {};  // the storage's key; lives as long as the pickle's bytes
  ElementType element = ElementType::kF32;
  std::uint64_t storage_elements = 0;
  std::uint64_t first = 0;                 // element of the storage
  std::vector<std::int64_t> strides = {};  // in elements; every element lies in the storage
};

// Every tensor that stands under a text or a number in the pickle's dictionaries and lists, at most
// 16 of them inside each other. It is named by the keys that lead to it, with dots between:
// "state_dict.features.0.0.weight", where "state_dict." is its group. A container that can be
// reached in several ways is looked into once, by a shortest one; keys above 1 KiB are left out.
//
// What is in none of the ways that are read (a sparse tensor, one that leaves its storage, an
// object in a tensor's place) is there too, with TensorInfo::unread. Throws Error(kData), with
// `file_name` in front, where there is no tensor, or there are more than 100,000, or their names
// take more than 32 MiB. Of objects the first 1,000 are named.
std::vector<StoredTensor> TensorsOf(const Pickle& pickle, const std::string& file_name);

// Writes the tensor's values row-major, whatever its strides. `storage` holds at least
// storage_elements of its elements, out.size() is the product of the shape.
void ReadStrided(const StoredTensor& tensor, const std::byte* storage, std::span<float> out);

}  // namespace weir
