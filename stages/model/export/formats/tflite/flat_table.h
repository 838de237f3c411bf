// A table of a flatbuffer, written field by field: what flatc would generate a class for.
//
//   const auto code = FlatTable(builder).Add(OperatorCodeField::kVersion, 1).End();
//
// A field is an enumerator whose value is its place in the schema. Strings, vectors and other
// tables are made before the table that holds them is begun. One thread.
#pragma once

#include <flatbuffers/flatbuffers.h>

#include <type_traits>

namespace weir {

using FlatOffset = flatbuffers::Offset<flatbuffers::Table>;

class FlatTable {
 public:
  // The builder outlives it.
  explicit FlatTable(flatbuffers::FlatBufferBuilder& builder)
      : builder_(builder), start_(builder.StartTable()) {
    builder.ForceDefaults(true);
  }

  // A number, a truth value or an enumerator, in as many bytes as its type has. It is written down
  // even where it is the schema's default.
  template <class Field, class Value>
  FlatTable& Add(Field field, Value value) {
    if constexpr (std::is_enum_v<Value>) {
      return Add(field, static_cast<std::underlying_type_t<Value>>(value));
    } else if constexpr (std::is_same_v<Value, bool>) {
      return Add(field, static_cast<std::uint8_t>(value));
    } else {
      builder_.AddElement(PlaceOf(field), value, Value());
      return *this;
    }
  }
  template <class Field, class Pointed>
  FlatTable& Add(Field field, flatbuffers::Offset<Pointed> value) {
    builder_.AddOffset(PlaceOf(field), value);
    return *this;
  }

  FlatOffset End() { return FlatOffset(builder_.EndTable(start_)); }

 private:
  template <class Field>
  static flatbuffers::voffset_t PlaceOf(Field field) {
    return flatbuffers::FieldIndexToOffset(static_cast<flatbuffers::voffset_t>(field));
  }

  flatbuffers::FlatBufferBuilder& builder_;
  const flatbuffers::uoffset_t start_;
};

}  // namespace weir
