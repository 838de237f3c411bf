#include "stages/model/pickle.h"

#include <array>
#include <optional>

#include "framework/error.h"
#include "stages/model/pickle_opcodes.h"
#include "stages/model/pickle_stack.h"
#include "stages/model/printable.h"

namespace weir {
namespace {

constexpr int kMostOpcodes = 250'000;

struct AllowedName {
  std::string_view module;
  std::string_view name;
  PickleKind kind;
  ElementType element = ElementType::kF32;
};

constexpr std::array kNames = {
    AllowedName{"collections", "OrderedDict", PickleKind::kOrderedDict},
    AllowedName{"torch._utils", "_rebuild_tensor_v2", PickleKind::kRebuildTensor},
    AllowedName{"torch._utils", "_rebuild_parameter", PickleKind::kRebuildParameter},
    AllowedName{"torch", "DoubleStorage", PickleKind::kStorageType, ElementType::kF64},
    AllowedName{"torch", "FloatStorage", PickleKind::kStorageType, ElementType::kF32},
    AllowedName{"torch", "HalfStorage", PickleKind::kStorageType, ElementType::kF16},
    AllowedName{"torch", "BFloat16Storage", PickleKind::kStorageType, ElementType::kBF16},
    AllowedName{"torch", "LongStorage", PickleKind::kStorageType, ElementType::kI64},
    AllowedName{"torch", "IntStorage", PickleKind::kStorageType, ElementType::kI32},
    AllowedName{"torch", "ShortStorage", PickleKind::kStorageType, ElementType::kI16},
    AllowedName{"torch", "CharStorage", PickleKind::kStorageType, ElementType::kI8},
    AllowedName{"torch", "ByteStorage", PickleKind::kStorageType, ElementType::kU8},
    AllowedName{"torch", "BoolStorage", PickleKind::kStorageType, ElementType::kBool},
};

class Machine {
 public:
  Machine(std::span<const std::byte> bytes, const std::string& file_name,
          std::deque<PickleNode>& nodes)
      : stack_(bytes, file_name, nodes), file_name_(file_name) {}

  PickleValue Run() {
    for (int opcodes = 0; opcodes < kMostOpcodes; ++opcodes) {
      const auto opcode = stack_.Read<std::uint8_t>();
      if (opcode == kStop) {
        const PickleValue root = stack_.Pop();
        if (!stack_.empty()) stack_.Damaged();
        return root;
      }
      if (!PushPlain(opcode) && !PushText(opcode) && !Remember(opcode) && !Collect(opcode) &&
          !Act(opcode)) {
        stack_.Refuse("the pickle uses opcode " + std::to_string(opcode) +
                      ", which no dictionary of tensors needs");
      }
    }
    stack_.Refuse("the pickle has more than " + std::to_string(kMostOpcodes) + " opcodes");
  }

  std::size_t position() { return stack_.reader().position(); }
  std::vector<const PickleNode*> storages() const { return storages_; }

 private:
  // The groups of opcodes: each says whether `opcode` is one of its own, which it has then done.

  // clang-format off
  bool PushPlain(std::uint8_t opcode) {
    switch (opcode) {
      case kNone: stack_.Push({}); return true;
      case kNewTrue: stack_.PushInteger(PickleKind::kBool, 1); return true;
      case kNewFalse: stack_.PushInteger(PickleKind::kBool, 0); return true;
      case kBinInt: stack_.PushInteger(PickleKind::kInteger, stack_.Read<std::int32_t>()); return true;
      case kBinInt1: stack_.PushInteger(PickleKind::kInteger, stack_.Read<std::uint8_t>()); return true;
      case kBinInt2: stack_.PushInteger(PickleKind::kInteger, stack_.Read<std::uint16_t>()); return true;
      case kLong1: stack_.PushLong(stack_.Read<std::uint8_t>()); return true;
      case kLong4: stack_.PushLong(stack_.Read<std::uint32_t>()); return true;
      case kBinFloat: stack_.Read<double>(); stack_.Push({.kind = PickleKind::kFloat}); return true;
      case kMark: stack_.Push({.kind = PickleKind::kMark}); return true;
      case kEmptyTuple: stack_.PushNode(PickleKind::kTuple, {}); return true;
      case kEmptyList: stack_.PushNode(PickleKind::kList, {}); return true;
      case kEmptyDict: stack_.PushNode(PickleKind::kDict, {}); return true;
      default: return false;
    }
  }

  bool PushText(std::uint8_t opcode) {
    switch (opcode) {
      case kShortBinString: case kShortBinBytes: case kShortBinUnicode:
        stack_.PushText(stack_.Read<std::uint8_t>()); return true;
      case kBinString: case kBinBytes: case kBinUnicode:
        stack_.PushText(stack_.Read<std::uint32_t>()); return true;
      case kBinUnicode8: case kBinBytes8:
        stack_.PushText(stack_.Read<std::uint64_t>()); return true;
      default: return false;
    }
  }

  // The protocol's own housekeeping: its version, frames, the memo.
  bool Remember(std::uint8_t opcode) {
    switch (opcode) {
      case kProto: CheckProtocol(); return true;
      case kFrame: stack_.Read<std::uint64_t>(); return true;
      case kMemoize: stack_.MemorizeNext(); return true;
      case kBinPut: stack_.Memorize(stack_.Read<std::uint8_t>()); return true;
      case kLongBinPut: stack_.Memorize(stack_.Read<std::uint32_t>()); return true;
      case kBinGet: stack_.Recall(stack_.Read<std::uint8_t>()); return true;
      case kLongBinGet: stack_.Recall(stack_.Read<std::uint32_t>()); return true;
      case kPop: stack_.Pop(); return true;
      default: return false;
    }
  }

  // From the stack into a container.
  bool Collect(std::uint8_t opcode) {
    switch (opcode) {
      case kTuple: stack_.PushNode(PickleKind::kTuple, stack_.PopToMark()); return true;
      case kTuple1: stack_.PushNode(PickleKind::kTuple, stack_.PopLast(1)); return true;
      case kTuple2: stack_.PushNode(PickleKind::kTuple, stack_.PopLast(2)); return true;
      case kTuple3: stack_.PushNode(PickleKind::kTuple, stack_.PopLast(3)); return true;
      case kList: stack_.PushNode(PickleKind::kList, stack_.PopToMark()); return true;
      case kDict: stack_.PushDict(stack_.PopToMark()); return true;
      case kAppend: stack_.Append(PickleKind::kList, stack_.PopLast(1)); return true;
      case kAppends: stack_.Append(PickleKind::kList, stack_.PopToMark()); return true;
      case kSetItem: stack_.Append(PickleKind::kDict, stack_.PopLast(2)); return true;
      case kSetItems: stack_.Append(PickleKind::kDict, stack_.PopToMark()); return true;
      default: return false;
    }
  }

  // What would run something in Python.
  bool Act(std::uint8_t opcode) {
    switch (opcode) {
      case kGlobal: PushGlobal(); return true;
      case kStackGlobal: PushStackGlobal(); return true;
      case kBinPersId: PushStorage(stack_.Pop()); return true;
      case kReduce: Call(); return true;
      case kBuild: IgnoreState(); return true;
      default: return false;
    }
  }
  // clang-format on

  void CheckProtocol() {
    if (stack_.Read<std::uint8_t>() > 5) stack_.Refuse("the pickle's protocol is above 5");
  }

  void PushGlobal() {
    const std::string_view module = stack_.Need(stack_.reader().TakeLine());
    PushName(module, stack_.Need(stack_.reader().TakeLine()));
  }

  void PushStackGlobal() {
    const PickleValue name = stack_.Pop(), module = stack_.Pop();
    if (name.kind != PickleKind::kText || module.kind != PickleKind::kText) stack_.Damaged();
    PushName(module.text, name.text);
  }

  // Attributes of the dictionary below: OrderedDict's _metadata, which is not needed.
  void IgnoreState() {
    stack_.Pop();
    stack_.Top(PickleKind::kDict);
  }

  void PushName(std::string_view module, std::string_view name) {
    for (const AllowedName& allowed : kNames) {
      if (allowed.module == module && allowed.name == name) {
        stack_.Push({.kind = allowed.kind, .element = allowed.element});
        return;
      }
    }
    throw Error(ErrorKind::kData,
                file_name_ + ": refuses to call " + Printable(module) + "." + Printable(name),
                "only tensors and their names are read and nothing is executed: save the weights "
                "alone, by torch.save(model.state_dict(), path)");
  }

  void Call() {
    const PickleValue arguments = stack_.Pop(), function = stack_.Pop();
    if (arguments.kind != PickleKind::kTuple) stack_.Damaged();
    const std::vector<PickleValue>& given = arguments.node->items;
    switch (function.kind) {
      case PickleKind::kOrderedDict:
        if (!given.empty()) stack_.Refuse("an OrderedDict is made in a way that is not understood");
        stack_.PushNode(PickleKind::kDict, {});
        return;
      case PickleKind::kRebuildParameter:
        if (given.empty() || given[0].kind != PickleKind::kTensor) stack_.Damaged();
        stack_.Push(given[0]);
        return;
      case PickleKind::kRebuildTensor:
        PushTensor(given);
        return;
      default:
        stack_.Damaged();
    }
  }

  // (storage, first element, shape, strides, requires_grad, hooks)
  void PushTensor(const std::vector<PickleValue>& given) {
    if (given.size() < 4 || given[0].kind != PickleKind::kStorage ||
        given[1].kind != PickleKind::kInteger || given[2].kind != PickleKind::kTuple ||
        given[3].kind != PickleKind::kTuple) {
      stack_.Damaged();
    }
    PickleNode& tensor = stack_.PushNode(PickleKind::kTensor, {given[0], given[2], given[3]});
    tensor.count = given[1].integer;
    tensor.element = given[0].node->element;
  }

  // ('storage', type, key, device, elements), and a sixth in the old format: a view, or None
  void PushStorage(const PickleValue& id) {
    if (id.kind != PickleKind::kTuple || id.node->items.size() < 5) stack_.Damaged();
    const std::vector<PickleValue>& items = id.node->items;
    if (items[0].text != "storage" || items[1].kind != PickleKind::kStorageType ||
        items[2].kind != PickleKind::kText || items[4].kind != PickleKind::kInteger) {
      stack_.Damaged();
    }
    if (items.size() > 5 && items[5].kind != PickleKind::kNone) {
      stack_.Refuse("a storage is a view of another, which is not supported");
    }
    PickleNode& storage = stack_.PushNode(PickleKind::kStorage, {items[2]});
    storage.count = items[4].integer;
    storage.element = items[1].element;
    storages_.push_back(&storage);
  }

  PickleStack stack_;
  const std::string& file_name_;
  std::vector<const PickleNode*> storages_;
};

}  // namespace

Pickle::Pickle(std::span<const std::byte> bytes, const std::string& file_name) {
  Machine machine(bytes, file_name, nodes_);
  root_ = machine.Run();
  storages_ = machine.storages();
  bytes_read_ = machine.position();
}

}  // namespace weir
