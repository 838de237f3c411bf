// What a pickle's opcodes work on: the bytes, the stack and the memo. Every access is checked; what
// cannot be ends in an Error(kData) with the file's name.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "stages/files/byte_reader.h"
#include "stages/model/weights/containers/pickle.h"

namespace weir {

class PickleStack {
 public:
  // `nodes` takes the containers; it and the bytes must outlive this.
  PickleStack(std::span<const std::byte> bytes, const std::string& file_name,
              std::deque<PickleNode>& nodes)
      : reader_(bytes), file_name_(file_name), nodes_(nodes) {}

  ByteReader& reader() { return reader_; }
  bool empty() const { return stack_.empty(); }
  bool HasMarkOnTop() const { return !empty() && stack_.back().kind == PickleKind::kMark; }

  void Push(const PickleValue& value) { stack_.push_back(value); }
  void Push(PickleKind kind) { stack_.emplace_back(kind); }  // without a value
  void PushInteger(PickleKind kind, std::int64_t value);
  void PushLong(std::uint32_t size);   // it has so many bytes, which come next
  void PushBytes(std::uint64_t size);  // a text of so many bytes, which come next
  void PushText(std::string_view text);
  void PushNumberLine();  // the decimal integer of a line, as protocol 0 writes it
  PickleNode& PushNode(PickleKind kind, std::vector<PickleValue> items);
  void PushDict(std::vector<PickleValue> items);

  PickleValue Pop();
  std::vector<PickleValue> PopLast(std::size_t count);
  std::vector<PickleValue> PopToMark();
  PickleValue& Top();  // the uppermost value, which is not a mark

  // Into the list or set on top; an object keeps none.
  void Append(const std::vector<PickleValue>& items);
  // Keys and values by turns, into the dictionary or object on top.
  void SetItems(const std::vector<PickleValue>& items);

  void Memorize(std::uint32_t index) { memo_[index] = Top(); }
  void MemorizeNext() { Memorize(static_cast<std::uint32_t>(memo_.size())); }
  void Recall(std::uint32_t index);
  std::uint32_t IndexLine();  // a place of the memo in decimal digits, as protocol 0 writes it

  std::string_view Line() { return Need(reader_.TakeLine()); }
  template <class T>
  T Need(std::optional<T> value) const {
    if (!value) Damaged();
    return *value;
  }
  template <class Number>
  Number Read() {
    return Need(reader_.Read<Number>());
  }
  [[noreturn]] void Damaged() const;
  [[noreturn]] void Refuse(const std::string& what) const;

 private:
  ByteReader reader_;
  const std::string& file_name_;
  std::deque<PickleNode>& nodes_;
  std::vector<PickleValue> stack_;
  std::unordered_map<std::uint32_t, PickleValue> memo_;
};

}  // namespace weir
