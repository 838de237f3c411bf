#include "stages/model/safetensors_writer.h"

#include <algorithm>
#include <cassert>
#include <nlohmann/json.hpp>
#include <tuple>

#include "stages/model/atomic_file.h"

namespace weir {
namespace {

// The header, padded with spaces so that the values behind it are aligned to 8 bytes.
std::string Header(const std::vector<TensorToWrite>& tensors,
                   const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::size_t offset = 0;
  for (const TensorToWrite& tensor : tensors) {
    header[tensor.name] = {{"dtype", Name(tensor.type)},
                           {"shape", tensor.shape},
                           {"data_offsets", {offset, offset + tensor.bytes.size()}}};
    offset += tensor.bytes.size();
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
  assert(std::ranges::all_of(tensors, [](const TensorToWrite& tensor) {
    const auto bytes = ElementBytes(tensor.type);
    return ValueCount(tensor.shape, tensor.bytes.size() / bytes) == tensor.bytes.size() / bytes;
  }));
  const std::string header = Header(tensors, metadata);
  const std::uint64_t header_bytes = header.size();
  AtomicFile file(path);
  file.Write(std::as_bytes(std::span(&header_bytes, 1)));
  file.Write(std::as_bytes(std::span(header)));
  for (const TensorToWrite& tensor : tensors) file.Write(tensor.bytes);
  file.Commit();
}

}  // namespace weir
