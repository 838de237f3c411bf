// Files that claim as much as their readers let them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/pth_bytes.h"

namespace weir {

// `each` with # for 0, 1, 2, ..., and `separator` between, until it is `most` long or often.
inline std::string Repeated(const std::string& each, std::size_t most_bytes,
                            std::size_t times = ~0ull, const std::string& separator = ",") {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) {
    std::string next = i == 0 ? "" : separator;
    for (const char c : each) next += c == '#' ? std::to_string(i) : std::string(1, c);
    if (all.size() + next.size() > most_bytes) break;
    all += next;
  }
  return all;
}

// With a header and no values.
inline std::string Safetensors(const std::string& header) {
  return LittleEndian<std::uint64_t>(header.size()) + header;
}

// The version 0 superblock of HDF5, and a root group whose symbols are `nodes` lists of `links`
// names each, all in one heap of `heap_bytes`: every name is the end of the one before.
inline std::string Hdf5Links(std::uint16_t nodes, std::uint16_t links, std::size_t heap_bytes) {
  constexpr std::uint64_t kRoot = 0x1000, kHeap = 0x2000, kTree = 0x3000, kNames = 0x100000;
  const std::uint64_t first_node = kNames + heap_bytes;
  std::string file = "\x89HDF\r\n\x1a\n";
  file += std::string({0, 0, 0, 0, 0, 8, 8, 0, 4, 0, 16, 0, 0, 0, 0, 0});
  for (const std::uint64_t place : {0ull, ~0ull, 1ull << 40, ~0ull, 0ull, 1ull * kRoot}) {
    file += LittleEndian(place);
  }
  file.resize(kRoot);
  file += std::string({1, 0, 1, 0, 1, 0, 0, 0, 24, 0, 0, 0, 0, 0, 0, 0, 17, 0, 16, 0, 0, 0, 0, 0});
  file += LittleEndian(kTree) + LittleEndian(kHeap);
  file.resize(kHeap);
  file += std::string("HEAP\0\0\0\0", 8) + LittleEndian<std::uint64_t>(heap_bytes) +
          LittleEndian<std::uint64_t>(0) + LittleEndian(kNames);
  file.resize(kTree);
  file += std::string("TREE\0\0", 6) + LittleEndian(nodes) + std::string(16, '\xff');
  const std::uint64_t node_bytes = 8 + links * std::uint64_t{40};
  for (std::uint64_t i = 0; i < nodes; ++i) {
    file += LittleEndian<std::uint64_t>(0) + LittleEndian(first_node + i * node_bytes);
  }
  file.resize(kNames);
  for (std::uint64_t i = 0; file.size() < first_node; ++i) {
    std::string number = std::to_string(i);
    file += std::string(7 - number.size(), '0') + number;
  }
  file.resize(first_node);
  for (std::uint64_t i = 0; i < nodes * std::uint64_t{links}; ++i) {
    if (i % links == 0) file += std::string("SNOD\1\0", 6) + LittleEndian(links);
    file += LittleEndian(i % heap_bytes) + LittleEndian(kRoot) + std::string(24, '\0');
  }
  return file;
}

inline std::string ZipOfEntries(int count) {
  std::vector<std::pair<std::string, std::string>> entries;
  for (int i = 0; i < count; ++i) entries.emplace_back("a/data/" + std::to_string(i), "");
  return ZipBytes(entries);
}

}  // namespace weir
