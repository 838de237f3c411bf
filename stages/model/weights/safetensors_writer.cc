#include "stages/model/weights/safetensors_writer.h"

#include <algorithm>
#include <cassert>
#include <tuple>
#include <utility>

#include "framework/error.h"
#include "framework/shape.h"
#include "framework/text.h"
#include "stages/files/bounded_json.h"
#include "stages/model/weights/safetensors_limits.h"

namespace weir {
namespace {

std::size_t BytesOf(const TensorToWrite& tensor) {
  return ElementBytes(tensor.type) * static_cast<std::size_t>(ValuesIn(tensor.shape));
}

std::string Join(const Shape& sizes) {
  std::string text;
  for (const std::int64_t size : sizes) text += (text.empty() ? "" : ",") + std::to_string(size);
  return text;
}

std::string Described(const TensorToWrite& tensor, std::size_t begin) {
  return QuotedJson(tensor.name) + ":{\"dtype\":" + QuotedJson(std::string(Name(tensor.type))) +
         ",\"shape\":[" + Join(tensor.shape) + "],\"data_offsets\":[" + std::to_string(begin) +
         "," + std::to_string(begin + BytesOf(tensor)) + "]}";
}

void CheckLimits(const std::filesystem::path& path, const std::vector<TensorToWrite>& tensors,
                 const std::map<std::string, std::string>& metadata, std::size_t header_bytes,
                 std::size_t most_header_bytes) {
  const auto check = [&](const std::string& what, std::size_t wanted, std::size_t most) {
    if (wanted <= most) return;
    throw Error(ErrorKind::kData,
                path.string() + ": would have " + what + ", which could not be read again",
                "The most is " + std::to_string(most) + ": write less into one file.");
  };
  const auto count = [](std::size_t number, const char* of) {
    return std::to_string(number) + " " + of;
  };
  check(count(tensors.size(), "tensors"), tensors.size(), kMostOwnTensors);
  check(count(metadata.size(), "keys of metadata"), metadata.size(), kMostSafetensorsMetadata);
  check("a header of " + count(header_bytes, "bytes"), header_bytes, most_header_bytes);
  for (const TensorToWrite& tensor : tensors) {
    check(count(tensor.shape.size(), "dimensions") + " in '" + Printable(tensor.name) + "'",
          tensor.shape.size(), kMostSafetensorsDimensions);
  }
}

// The header, padded with spaces so that the values behind it are aligned to 8 bytes. `room` bytes
// are to be left in it.
std::string Header(const std::filesystem::path& path, const std::vector<TensorToWrite>& tensors,
                   const std::map<std::string, std::string>& metadata, std::size_t room = 0,
                   std::size_t most_bytes = kMostOwnHeaderBytes) {
  std::string text = "{";
  const auto separate = [&] { text += text.size() > 1 ? "," : ""; };
  if (!metadata.empty()) {
    text += "\"__metadata__\":{";
    bool is_first = true;
    for (const auto& [key, value] : metadata) {
      text +=
          (std::exchange(is_first, false) ? "" : ",") + QuotedJson(key) + ":" + QuotedJson(value);
    }
    text += "}";
  }
  std::size_t offset = 0;
  for (const TensorToWrite& tensor : tensors) {
    separate();
    text += Described(tensor, offset);
    offset += BytesOf(tensor);
  }
  text += "}";
  text.append((8 - text.size() % 8) % 8, ' ');
  CheckLimits(path, tensors, metadata, text.size() + room, most_bytes);
  return text;
}

}  // namespace

void WriteSafetensors(const std::filesystem::path& path, std::vector<TensorToWrite> tensors,
                      const std::map<std::string, std::string>& metadata) {
  std::ranges::sort(tensors, [](const TensorToWrite& a, const TensorToWrite& b) {
    const auto bytes_a = ElementBytes(a.type), bytes_b = ElementBytes(b.type);
    return std::tie(bytes_b, a.name) < std::tie(bytes_a, b.name);
  });
  SafetensorsStream file(path, tensors, metadata);
  for (const TensorToWrite& tensor : tensors) {
    assert(tensor.bytes.size() == BytesOf(tensor));
    file.Write(tensor.bytes);
  }
  file.Commit();
}

void WriteSafetensorsHeader(AtomicFile& file, const std::vector<TensorToWrite>& tensors,
                            const std::map<std::string, std::string>& metadata) {
  const std::string header = Header(file.path(), tensors, metadata);
  const std::uint64_t header_bytes = header.size();
  file.Write(std::as_bytes(std::span(&header_bytes, 1)));
  file.Write(std::as_bytes(std::span(header)));
}

SafetensorsStream::SafetensorsStream(const std::filesystem::path& path,
                                     const std::vector<TensorToWrite>& tensors,
                                     const std::map<std::string, std::string>& metadata)
    : file_(path) {
  WriteSafetensorsHeader(file_, tensors, metadata);
}

namespace {

constexpr std::size_t kRoomForNumbers = 256;  // bytes for digits, and the second tensor's name

std::string GrowingHeader(const std::filesystem::path& path, const std::string& name,
                          const Shape& row_shape, std::uint64_t values,
                          const std::string& numbers_name, std::size_t numbers,
                          const std::map<std::string, std::string>& metadata, std::size_t room) {
  const std::int64_t rows = static_cast<std::int64_t>(values) / ValuesIn(row_shape);
  return Header(
      path,
      {{.name = name, .shape = BatchShape(rows, row_shape), .bytes = {}, .type = ElementType::kF32},
       {.name = numbers_name,
        .shape = {static_cast<std::int64_t>(numbers)},
        .bytes = {},
        .type = ElementType::kI32}},
      metadata, room, kMostSafetensorsHeaderBytes);
}

}  // namespace

void GrowingSafetensors::Check(const std::filesystem::path& path, const std::string& name,
                               const Shape& row_shape,
                               const std::map<std::string, std::string>& metadata) {
  GrowingHeader(path, name, row_shape, 0, "", 0, metadata, kRoomForNumbers + 8);
}

GrowingSafetensors::GrowingSafetensors(const std::filesystem::path& path, std::string name,
                                       Shape row_shape, std::map<std::string, std::string> metadata)
    : path_(path),
      file_(path),
      name_(std::move(name)),
      row_shape_(std::move(row_shape)),
      metadata_(std::move(metadata)) {
  Check(path_, name_, row_shape_, metadata_);
  header_bytes_ = (HeaderOf("", 0).size() + kRoomForNumbers + 7) / 8 * 8;
  const std::string empty(sizeof(std::uint64_t) + header_bytes_, ' ');
  file_.Write(std::as_bytes(std::span(empty)));
}

void GrowingSafetensors::AddRows(std::span<const float> values) {
  file_.Write(std::as_bytes(values));
  values_ += values.size();
}

void GrowingSafetensors::Commit(const std::string& numbers_name,
                                std::span<const std::int32_t> numbers) {
  file_.Write(std::as_bytes(numbers));
  std::string header = HeaderOf(numbers_name, numbers.size());
  assert(header.size() <= header_bytes_);
  header.resize(header_bytes_, ' ');
  const std::uint64_t size = header_bytes_;
  file_.WriteAt(0, std::as_bytes(std::span(&size, 1)));
  file_.WriteAt(sizeof size, std::as_bytes(std::span(header)));
  file_.Commit();
}

std::string GrowingSafetensors::HeaderOf(const std::string& numbers_name,
                                         std::size_t numbers) const {
  return GrowingHeader(path_, name_, row_shape_, values_, numbers_name, numbers, metadata_, 0);
}

}  // namespace weir
