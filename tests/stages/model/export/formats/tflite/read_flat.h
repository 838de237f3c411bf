// A flatbuffer as its format says (flatbuffers.dev/internals), read without flatbuffers' code:
// every offset is checked, and that each number lies where its size demands.
//
//   const FlatRead model = FlatRead::Root(bytes, "TFL3");
//   model.Tables(2).at(0).Text(4);
//
// Throws std::runtime_error where anything lies outside or askew. A read holds the bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace weir {

class FlatRead {
 public:
  using Bytes = std::shared_ptr<const std::string>;

  static FlatRead Root(const std::string& bytes, const std::string& identifier) {
    const auto held = std::make_shared<const std::string>(bytes);
    if (bytes.substr(4, 4) != identifier) throw std::runtime_error("not " + identifier);
    return {held, Followed(held, 0)};
  }

  template <class Number>
  Number Get(int field, Number otherwise = Number()) const {
    const auto place = PlaceOf(field);
    return place ? At<Number>(bytes_, *place) : otherwise;
  }
  bool Has(int field) const { return PlaceOf(field).has_value(); }
  FlatRead Table(int field) const { return {bytes_, Followed(bytes_, PlaceOf(field).value())}; }

  std::string Text(int field) const {
    const auto letters = Numbers<char>(field);
    return {letters.begin(), letters.end()};
  }

  // Empty where there is none.
  template <class Number>
  std::vector<Number> Numbers(int field) const {
    std::vector<Number> numbers;
    const auto [first, count] = VectorOf(field, sizeof(Number));
    for (std::size_t i = 0; i < count; ++i) {
      numbers.push_back(At<Number>(bytes_, first + i * sizeof(Number)));
    }
    return numbers;
  }

  std::vector<FlatRead> Tables(int field) const {
    std::vector<FlatRead> tables;
    const auto [first, count] = VectorOf(field, 4);
    for (std::size_t i = 0; i < count; ++i) {
      tables.push_back({bytes_, Followed(bytes_, first + i * 4)});
    }
    return tables;
  }

  // Where the first element of a vector lies in the file, and how many there are; 0 and 0 where
  // there is no vector.
  std::pair<std::size_t, std::size_t> VectorOf(int field, std::size_t element) const {
    const auto place = PlaceOf(field);
    if (!place) return {0, 0};
    const std::size_t at = Followed(bytes_, *place);
    const std::size_t count = At<std::uint32_t>(bytes_, at);
    if (count > (bytes_->size() - at - 4) / element) throw std::runtime_error("a vector is cut");
    return {at + 4, count};
  }

 private:
  FlatRead(Bytes bytes, std::size_t table) : bytes_(std::move(bytes)), table_(table) {}

  template <class Number>
  static Number At(const Bytes& bytes, std::size_t place) {
    Number number;
    if (place > bytes->size() || bytes->size() - place < sizeof number) {
      throw std::runtime_error("a number lies outside");
    }
    if (place % sizeof number != 0) throw std::runtime_error("a number lies askew");
    std::memcpy(&number, bytes->data() + place, sizeof number);
    return number;
  }

  static std::size_t Followed(const Bytes& bytes, std::size_t place) {
    return place + At<std::uint32_t>(bytes, place);
  }

  std::optional<std::size_t> PlaceOf(int field) const {
    const std::size_t layout = table_ - At<std::int32_t>(bytes_, table_);
    const std::size_t entry = 4 + 2 * static_cast<std::size_t>(field);
    if (entry + 2 > At<std::uint16_t>(bytes_, layout)) return std::nullopt;
    const auto place = At<std::uint16_t>(bytes_, layout + entry);
    if (place == 0) return std::nullopt;
    return table_ + place;
  }

  Bytes bytes_;
  std::size_t table_ = 0;
};

}  // namespace weir
