#include "stages/model/weights/containers/hdf5_messages.h"

#include "stages/files/byte_reader.h"

namespace weir {
namespace {

constexpr int kMostDimensions = 8;

std::optional<ElementType> IntegerType(std::uint32_t bytes, bool is_signed) {
  if (bytes == 1) return is_signed ? ElementType::kI8 : ElementType::kU8;
  if (!is_signed) return std::nullopt;
  if (bytes == 2) return ElementType::kI16;
  if (bytes == 4) return ElementType::kI32;
  if (bytes == 8) return ElementType::kI64;
  return std::nullopt;
}

std::optional<ElementType> FloatType(std::uint32_t bytes, std::span<const std::byte> properties) {
  if (properties.size() < 8) return std::nullopt;
  const int exponent_bits = std::to_integer<int>(properties[5]);
  if (bytes == 8 && exponent_bits == 11) return ElementType::kF64;
  if (bytes == 4 && exponent_bits == 8) return ElementType::kF32;
  if (bytes == 2 && exponent_bits == 5) return ElementType::kF16;
  if (bytes == 2 && exponent_bits == 8) return ElementType::kBF16;
  return std::nullopt;
}

// A length of 1, 2, 4 or 8 bytes.
std::optional<std::uint64_t> ReadLength(ByteReader& reader, int log2_bytes) {
  const auto bytes = reader.Take(std::uint64_t{1} << log2_bytes);
  if (!bytes) return std::nullopt;
  std::uint64_t length = 0;
  std::memcpy(&length, bytes->data(), bytes->size());
  return length;
}

std::string_view UpToZero(std::span<const std::byte> bytes) {
  const std::string_view text = AsText(bytes);
  return text.substr(0, text.find('\0'));
}

}  // namespace

std::optional<Hdf5Type> ParseHdf5Type(std::span<const std::byte> message) {
  ByteReader reader(message);
  const auto class_and_version = reader.Read<std::uint8_t>();
  const auto bits = reader.Take(3);
  const auto bytes = reader.Read<std::uint32_t>();
  if (!bytes || *bytes == 0) return std::nullopt;
  const int flags = std::to_integer<int>((*bits)[0]);
  const bool big_endian = flags & 1;
  std::optional<ElementType> element;
  switch (*class_and_version & 0xF) {
    case 0:
      element = IntegerType(*bytes, flags & 8);
      break;
    case 1:
      element = FloatType(*bytes, message.subspan(reader.position()));
      break;
    case 3:
      return Hdf5Type{.kind = Hdf5Type::kText, .bytes = *bytes};
    case 9:
      if ((flags & 0xF) != 1 || *bytes != 16) return std::nullopt;
      return Hdf5Type{.kind = Hdf5Type::kVariableText, .bytes = *bytes};
    default:
      return std::nullopt;
  }
  if (!element || big_endian) return std::nullopt;
  return Hdf5Type{.kind = Hdf5Type::kNumber, .element = *element, .bytes = *bytes};
}

std::optional<Shape> ParseHdf5Shape(std::span<const std::byte> message) {
  ByteReader reader(message);
  const auto version = reader.Read<std::uint8_t>();
  const auto rank = reader.Read<std::uint8_t>();
  reader.Take(1);  // flags: largest sizes follow
  const auto type = reader.Read<std::uint8_t>();
  if (!type || *rank > kMostDimensions) return std::nullopt;
  if (*version == 1 ? !reader.Take(4) : *version != 2 || *type > 1) return std::nullopt;
  Shape shape;
  for (int i = 0; i < *rank; ++i) {
    const auto dimension = reader.Read<std::int64_t>();
    if (!dimension || *dimension < 0) return std::nullopt;
    shape.push_back(*dimension);
  }
  return shape;
}

std::optional<Hdf5Layout> ParseHdf5Layout(std::span<const std::byte> message) {
  ByteReader reader(message);
  const auto version = reader.Read<std::uint8_t>();
  const auto kind = reader.Read<std::uint8_t>();
  if (!kind || (*version != 3 && *version != 4)) return std::nullopt;
  Hdf5Layout layout;
  if (*kind == 0) {
    const auto values = reader.Take(reader.Read<std::uint16_t>().value_or(0));
    if (!values) return std::nullopt;
    layout.compact = *values;
    layout.bytes = values->size();
    return layout;
  }
  const auto address = reader.Read<std::uint64_t>();
  const auto bytes = reader.Read<std::uint64_t>();
  if (*kind != 1 || !bytes) return std::nullopt;
  return Hdf5Layout{.compact = {}, .address = *address, .bytes = *bytes};
}

namespace {

// The parts of an attribute's message, where they are all there.
struct AttributeParts {
  bool type_is_elsewhere = false;
  std::span<const std::byte> name, type, shape, values;
};

std::optional<AttributeParts> SplitAttribute(std::span<const std::byte> message) {
  ByteReader reader(message);
  const auto version = reader.Read<std::uint8_t>();
  const auto flags = reader.Read<std::uint8_t>();
  const auto name_bytes = reader.Read<std::uint16_t>();
  const auto type_bytes = reader.Read<std::uint16_t>();
  const auto shape_bytes = reader.Read<std::uint16_t>();
  if (!shape_bytes || *version < 1 || *version > 3) return std::nullopt;
  if (*version == 3) reader.Take(1);  // the name's character set
  const auto take = [&](std::uint64_t bytes) {
    const auto taken = reader.Take(bytes);
    if (*version == 1) reader.Take((8 - bytes % 8) % 8);  // the first version pads each part
    return taken;
  };
  const auto name = take(*name_bytes);
  const auto type = take(*type_bytes);
  const auto shape = take(*shape_bytes);
  if (!name || !type || !shape) return std::nullopt;
  return AttributeParts{.type_is_elsewhere = *version > 1 && (*flags & 3),
                        .name = *name,
                        .type = *type,
                        .shape = *shape,
                        .values = *reader.Take(reader.remaining())};
}

}  // namespace

std::optional<std::string_view> ParseHdf5AttributeName(std::span<const std::byte> message) {
  const auto parts = SplitAttribute(message);
  if (!parts) return std::nullopt;
  return UpToZero(parts->name);
}

std::optional<Hdf5Attribute> ParseHdf5Attribute(std::span<const std::byte> message) {
  const auto parts = SplitAttribute(message);
  if (!parts) return std::nullopt;
  Hdf5Attribute attribute{.name = UpToZero(parts->name),
                          .type = std::nullopt,
                          .shape = std::nullopt,
                          .values = parts->values};
  if (!parts->type_is_elsewhere) {
    attribute.type = ParseHdf5Type(parts->type);
    attribute.shape = ParseHdf5Shape(parts->shape);
  }
  return attribute;
}

std::optional<Hdf5Link> ParseHdf5Link(std::span<const std::byte> message) {
  ByteReader reader(message);
  const auto version = reader.Read<std::uint8_t>();
  const auto flags = reader.Read<std::uint8_t>();
  if (!flags || *version != 1) return std::nullopt;
  const std::uint8_t kind = *flags & 8 ? reader.Read<std::uint8_t>().value_or(0) : 0;
  if (*flags & 4) reader.Take(8);   // creation order
  if (*flags & 16) reader.Take(1);  // the name's character set
  const auto name_bytes = ReadLength(reader, *flags & 3);
  if (!name_bytes) return std::nullopt;
  const auto name = reader.Take(*name_bytes);
  if (!name) return std::nullopt;
  if (kind != 0) return Hdf5Link{.name = AsText(*name)};
  const auto address = reader.Read<std::uint64_t>();
  if (!address) return std::nullopt;
  return Hdf5Link{.name = AsText(*name), .address = *address};
}

}  // namespace weir
