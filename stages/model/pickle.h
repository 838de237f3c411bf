// The part of Python's pickle that a state_dict of tensors is made of, read without Python.
//
// Nothing is ever called. A pickle may name only what kNames in pickle.cc lists (OrderedDict,
// torch's storages and the two functions that put a tensor together), and these are understood
// here; whatever else it names is refused by that name.
//
// Values live as long as their Pickle, strings as long as the bytes. Memory: about 200 bytes an
// opcode, of which 250,000 are read at most (MobileNetV2 takes 10,000). One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stages/model/element_type.h"

namespace weir {

enum class PickleKind {
  kMark,
  kNone,
  kBool,
  kInteger,
  kFloat,
  kText,
  kTuple,
  kList,
  kDict,
  kOrderedDict,    // the function; what it returns is a kDict
  kRebuildTensor,  // torch._utils._rebuild_tensor_v2
  kRebuildParameter,
  kStorageType,  // torch.FloatStorage and its like
  kStorage,
  kTensor,
};

struct PickleNode;

struct PickleValue {
  PickleKind kind = PickleKind::kNone;
  std::int64_t integer = 0;                 // kBool, kInteger
  std::string_view text = {};               // kText; for kInteger its bytes where they pass 64 bits
  PickleNode* node = nullptr;               // kTuple, kList, kDict, kStorage, kTensor
  ElementType element = ElementType::kF32;  // kStorageType
};

struct PickleNode {
  std::vector<PickleValue> items = {};  // of a dict: key, value, key, value
  // kStorage: items = [key]; kTensor: items = [storage, shape tuple, stride tuple]
  std::int64_t count = 0;  // kStorage: elements; kTensor: the first element's index
  ElementType element = ElementType::kF32;
};

class Pickle {
 public:
  // Reads one pickle from the front of `bytes`, which must outlive this. Throws Error(kData) with
  // `file_name` in front.
  Pickle(std::span<const std::byte> bytes, const std::string& file_name);
  Pickle(const Pickle&) = delete;
  Pickle& operator=(const Pickle&) = delete;

  const PickleValue& root() const { return root_; }
  // Every storage that was named, whether or not a tensor of the dictionary lies in it.
  const std::vector<const PickleNode*>& storages() const { return storages_; }
  std::size_t bytes_read() const { return bytes_read_; }  // the next pickle of a file starts there

 private:
  std::deque<PickleNode> nodes_;
  std::vector<const PickleNode*> storages_;
  PickleValue root_;
  std::size_t bytes_read_ = 0;
};

}  // namespace weir
