#include "stages/model/pickle_stack.h"

#include <utility>

#include "framework/error.h"

namespace weir {

void PickleStack::PushInteger(PickleKind kind, std::int64_t value) {
  stack_.push_back({.kind = kind, .integer = value});
}

void PickleStack::PushLong(std::uint32_t size) {  // two's complement, little-endian
  const auto bytes = Need(reader_.Take(size));
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < bytes.size() && i < 8; ++i) {
    bits |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
  }
  const bool negative = size > 0 && std::to_integer<int>(bytes.back()) >= 0x80;
  if (size < 8 && negative) bits |= ~std::uint64_t{0} << (8 * size);
  stack_.push_back({.kind = PickleKind::kInteger,
                    .integer = static_cast<std::int64_t>(bits),
                    .text = size > 8 ? AsText(bytes) : std::string_view()});
}

void PickleStack::PushText(std::uint64_t size) {
  stack_.push_back({.kind = PickleKind::kText, .text = AsText(Need(reader_.Take(size)))});
}

PickleNode& PickleStack::PushNode(PickleKind kind, std::vector<PickleValue> items) {
  nodes_.push_back({.items = std::move(items)});
  stack_.push_back({.kind = kind, .node = &nodes_.back()});
  return nodes_.back();
}

void PickleStack::PushDict(std::vector<PickleValue> items) {
  if (items.size() % 2 != 0) Damaged();
  PushNode(PickleKind::kDict, std::move(items));
}

PickleValue PickleStack::Pop() {
  if (stack_.empty() || stack_.back().kind == PickleKind::kMark) Damaged();
  const PickleValue value = stack_.back();
  stack_.pop_back();
  return value;
}

std::vector<PickleValue> PickleStack::PopLast(std::size_t count) {
  std::vector<PickleValue> values(count);
  while (count-- > 0) values[count] = Pop();
  return values;
}

std::vector<PickleValue> PickleStack::PopToMark() {
  std::size_t mark = stack_.size();
  while (mark > 0 && stack_[mark - 1].kind != PickleKind::kMark) --mark;
  if (mark == 0) Damaged();
  std::vector<PickleValue> values(stack_.begin() + static_cast<std::ptrdiff_t>(mark), stack_.end());
  stack_.resize(mark - 1);
  return values;
}

PickleValue& PickleStack::Top(PickleKind kind) {
  if (stack_.empty() || stack_.back().kind != kind) Damaged();
  return stack_.back();
}

void PickleStack::Append(PickleKind kind, const std::vector<PickleValue>& items) {
  if (kind == PickleKind::kDict && items.size() % 2 != 0) Damaged();
  std::vector<PickleValue>& into = Top(kind).node->items;
  into.insert(into.end(), items.begin(), items.end());
}

void PickleStack::Memorize(std::uint32_t index) {
  if (stack_.empty() || stack_.back().kind == PickleKind::kMark) Damaged();
  memo_[index] = stack_.back();
}

void PickleStack::Recall(std::uint32_t index) {
  const auto found = memo_.find(index);
  if (found == memo_.end()) Damaged();
  stack_.push_back(found->second);
}

void PickleStack::Damaged() const {
  Refuse("the pickle is damaged at byte " + std::to_string(reader_.position()));
}

void PickleStack::Refuse(const std::string& what) const {
  throw Error(ErrorKind::kData, file_name_ + ": " + what,
              "save the weights again by torch.save(model.state_dict(), path), or as safetensors");
}

}  // namespace weir
