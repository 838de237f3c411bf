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

}  // namespace weir
