#include "stages/model/weights/containers/pickle_calls.h"

#include <algorithm>
#include <array>
#include <vector>

#include "framework/text.h"

namespace weir {
namespace {

using Arguments = std::vector<PickleValue>;

constexpr std::string_view kTorchUtils = "torch._utils";

// torch/storage.py, _dtype_to_storage_type_map, and torch/storage.py's UntypedStorage.
constexpr std::array kStorageTypes = {
    StorageType{"DoubleStorage", 8, ElementType::kF64},
    StorageType{"FloatStorage", 4, ElementType::kF32},
    StorageType{"HalfStorage", 2, ElementType::kF16},
    StorageType{"BFloat16Storage", 2, ElementType::kBF16},
    StorageType{"LongStorage", 8, ElementType::kI64},
    StorageType{"IntStorage", 4, ElementType::kI32},
    StorageType{"ShortStorage", 2, ElementType::kI16},
    StorageType{"CharStorage", 1, ElementType::kI8},
    StorageType{"ByteStorage", 1, ElementType::kU8},
    StorageType{"BoolStorage", 1, ElementType::kBool},
    StorageType{"ComplexDoubleStorage", 16, std::nullopt},
    StorageType{"ComplexFloatStorage", 8, std::nullopt},
    StorageType{"QInt32Storage", 4, std::nullopt},
    StorageType{"QInt8Storage", 1, std::nullopt},
    StorageType{"QUInt8Storage", 1, std::nullopt},
    StorageType{"QUInt4x2Storage", 1, std::nullopt},
    StorageType{"QUInt2x4Storage", 1, std::nullopt},
    StorageType{"UntypedStorage", 1, std::nullopt},
};

// torch/_utils.py: tensors that are put together in a way that is not read.
struct UnreadTensor {
  std::string_view module, function;
  std::string_view is;
};
constexpr std::array kUnreadTensors = {
    UnreadTensor{kTorchUtils, "_rebuild_sparse_tensor", "a sparse tensor"},
    UnreadTensor{kTorchUtils, "_rebuild_sparse_csr_tensor", "a sparse tensor"},
    UnreadTensor{kTorchUtils, "_rebuild_qtensor", "a quantized tensor"},
    UnreadTensor{kTorchUtils, "_rebuild_nested_tensor", "a nested tensor"},
    UnreadTensor{kTorchUtils, "_rebuild_meta_tensor_no_storage", "a tensor without values"},
    UnreadTensor{kTorchUtils, "_rebuild_wrapper_subclass", "a tensor of a class of its own"},
    UnreadTensor{kTorchUtils, "_rebuild_device_tensor_from_numpy", "a tensor of another device"},
    UnreadTensor{kTorchUtils, "_rebuild_device_tensor_from_cpu_tensor",
                 "a tensor of another device"},
    UnreadTensor{"numpy.core.multiarray", "_reconstruct", "an array of NumPy"},
    UnreadTensor{"numpy._core.multiarray", "_reconstruct", "an array of NumPy"},
};

// Compares in place, as a hostile name may be long and called often.
bool Names(const PickleValue& global, std::string_view module, std::string_view name) {
  return global.kind == PickleKind::kGlobal && global.node->items[0].text() == module &&
         global.node->items[1].text() == name;
}

void PushObject(const PickleValue& made_by, PickleStack& stack) {
  stack.PushNode(PickleKind::kObject,
                 {made_by.kind == PickleKind::kGlobal ? made_by : PickleValue()});
}

// OrderedDict(), defaultdict(list), dict(mapping), and Python 2's OrderedDict([[key, value], ...]),
// whose list is emptied, so that the same items are not moved again and again.
void PushMapping(const Arguments& given, PickleStack& stack) {
  if (!given.empty() && given[0].kind == PickleKind::kDict) return stack.Push(given[0]);
  std::vector<PickleValue> items;
  if (!given.empty() && given[0].kind == PickleKind::kList) {
    for (const PickleValue& pair : given[0].node->items) {
      const bool is_sequence = pair.kind == PickleKind::kList || pair.kind == PickleKind::kTuple;
      if (!is_sequence || pair.node->items.size() != 2) stack.Damaged();
      items.insert(items.end(), pair.node->items.begin(), pair.node->items.end());
    }
    given[0].node->items.clear();
  }
  stack.PushNode(PickleKind::kDict, std::move(items));
}

// Where `type` is given, the storage's own says nothing of what it holds.
void PushTensor(const PickleValue& storage, const PickleValue& first, const PickleValue& shape,
                const PickleValue& strides, const PickleValue* type, PickleStack& stack) {
  if (storage.kind != PickleKind::kStorage || first.kind != PickleKind::kInteger ||
      shape.kind != PickleKind::kTuple || strides.kind != PickleKind::kTuple) {
    stack.Damaged();
  }
  const PickleValue& stored_as = storage.node->items[1];
  PickleNode& tensor =
      stack.PushNode(PickleKind::kTensor, {storage, shape, strides, type ? *type : stored_as});
  tensor.count = first.integer;
  tensor.element = storage.node->element;
  tensor.is_read = storage.node->is_read && !type;
}

// (storage, first element, shape, strides, requires_grad, hooks, metadata)
void PushTensor(const Arguments& given, PickleStack& stack) {
  if (given.size() < 4) stack.Damaged();
  PushTensor(given[0], given[1], given[2], given[3], nullptr, stack);
  const bool has_metadata =  // a conjugate or a negation that is still to be done
      given.size() > 6 && given[6].kind == PickleKind::kDict && !given[6].node->items.empty();
  if (!has_metadata) return;
  stack.Top().node->is_read = false;
  stack.Top().node->items[3] = PickleValue();
}

// (storage, first element, shape, strides, requires_grad, hooks, type, metadata): a type that no
// storage of its own has, such as torch.float8_e4m3fn.
void PushTypedTensor(const Arguments& given, PickleStack& stack) {
  if (given.size() < 7 || given[6].kind != PickleKind::kGlobal) stack.Damaged();
  PushTensor(given[0], given[1], given[2], given[3], &given[6], stack);
}

}  // namespace

const StorageType* FindStorageType(const PickleValue& global) {
  if (global.kind != PickleKind::kGlobal) return nullptr;
  if (!global.node->items[0].text().starts_with("torch")) return nullptr;
  const auto found =
      std::ranges::find(kStorageTypes, global.node->items[1].text(), &StorageType::name);
  return found == kStorageTypes.end() ? nullptr : &*found;
}

void PushResult(const PickleValue& function, const PickleValue& arguments, PickleStack& stack) {
  if (arguments.kind != PickleKind::kTuple) stack.Damaged();
  const Arguments& given = arguments.node->items;
  const auto calls = [&](std::string_view module, std::string_view name) {
    return Names(function, module, name);
  };
  if (calls("collections", "OrderedDict") || calls("collections", "defaultdict") ||
      calls("builtins", "dict") || calls("__builtin__", "dict")) {
    return PushMapping(given, stack);
  }
  if (calls(kTorchUtils, "_rebuild_tensor_v2") || calls(kTorchUtils, "_rebuild_tensor")) {
    return PushTensor(given, stack);
  }
  if (calls(kTorchUtils, "_rebuild_tensor_v3")) return PushTypedTensor(given, stack);
  // (value, ...)
  if (calls(kTorchUtils, "_rebuild_parameter") ||
      calls(kTorchUtils, "_rebuild_parameter_with_state") ||
      calls("torch.jit._pickle", "restore_type_tag")) {
    if (given.empty()) stack.Damaged();
    return stack.Push(given[0]);
  }
  // (function, class, its arguments, attributes), for a tensor that was given attributes
  if (calls("torch._tensor", "_rebuild_from_type_v2") && given.size() >= 3 &&
      given[0].kind == PickleKind::kGlobal && given[0].node->items[0].text() == kTorchUtils) {
    return PushResult(given[0], given[2], stack);
  }
  // (class, base, state): an object as protocols 0 and 1 make it
  if ((calls("copy_reg", "_reconstructor") || calls("copyreg", "_reconstructor")) &&
      !given.empty()) {
    return PushObject(given[0], stack);
  }
  PushObject(function, stack);
}

// ('storage', type, key, device, elements), and a sixth in the old format: a view, or None;
// ('module', class, source file, source) in the old format of a whole model.
void PushPersistent(const PickleValue& id, PickleStack& stack,
                    std::vector<const PickleNode*>& storages) {
  if (id.kind != PickleKind::kTuple || id.node->items.empty())
    return PushObject(PickleValue(), stack);
  const std::vector<PickleValue>& items = id.node->items;
  if (items[0].text() == "module" && items.size() > 1) return stack.Push(items[1]);
  if (items[0].text() != "storage") return PushObject(PickleValue(), stack);
  if (items.size() < 5 || items[1].kind != PickleKind::kGlobal ||
      items[2].kind != PickleKind::kText || items[4].kind != PickleKind::kInteger) {
    stack.Damaged();
  }
  const StorageType* type = FindStorageType(items[1]);
  const bool is_view = items.size() > 5 && items[5].kind != PickleKind::kNone;
  PickleNode& storage = stack.PushNode(PickleKind::kStorage, {items[2], items[1]});
  storage.count = items[4].integer;
  storage.is_read = type && type->element && !is_view;
  if (storage.is_read) storage.element = *type->element;
  storages.push_back(&storage);
}

std::string DescribeUnread(const PickleValue& value) {
  const bool is_tensor = value.kind == PickleKind::kTensor;
  const PickleValue& from = value.node->items[is_tensor ? 3 : 0];
  if (from.kind != PickleKind::kGlobal) {
    return is_tensor ? "a tensor that is still to be negated or conjugated" : "an object";
  }
  const std::string name = Printable(QualifiedName(from));
  if (is_tensor) return "a tensor of " + name;
  const auto unread = std::ranges::find_if(kUnreadTensors, [&](const UnreadTensor& tensor) {
    return Names(from, tensor.module, tensor.function);
  });
  return unread != kUnreadTensors.end() ? std::string(unread->is) : "an object of " + name;
}

}  // namespace weir
