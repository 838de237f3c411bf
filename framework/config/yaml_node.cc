#include "framework/config/yaml_node.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "framework/text.h"

namespace weir {

struct YamlNode::Tree {
  struct Child {
    std::string key;  // its key in a map; empty in a list
    Position key_position;
    std::shared_ptr<const Tree> value;
  };

  Kind kind = Kind::kNull;
  bool quoted = false;
  std::string scalar;
  Position position;
  std::vector<Child> children;
  std::size_t depth = 1;
  std::size_t expanded_size = 1;

  void Append(Child child) {
    depth = std::max(depth, child.value->depth + 1);
    const std::size_t room = std::numeric_limits<std::size_t>::max() - expanded_size;
    expanded_size += std::min(room, child.value->expanded_size);
    children.push_back(std::move(child));
  }
};

YamlNode::YamlNode() {
  static const auto kNullTree = std::make_shared<const Tree>();
  tree_ = kNullTree;
}

YamlNode YamlNode::Null(Position position) { return YamlNode().At(std::move(position)); }

YamlNode YamlNode::Scalar(std::string text, bool quoted, Position position) {
  auto tree = std::make_shared<Tree>();
  tree->kind = Kind::kScalar;
  tree->quoted = quoted;
  tree->scalar = std::move(text);
  tree->position = std::move(position);
  return YamlNode(std::move(tree));
}

YamlNode YamlNode::List(const std::vector<YamlNode>& items, Position position) {
  auto tree = std::make_shared<Tree>();
  tree->kind = Kind::kList;
  tree->position = std::move(position);
  for (const YamlNode& item : items) tree->Append({"", {}, item.tree_});
  return YamlNode(std::move(tree));
}

YamlNode YamlNode::Map(const std::vector<YamlEntry>& entries, Position position) {
  auto tree = std::make_shared<Tree>();
  tree->kind = Kind::kMap;
  tree->position = std::move(position);
  for (const YamlEntry& entry : entries) {
    tree->Append({entry.key, entry.key_position, entry.value.tree_});
  }
  return YamlNode(std::move(tree));
}

YamlNode::Kind YamlNode::kind() const { return tree_->kind; }
const std::string& YamlNode::scalar() const { return tree_->scalar; }
bool YamlNode::quoted() const { return tree_->quoted; }
const Position& YamlNode::position() const { return tree_->position; }
std::size_t YamlNode::depth() const { return tree_->depth; }
std::size_t YamlNode::expanded_size() const { return tree_->expanded_size; }

std::vector<YamlNode> YamlNode::items() const {
  std::vector<YamlNode> items;
  if (!is_list()) return items;
  items.reserve(tree_->children.size());
  for (const Tree::Child& child : tree_->children) {
    const std::string index = std::to_string(items.size());
    const bool by_key = child.value->kind == Kind::kMap && child.value->children.size() == 1;
    std::string path = path_;
    if (!by_key) path += (path_.empty() ? "" : ".") + index;
    items.push_back(YamlNode(child.value).Named(std::move(path), name_ + "[" + index + "]"));
  }
  return items;
}

std::vector<YamlEntry> YamlNode::entries() const {
  std::vector<YamlEntry> entries;
  if (!is_map()) return entries;
  entries.reserve(tree_->children.size());
  for (const Tree::Child& child : tree_->children) {
    std::string path = path_ + (path_.empty() ? "" : ".") + child.key;
    entries.push_back(
        {child.key, YamlNode(child.value).Named(std::move(path), child.key), child.key_position});
  }
  return entries;
}

std::optional<YamlNode> YamlNode::Find(std::string_view key) const {
  for (YamlEntry& entry : entries()) {
    if (entry.key == key) return std::move(entry.value);
  }
  return std::nullopt;
}

YamlNode YamlNode::Named(std::string path, std::string name) const {
  YamlNode node(tree_);
  node.path_ = std::move(path);
  node.name_ = std::move(name);
  return node;
}

YamlNode YamlNode::At(Position position) const {
  auto tree = std::make_shared<Tree>(*tree_);
  tree->position = std::move(position);
  return YamlNode(std::move(tree)).Named(path_, name_);
}

YamlNode YamlNode::With(const YamlEntry& entry) const {
  std::vector<YamlEntry> changed = entries();
  const auto old = std::find_if(changed.begin(), changed.end(),
                                [&](const YamlEntry& other) { return other.key == entry.key; });
  if (old == changed.end()) {
    changed.push_back(entry);
  } else {
    *old = entry;
  }
  return Map(changed, position()).Named(path_, name_);
}

YamlNode YamlNode::Without(std::string_view key) const {
  std::vector<YamlEntry> kept = entries();
  std::erase_if(kept, [&](const YamlEntry& entry) { return entry.key == key; });
  return Map(kept, position()).Named(path_, name_);
}

YamlNode YamlNode::WithItem(std::size_t index, const YamlNode& item) const {
  std::vector<YamlNode> changed = items();
  changed.at(index) = item;
  return List(changed, position()).Named(path_, name_);
}

std::string YamlNode::Shown() const {
  switch (kind()) {
    case Kind::kNull:
      return "nothing";
    case Kind::kScalar:
      return (quoted() ? "the text " : "") + InBackticks(scalar());
    case Kind::kList:
      return "a list";
    case Kind::kMap:
      return "a map";
  }
  return "";
}

}  // namespace weir
