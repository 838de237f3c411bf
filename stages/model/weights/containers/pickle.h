// Python's pickle, read without Python: its containers, texts, numbers and PyTorch's tensors.
//
// Nothing is ever called. OrderedDict and the functions that put a tensor together are understood
// here; whatever else a pickle names, makes or calls is kept as an object that nobody looks into
// (an argparse.Namespace, a NumPy number, os.system), so that it hides no tensor beside it.
//
// Values live as long as their Pickle, texts as long as the bytes. Memory: at most 100 bytes an
// opcode, of which 200,000 are read at most (52 convolutions with their batch norms take 10,000).
// One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stages/model/weights/containers/element_type.h"

namespace weir {

enum class PickleKind : std::uint8_t {
  kMark,
  kNone,
  kBool,
  kInteger,
  kLong,   // an integer beyond 64 bits; its value is not kept
  kFloat,  // its value is not kept
  kText,
  kTuple,
  kList,  // a set too
  kDict,
  kGlobal,  // a class or function
  kObject,  // what a class or function makes
  kStorage,
  kTensor,
};

struct PickleNode;

struct PickleValue {
  explicit PickleValue(PickleKind kind = PickleKind::kNone) : kind(kind) {}
  PickleValue(PickleKind kind, std::int64_t integer) : kind(kind), integer(integer) {}
  PickleValue(PickleKind kind, PickleNode* node) : kind(kind), node(node) {}
  explicit PickleValue(std::string_view text)  // less than 4 GiB long
      : kind(PickleKind::kText),
        text_bytes(static_cast<std::uint32_t>(text.size())),
        characters(text.data()) {}

  PickleKind kind;
  std::uint32_t text_bytes = 0;  // kText
  union {
    std::int64_t integer = 0;  // kBool, kInteger
    const char* characters;    // kText
    PickleNode* node;          // kTuple, kList, kDict, kGlobal, kObject, kStorage, kTensor
  };

  // Empty for other kinds.
  std::string_view text() const {
    return kind == PickleKind::kText ? std::string_view(characters, text_bytes)
                                     : std::string_view();
  }
};

// What a value has beside its kind. The items are, of
//   kDict: key, value, key, value, ...
//   kGlobal: the module's and the own name
//   kObject: its class or function (kNone where that is no kGlobal), then as in a kDict what Python
//            would have set in it item by item
//   kStorage: its key and its type, a kGlobal
//   kTensor: its storage, the tuples of its shape and of its strides, and its type, a kGlobal
//            (kNone where its values are still to be negated or conjugated)
struct PickleNode {
  std::vector<PickleValue> items = {};
  std::int64_t count = 0;  // kStorage: elements; kTensor: the index of the first element
  ElementType element = ElementType::kF32;  // kStorage, kTensor
  bool is_read = true;                      // kStorage, kTensor: `element` is what it holds
};

// "torch._utils._rebuild_tensor_v2" of a kGlobal, for a message: of each part its first 100 bytes.
std::string QualifiedName(const PickleValue& global);

class Pickle {
 public:
  // Reads one pickle from the front of `bytes`, which must outlive this. Throws Error(kData) with
  // `file_name` in front.
  Pickle(std::span<const std::byte> bytes, const std::string& file_name);
  Pickle(const Pickle&) = delete;
  Pickle& operator=(const Pickle&) = delete;

  const PickleValue& root() const { return root_; }
  // Every storage that was named, whether or not a tensor lies in it.
  const std::vector<const PickleNode*>& storages() const { return storages_; }
  std::size_t bytes_read() const { return bytes_read_; }  // the next pickle of a file starts there

 private:
  std::deque<PickleNode> nodes_;
  std::vector<const PickleNode*> storages_;
  PickleValue root_;
  std::size_t bytes_read_ = 0;
};

}  // namespace weir
