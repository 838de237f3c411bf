// Files as torch.save writes them, put together by hand, so that they can also be what torch.save
// would never write.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir {

template <class Number>
std::string LittleEndian(Number number) {
  std::string bytes(sizeof number, '\0');
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}

// Pickle opcodes, protocol 2.
namespace pickle {

inline std::string Text(std::string_view text) {
  return "X" + LittleEndian(static_cast<std::uint32_t>(text.size())) + std::string(text);
}
inline std::string Integer(std::int32_t value) { return "J" + LittleEndian(value); }
inline std::string Global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}
inline std::string Tuple(const std::vector<std::string>& items) {
  std::string bytes = "(";
  for (const std::string& item : items) bytes += item;
  return bytes + "t";
}
inline std::string Integers(const std::vector<std::int32_t>& values) {
  std::vector<std::string> items;
  for (const std::int32_t value : values) items.push_back(Integer(value));
  return Tuple(items);
}
inline std::string Storage(const std::string& type, const std::string& key, std::int32_t elements,
                           const std::string& view = "") {
  std::vector<std::string> id = {Text("storage"), Global("torch", type), Text(key), Text("cpu"),
                                 Integer(elements)};
  if (!view.empty()) id.push_back(view);
  return Tuple(id) + "Q";
}
inline std::string Tensor(const std::string& storage, std::int32_t first,
                          const std::vector<std::int32_t>& shape,
                          const std::vector<std::int32_t>& strides) {
  const std::string hooks = Global("collections", "OrderedDict") + ")R";
  return Global("torch._utils", "_rebuild_tensor_v2") +
         Tuple({storage, Integer(first), Integers(shape), Integers(strides), "\x89", hooks}) + "R";
}
// An OrderedDict of names and values.
inline std::string Dict(const std::vector<std::pair<std::string, std::string>>& items) {
  std::string bytes = Global("collections", "OrderedDict") + ")R(";
  for (const auto& [name, value] : items) bytes += Text(name) + value;
  return bytes + "u";
}
inline std::string Whole(const std::string& value) { return "\x80\x02" + value + "."; }

}  // namespace pickle

struct ZipWriting {
  bool zip64 = false;  // sizes in the extra field, as for entries above 4 GB
  std::uint16_t method = 0;
};

// A zip of stored entries, in this order.
inline std::string ZipBytes(const std::vector<std::pair<std::string, std::string>>& entries,
                            const ZipWriting& how = {}) {
  std::string file, directory;
  for (const auto& [name, bytes] : entries) {
    const auto crc = static_cast<std::uint32_t>(
        ::crc32_z(0, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
    const auto offset = static_cast<std::uint32_t>(file.size());
    const auto size = static_cast<std::uint32_t>(bytes.size());
    const auto name_size = static_cast<std::uint16_t>(name.size());
    const std::string times(4, '\0');
    file += "PK\x03\x04" + LittleEndian<std::uint32_t>(0) + LittleEndian(how.method) + times +
            LittleEndian(crc) + LittleEndian(size) + LittleEndian(size) + LittleEndian(name_size) +
            LittleEndian<std::uint16_t>(0) + name + bytes;
    std::string extra;
    if (how.zip64) {
      extra = LittleEndian<std::uint16_t>(1) + LittleEndian<std::uint16_t>(24) +
              LittleEndian<std::uint64_t>(size) + LittleEndian<std::uint64_t>(size) +
              LittleEndian<std::uint64_t>(offset);
    }
    const std::uint32_t shown = how.zip64 ? 0xFFFFFFFF : size;
    directory += "PK\x01\x02" + std::string(6, '\0') + LittleEndian(how.method) + times +
                 LittleEndian(crc) + LittleEndian(shown) + LittleEndian(shown) +
                 LittleEndian(name_size) + LittleEndian(static_cast<std::uint16_t>(extra.size())) +
                 std::string(10, '\0') + LittleEndian(how.zip64 ? 0xFFFFFFFF : offset) + name +
                 extra;
  }
  const std::uint64_t directory_offset = file.size();
  const auto count = static_cast<std::uint16_t>(entries.size());
  file += directory;
  if (how.zip64) {
    const std::uint64_t end = file.size();
    file += "PK\x06\x06" + LittleEndian<std::uint64_t>(44) + std::string(12, '\0') +
            LittleEndian<std::uint64_t>(count) + LittleEndian<std::uint64_t>(count) +
            LittleEndian<std::uint64_t>(directory.size()) + LittleEndian(directory_offset);
    file +=
        "PK\x06\x07" + std::string(4, '\0') + LittleEndian(end) + LittleEndian<std::uint32_t>(1);
  }
  return file + "PK\x05\x06" + std::string(4, '\0') + LittleEndian(count) + LittleEndian(count) +
         LittleEndian(static_cast<std::uint32_t>(directory.size())) +
         LittleEndian(how.zip64 ? 0xFFFFFFFF : static_cast<std::uint32_t>(directory_offset)) +
         LittleEndian<std::uint16_t>(0);
}

// torch.save of a pickle and its storages.
inline std::string PthBytes(const std::string& value,
                            const std::map<std::string, std::string>& storages,
                            const ZipWriting& how = {}, const std::string& byte_order = "little") {
  std::vector<std::pair<std::string, std::string>> entries = {
      {"archive/data.pkl", pickle::Whole(value)}, {"archive/byteorder", byte_order}};
  for (const auto& [key, bytes] : storages) entries.emplace_back("archive/data/" + key, bytes);
  entries.emplace_back("archive/version", "3\n");
  return ZipBytes(entries, how);
}

template <class Number>
std::string Values(const std::vector<Number>& values) {
  std::string bytes;
  for (const Number value : values) bytes += LittleEndian(value);
  return bytes;
}

}  // namespace weir
