#include "stages/model/weights/containers/pickle_stack.h"

#include <charconv>
#include <limits>
#include <utility>

#include "framework/error.h"

namespace weir {
namespace {

template <class Number>
std::optional<Number> Decimal(std::string_view line) {
  Number number{};
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
  if (error != std::errc() || end != line.data() + line.size()) return std::nullopt;
  return number;
}

}  // namespace

void PickleStack::PushInteger(PickleKind kind, std::int64_t value) {
  stack_.emplace_back(kind, value);
}

void PickleStack::PushLong(std::uint32_t size) {  // two's complement, little-endian
  const auto bytes = Need(reader_.Take(size));
  if (size > 8) return Push(PickleKind::kLong);
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bits |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
  }
  const bool negative = size > 0 && std::to_integer<int>(bytes.back()) >= 0x80;
  if (size < 8 && negative) bits |= ~std::uint64_t{0} << (8 * size);
  PushInteger(PickleKind::kInteger, static_cast<std::int64_t>(bits));
}

void PickleStack::PushNumberLine() {
  std::string_view line = Line();
  if (line.ends_with('L')) line.remove_suffix(1);
  const auto number = Decimal<std::int64_t>(line);
  number ? PushInteger(PickleKind::kInteger, *number) : Push(PickleKind::kLong);
}

void PickleStack::PushBytes(std::uint64_t size) { PushText(AsText(Need(reader_.Take(size)))); }

void PickleStack::PushText(std::string_view text) {
  if (text.size() > std::numeric_limits<std::uint32_t>::max()) Damaged();
  stack_.emplace_back(text);
}

PickleNode& PickleStack::PushNode(PickleKind kind, std::vector<PickleValue> items) {
  nodes_.push_back({.items = std::move(items)});
  stack_.emplace_back(kind, &nodes_.back());
  return nodes_.back();
}

void PickleStack::PushDict(std::vector<PickleValue> items) {
  if (items.size() % 2 != 0) Damaged();
  PushNode(PickleKind::kDict, std::move(items));
}

PickleValue PickleStack::Pop() {
  const PickleValue value = Top();
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

PickleValue& PickleStack::Top() {
  if (stack_.empty() || stack_.back().kind == PickleKind::kMark) Damaged();
  return stack_.back();
}

void PickleStack::Append(const std::vector<PickleValue>& items) {
  const PickleValue& top = Top();
  if (top.kind == PickleKind::kObject) return;
  if (top.kind != PickleKind::kList) Damaged();
  top.node->items.insert(top.node->items.end(), items.begin(), items.end());
}

void PickleStack::SetItems(const std::vector<PickleValue>& items) {
  const PickleValue& top = Top();
  const bool takes_items = top.kind == PickleKind::kDict || top.kind == PickleKind::kObject;
  if (!takes_items || items.size() % 2 != 0) Damaged();
  top.node->items.insert(top.node->items.end(), items.begin(), items.end());
}

void PickleStack::Recall(std::uint32_t index) {
  const auto found = memo_.find(index);
  if (found == memo_.end()) Damaged();
  stack_.push_back(found->second);
}

std::uint32_t PickleStack::IndexLine() { return Need(Decimal<std::uint32_t>(Line())); }

void PickleStack::Damaged() const {
  Refuse("the pickle is damaged at byte " + std::to_string(reader_.position()));
}

void PickleStack::Refuse(const std::string& what) const {
  throw Error(ErrorKind::kData, file_name_ + ": " + what,
              "save the weights again by torch.save(model.state_dict(), path), or as safetensors");
}

}  // namespace weir
