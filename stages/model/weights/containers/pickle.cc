#include "stages/model/weights/containers/pickle.h"

#include "stages/model/weights/containers/pickle_calls.h"
#include "stages/model/weights/containers/pickle_opcodes.h"
#include "stages/model/weights/containers/pickle_stack.h"

namespace weir {
namespace {

constexpr int kMostOpcodes = 200'000;

class Machine {
 public:
  Machine(std::span<const std::byte> bytes, const std::string& file_name,
          std::deque<PickleNode>& nodes)
      : stack_(bytes, file_name, nodes) {}

  PickleValue Run() {
    for (int opcodes = 0; opcodes < kMostOpcodes; ++opcodes) {
      const auto opcode = stack_.Read<std::uint8_t>();
      if (opcode == kStop) {
        const PickleValue root = stack_.Pop();
        if (!stack_.empty()) stack_.Damaged();
        return root;
      }
      if (!PushNumber(opcode) && !PushText(opcode) && !Remember(opcode) && !Collect(opcode) &&
          !Act(opcode)) {
        stack_.Refuse("the pickle uses opcode " + std::to_string(opcode) +
                      ", which torch.save does not write");
      }
    }
    stack_.Refuse("the pickle has more than " + std::to_string(kMostOpcodes) + " opcodes");
  }

  std::size_t position() { return stack_.reader().position(); }
  std::vector<const PickleNode*> storages() const { return storages_; }

 private:
  // The groups of opcodes: each says whether `opcode` is one of its own, which it has then done.

  // clang-format off
  bool PushNumber(std::uint8_t opcode) {
    switch (opcode) {
      case kNone: stack_.Push(PickleKind::kNone); return true;
      case kNewTrue: stack_.PushInteger(PickleKind::kBool, 1); return true;
      case kNewFalse: stack_.PushInteger(PickleKind::kBool, 0); return true;
      case kBinInt:
        stack_.PushInteger(PickleKind::kInteger, stack_.Read<std::int32_t>()); return true;
      case kBinInt1:
        stack_.PushInteger(PickleKind::kInteger, stack_.Read<std::uint8_t>()); return true;
      case kBinInt2:
        stack_.PushInteger(PickleKind::kInteger, stack_.Read<std::uint16_t>()); return true;
      case kLong1: stack_.PushLong(stack_.Read<std::uint8_t>()); return true;
      case kLong4: stack_.PushLong(stack_.Read<std::uint32_t>()); return true;
      case kInt: case kLong: stack_.PushNumberLine(); return true;
      case kBinFloat: stack_.Read<double>(); stack_.Push(PickleKind::kFloat); return true;
      case kFloat: stack_.Line(); stack_.Push(PickleKind::kFloat); return true;
      default: return false;
    }
  }

  bool PushText(std::uint8_t opcode) {
    switch (opcode) {
      case kShortBinString: case kShortBinBytes: case kShortBinUnicode:
        stack_.PushBytes(stack_.Read<std::uint8_t>()); return true;
      case kBinString: case kBinBytes: case kBinUnicode:
        stack_.PushBytes(stack_.Read<std::uint32_t>()); return true;
      case kBinUnicode8: case kBinBytes8: case kByteArray8:
        stack_.PushBytes(stack_.Read<std::uint64_t>()); return true;
      case kString: case kUnicode: PushTextLine(); return true;
      default: return false;
    }
  }

  // The protocol's own housekeeping: its version, frames, marks, the memo.
  bool Remember(std::uint8_t opcode) {
    switch (opcode) {
      case kProto: CheckProtocol(); return true;
      case kFrame: stack_.Read<std::uint64_t>(); return true;
      case kMark: stack_.Push(PickleKind::kMark); return true;
      case kMemoize: stack_.MemorizeNext(); return true;
      case kPut: stack_.Memorize(stack_.IndexLine()); return true;
      case kBinPut: stack_.Memorize(stack_.Read<std::uint8_t>()); return true;
      case kLongBinPut: stack_.Memorize(stack_.Read<std::uint32_t>()); return true;
      case kGet: stack_.Recall(stack_.IndexLine()); return true;
      case kBinGet: stack_.Recall(stack_.Read<std::uint8_t>()); return true;
      case kLongBinGet: stack_.Recall(stack_.Read<std::uint32_t>()); return true;
      case kPop: PopAny(); return true;
      case kPopMark: stack_.PopToMark(); return true;
      case kDup: stack_.Push(PickleValue(stack_.Top())); return true;
      default: return false;
    }
  }

  // From the stack into a container.
  bool Collect(std::uint8_t opcode) {
    switch (opcode) {
      case kEmptyTuple: stack_.PushNode(PickleKind::kTuple, {}); return true;
      case kEmptyList: case kEmptySet: stack_.PushNode(PickleKind::kList, {}); return true;
      case kEmptyDict: stack_.PushNode(PickleKind::kDict, {}); return true;
      case kTuple: stack_.PushNode(PickleKind::kTuple, stack_.PopToMark()); return true;
      case kTuple1: stack_.PushNode(PickleKind::kTuple, stack_.PopLast(1)); return true;
      case kTuple2: stack_.PushNode(PickleKind::kTuple, stack_.PopLast(2)); return true;
      case kTuple3: stack_.PushNode(PickleKind::kTuple, stack_.PopLast(3)); return true;
      case kList: case kFrozenSet:
        stack_.PushNode(PickleKind::kList, stack_.PopToMark()); return true;
      case kDict: stack_.PushDict(stack_.PopToMark()); return true;
      case kAppend: stack_.Append(stack_.PopLast(1)); return true;
      case kAppends: case kAddItems: stack_.Append(stack_.PopToMark()); return true;
      case kSetItem: stack_.SetItems(stack_.PopLast(2)); return true;
      case kSetItems: stack_.SetItems(stack_.PopToMark()); return true;
      default: return false;
    }
  }

  // What would run something in Python.
  bool Act(std::uint8_t opcode) {
    switch (opcode) {
      case kGlobal: PushGlobalLines(); return true;
      case kStackGlobal: PushStackGlobal(); return true;
      case kPersId: stack_.Line(); PushPersistent(PickleValue(), stack_, storages_); return true;
      case kBinPersId: PushPersistent(stack_.Pop(), stack_, storages_); return true;
      case kReduce: case kNewObj: Call(); return true;
      case kNewObjEx: stack_.Pop(); Call(); return true;  // without the arguments by name
      case kInst: Instance(); return true;
      case kObj: Make(); return true;
      case kBuild: stack_.Pop(); stack_.Top(); return true;  // attributes, which nobody needs
      default: return false;
    }
  }
  // clang-format on

  void CheckProtocol() {
    if (stack_.Read<std::uint8_t>() > 5) stack_.Refuse("the pickle's protocol is above 5");
  }

  // In quotes where it was a Python 2 str; escapes stay as they are.
  void PushTextLine() {
    std::string_view line = stack_.Line();
    const bool is_quoted = line.size() >= 2 && (line.front() == '\'' || line.front() == '"') &&
                           line.back() == line.front();
    stack_.PushText(is_quoted ? line.substr(1, line.size() - 2) : line);
  }

  // A mark too, as CPython's unpickler does.
  void PopAny() {
    if (stack_.HasMarkOnTop()) {
      stack_.PopToMark();
    } else {
      stack_.Pop();
    }
  }

  void PushGlobalLines() {
    stack_.PushText(stack_.Line());
    stack_.PushText(stack_.Line());
    PushStackGlobal();
  }

  void PushStackGlobal() {
    std::vector<PickleValue> names = stack_.PopLast(2);
    if (names[0].kind != PickleKind::kText || names[1].kind != PickleKind::kText) stack_.Damaged();
    stack_.PushNode(PickleKind::kGlobal, std::move(names));
  }

  // function, arguments
  void Call() {
    const PickleValue arguments = stack_.Pop(), function = stack_.Pop();
    PushResult(function, arguments, stack_);
  }

  // mark, arguments; the class is named in the next two lines
  void Instance() {
    std::vector<PickleValue> arguments = stack_.PopToMark();
    PushGlobalLines();
    stack_.PushNode(PickleKind::kTuple, std::move(arguments));
    Call();
  }

  // mark, class, arguments
  void Make() {
    std::vector<PickleValue> arguments = stack_.PopToMark();
    if (arguments.empty()) stack_.Damaged();
    stack_.Push(arguments.front());
    arguments.erase(arguments.begin());
    stack_.PushNode(PickleKind::kTuple, std::move(arguments));
    Call();
  }

  PickleStack stack_;
  std::vector<const PickleNode*> storages_;
};

}  // namespace

std::string QualifiedName(const PickleValue& global) {
  constexpr std::size_t kMostBytes = 100;
  const std::vector<PickleValue>& names = global.node->items;
  return std::string(names[0].text().substr(0, kMostBytes)) + "." +
         std::string(names[1].text().substr(0, kMostBytes));
}

Pickle::Pickle(std::span<const std::byte> bytes, const std::string& file_name) {
  Machine machine(bytes, file_name, nodes_);
  root_ = machine.Run();
  storages_ = machine.storages();
  bytes_read_ = machine.position();
}

}  // namespace weir
