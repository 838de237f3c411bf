// The groups, attributes and datasets of an HDF5 file that lies in memory, as far as h5py writes
// them for Keras: version 0 to 3 superblocks, both object headers, symbol tables and compact links,
// contiguous and compact datasets. Chunked data and dense groups are refused.
//
// The HDF5 library does not serve, because weights come from anybody: of 15,000 damaged small
// files, its version 1.10.8 crashed on 80 and hung on 32.
//
// Names and texts are views of the bytes, which must outlive it and all that it returns. One thread
// at a time. Limits: 200,000 messages, links, texts and nodes of trees are looked at in all (a file
// of 52 convolutions and their batch norms has 6,000), names and texts end at 1 KB. Memory: at most
// 64 bytes for each of those, 12.8 MB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "framework/shape.h"
#include "stages/model/weights/containers/hdf5_messages.h"

namespace weir {

struct Hdf5Object {
  struct Attribute {
    std::string_view name;
    std::span<const std::byte> message;
  };
  std::vector<Hdf5Link> children;     // a group's, by name; the first where two have one name
  std::vector<Attribute> attributes;  // likewise
  // What a dataset has; each is empty where it is not read.
  bool is_dataset = false;
  std::optional<Hdf5Type> type;
  std::optional<Shape> shape;
  std::optional<Hdf5Layout> layout;

  std::optional<Hdf5Attribute> FindAttribute(std::string_view name) const;
  std::optional<std::uint64_t> FindChild(std::string_view name) const;  // its address
};

class Hdf5Objects {
 public:
  static bool LooksLikeHdf5(std::span<const std::byte> file);

  // All members throw Error(kData) with `file_name` in front.
  Hdf5Objects(std::span<const std::byte> file, std::string file_name);

  std::uint64_t root() const { return root_; }
  Hdf5Object Read(std::uint64_t address);

  // The texts of an attribute: none where it is empty (Keras stores that as numbers).
  std::vector<std::string_view> Texts(const Hdf5Attribute& attribute);

  // The values of a dataset, as many as its shape says. Where they cannot be read, `unread` says
  // why, to follow a name: "is chunked or compressed, as Keras does not write it".
  std::span<const std::byte> Values(const Hdf5Object& dataset, std::string& unread);

 private:
  struct HeaderBlock {
    std::span<const std::byte> bytes;
    bool is_second_version = false;
    bool has_creation_order = false;
  };

  HeaderBlock FirstBlock(std::uint64_t address);
  void ReadBlock(const HeaderBlock& block, Hdf5Object& object, std::vector<HeaderBlock>& more);
  void ReadMessage(int type, std::span<const std::byte> message, Hdf5Object& object);
  void ReadSymbolTable(std::span<const std::byte> message, Hdf5Object& object);
  void ReadSymbolNode(std::uint64_t address, int level, std::span<const std::byte> names,
                      Hdf5Object& object);
  void AddChild(std::string_view name, std::uint64_t address, Hdf5Object& object);
  std::string_view HeapText(std::span<const std::byte> reference);

  std::span<const std::byte> At(std::uint64_t address) const;  // from there to the end
  void Count();                                                // one more thing was looked at
  template <class T>
  T Need(std::optional<T> value) const {
    if (!value) Damaged();
    return *std::move(value);
  }
  [[noreturn]] void Damaged() const;
  [[noreturn]] void Refuse(const std::string& what) const;

  std::span<const std::byte> file_;
  const std::string file_name_;
  std::uint64_t root_ = 0;
  int looked_at_ = 0;
};

}  // namespace weir
