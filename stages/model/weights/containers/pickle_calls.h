// What the calls that a pickle asks for would make, told by the function's name: dictionaries and
// PyTorch's tensors and storages are put together from the arguments, everything else is an object
// that nobody looks into. Nothing is ever called.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "stages/model/weights/containers/element_type.h"
#include "stages/model/weights/containers/pickle_stack.h"

namespace weir {

// One of torch's storages, as those from before PyTorch 2 are called: FloatStorage.
struct StorageType {
  std::string_view name;
  std::size_t element_bytes;
  std::optional<ElementType> element;  // empty where its numbers are not read
};
const StorageType* FindStorageType(const PickleValue& global);  // null if it is none

// Pushes what `function`(*`arguments`) would return. Throws Error(kData) where a tensor's arguments
// are not a tensor's.
void PushResult(const PickleValue& function, const PickleValue& arguments, PickleStack& stack);

// Pushes what stands for something outside the pickle: a storage, or an object. Adds the storage
// to `storages`.
void PushPersistent(const PickleValue& id, PickleStack& stack,
                    std::vector<const PickleNode*>& storages);

// What an object or a tensor that is not read is, to end a sentence: "a sparse tensor", "an object
// of argparse.Namespace", "a tensor of torch.ComplexFloatStorage".
std::string DescribeUnread(const PickleValue& value);

}  // namespace weir
