// A YAML value that knows where it was written and how it is addressed.
//
// A YamlNode is a small handle on an immutable, shared tree: copies are cheap, an aliased value is
// held once, and everything here may be used from any thread. A changed tree is a new one that
// shares what did not change.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/config/yaml_source.h"

namespace weir {

struct YamlEntry;

class YamlNode {
 public:
  enum class Kind { kNull, kScalar, kList, kMap };

  YamlNode();  // null
  static YamlNode Null(Position position = {});
  // `quoted`: the text is text even where it looks like a number, true or null.
  static YamlNode Scalar(std::string text, bool quoted = false, Position position = {});
  static YamlNode List(const std::vector<YamlNode>& items, Position position = {});
  static YamlNode Map(const std::vector<YamlEntry>& entries, Position position = {});

  Kind kind() const;
  bool is_null() const { return kind() == Kind::kNull; }
  bool is_scalar() const { return kind() == Kind::kScalar; }
  bool is_list() const { return kind() == Kind::kList; }
  bool is_map() const { return kind() == Kind::kMap; }

  const std::string& scalar() const;  // "" unless a scalar
  bool quoted() const;
  std::vector<YamlNode> items() const;     // empty unless a list
  std::vector<YamlEntry> entries() const;  // empty unless a map, in the order of the file
  std::optional<YamlNode> Find(std::string_view key) const;

  const Position& position() const;
  // How --set addresses it: "pipeline.augment.size". An item of a list that is a map of one key is
  // addressed by that key, any other by its index.
  const std::string& path() const { return path_; }
  // How a message calls it: "size", "size[1]"; empty for the root.
  const std::string& name() const { return name_; }

  // The same value under another address, or at another place.
  YamlNode Named(std::string path, std::string name) const;
  YamlNode At(Position position) const;
  // This map with `key` set (in its old place, else at the end), or without it.
  YamlNode With(const YamlEntry& entry) const;
  YamlNode Without(std::string_view key) const;
  // This list with one item replaced.
  YamlNode WithItem(std::size_t index, const YamlNode& item) const;

  std::size_t depth() const;          // 1 for a scalar
  std::size_t expanded_size() const;  // values in all, an alias counted each time; saturates

  // What is written there, for a message: "`ten`", "the text `10`", "a list", "a map", "nothing".
  std::string Shown() const;

 private:
  struct Tree;
  explicit YamlNode(std::shared_ptr<const Tree> tree) : tree_(std::move(tree)) {}

  std::shared_ptr<const Tree> tree_;
  std::string path_, name_;
};

struct YamlEntry {
  std::string key;
  YamlNode value;
  Position key_position = {};
};

}  // namespace weir
