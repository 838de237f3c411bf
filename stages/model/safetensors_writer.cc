#include "stages/model/safetensors_writer.h"

#include <algorithm>
#include <cassert>
#include <nlohmann/json.hpp>
#include <tuple>

namespace weir {
namespace {

std::size_t BytesOf(const TensorToWrite& tensor) {
  std::size_t bytes = ElementBytes(tensor.type);
  for (const std::int64_t size : tensor.shape) bytes *= static_cast<std::size_t>(size);
  return bytes;
}

// The header, padded with spaces so that the values behind it are aligned to 8 bytes.
std::string Header(const std::vector<TensorToWrite>& tensors,
                   const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::size_t offset = 0;
  for (const TensorToWrite& tensor : tensors) {
    header[tensor.name] = {{"dtype", Name(tensor.type)},
                           {"shape", tensor.shape},
                           {"data_offsets", {offset, offset + BytesOf(tensor)}}};
    offset += BytesOf(tensor);
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
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

SafetensorsStream::SafetensorsStream(const std::filesystem::path& path,
                                     const std::vector<TensorToWrite>& tensors,
                                     const std::map<std::string, std::string>& metadata)
    : file_(path) {
  const std::string header = Header(tensors, metadata);
  const std::uint64_t header_bytes = header.size();
  Write(std::as_bytes(std::span(&header_bytes, 1)));
  Write(std::as_bytes(std::span(header)));
}

GrowingSafetensors::GrowingSafetensors(const std::filesystem::path& path, std::string name,
                                       std::vector<std::int64_t> row_shape,
                                       std::map<std::string, std::string> metadata)
    : file_(path),
      name_(std::move(name)),
      row_shape_(std::move(row_shape)),
      metadata_(std::move(metadata)) {
  constexpr std::size_t kRoomForNumbers = 256;  // of digits, and the second tensor's name
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
  std::int64_t row = 1;
  for (const std::int64_t size : row_shape_) row *= size;
  std::vector<std::int64_t> shape = {static_cast<std::int64_t>(values_) / row};
  shape.insert(shape.end(), row_shape_.begin(), row_shape_.end());
  return Header({{.name = name_, .shape = shape, .bytes = {}, .type = ElementType::kF32},
                 {.name = numbers_name,
                  .shape = {static_cast<std::int64_t>(numbers)},
                  .bytes = {},
                  .type = ElementType::kI32}},
                metadata_);
}

}  // namespace weir
