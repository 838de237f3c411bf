// Builds a YamlNode from yaml-cpp's events, bottom-up. Only yaml_reader.cc needs it.
#pragma once

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/mark.h>

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "framework/config/yaml_node.h"
#include "framework/config/yaml_source.h"

namespace weir {

class YamlBuilder final : public YAML::EventHandler {
 public:
  // yaml-cpp was given the text of `source` from byte `from`, which lies in the first line.
  YamlBuilder(std::shared_ptr<const YamlSource> source, std::size_t from, Problems& problems);

  const YamlNode& root() const { return root_; }  // the first document
  std::size_t documents() const { return documents_; }
  Position PositionOf(const YAML::Mark& mark) const;
  // Where the innermost collection that is still open begins.
  std::optional<Position> open_position() const;

  void OnDocumentStart(const YAML::Mark& mark) override;
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override;
  void OnSequenceEnd() override;
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override;
  void OnMapEnd() override;

 private:
  struct Frame {
    Position position;
    YAML::anchor_t anchor;
    bool is_map;
    std::optional<YamlNode> key;  // read, and its value not yet
    std::vector<YamlNode> items;
    std::vector<YamlEntry> entries;
    std::unordered_set<std::string> keys;
    std::vector<YamlNode> merged;  // the values of `<<`
  };

  void RefuseTag(const YAML::Mark& mark, const std::string& tag);
  void RefuseNul(const Position& position, const std::string& value);
  void CheckQuotesEnd(const Position& position);
  Position PositionOfNull(const YAML::Mark& mark) const;
  Frame Pop();
  void Close(YamlNode node, YAML::anchor_t anchor);
  YamlNode Bounded(const YamlNode& node);
  void AddEntry(Frame& frame, const YamlNode& key, const YamlNode& value);
  void Merge(Frame& frame);

  std::shared_ptr<const YamlSource> source_;
  std::size_t from_;
  Problems& problems_;
  YamlNode root_;
  std::size_t documents_ = 0;
  std::size_t merged_keys_ = 0;
  bool reported_size_ = false;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, YamlNode> anchors_;
};

}  // namespace weir
