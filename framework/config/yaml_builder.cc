#include "framework/config/yaml_builder.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "framework/config/yaml_reader.h"
#include "framework/text.h"

namespace weir {

YamlBuilder::YamlBuilder(std::shared_ptr<const YamlSource> source, std::size_t from,
                         Problems& problems)
    : source_(std::move(source)), from_(from), problems_(problems) {}

Position YamlBuilder::PositionOf(const YAML::Mark& mark) const {
  const std::size_t line = static_cast<std::size_t>(std::max(mark.line, 0));
  const std::size_t column = static_cast<std::size_t>(std::max(mark.column, 0));
  return {source_, line, column + (line == 0 ? from_ : 0)};
}

std::optional<Position> YamlBuilder::open_position() const {
  return frames_.empty() ? std::nullopt : std::optional(frames_.back().position);
}

void YamlBuilder::OnDocumentStart(const YAML::Mark& mark) {
  if (++documents_ == 2) {
    problems_.Add(PositionOf(mark),
                  "a second document starts here, and a configuration is one: "
                  "is this line indented right?");
  }
}

void YamlBuilder::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
  Close(YamlNode::Null(PositionOfNull(mark)), anchor);
}

void YamlBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  const auto found = anchors_.find(anchor);
  if (found != anchors_.end()) return Close(found->second, YAML::NullAnchor);
  problems_.Add(PositionOf(mark), "an alias inside the value that it stands for");
  Close(YamlNode::Null(PositionOf(mark)), YAML::NullAnchor);
}

void YamlBuilder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                           const std::string& value) {
  if (tag != "tag:yaml.org,2002:str") RefuseTag(mark, tag);
  CheckQuotesEnd(PositionOf(mark));
  RefuseNul(PositionOf(mark), value);
  Close(YamlNode::Scalar(value, tag != "?" && !tag.empty(), PositionOf(mark)), anchor);
}

void YamlBuilder::OnSequenceStart(const YAML::Mark& mark, const std::string& tag,
                                  YAML::anchor_t anchor, YAML::EmitterStyle::value) {
  RefuseTag(mark, tag);
  frames_.push_back({PositionOf(mark), anchor, false, {}, {}, {}, {}, {}});
}

void YamlBuilder::OnSequenceEnd() {
  const Frame frame = Pop();
  Close(YamlNode::List(frame.items, frame.position), frame.anchor);
}

void YamlBuilder::OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                             YAML::EmitterStyle::value) {
  RefuseTag(mark, tag);
  frames_.push_back({PositionOf(mark), anchor, true, {}, {}, {}, {}, {}});
}

void YamlBuilder::OnMapEnd() {
  Frame frame = Pop();
  Merge(frame);
  Close(YamlNode::Map(frame.entries, frame.position), frame.anchor);
}

void YamlBuilder::RefuseTag(const YAML::Mark& mark, const std::string& tag) {
  if (tag.empty() || tag == "?" || tag == "!") return;  // none was written
  problems_.Add(PositionOf(mark), "tags such as " + InBackticks(tag) + " have no meaning here");
}

// Every name and path ends at the first NUL for the system (POSIX.1-2017, 3.170), so that a text
// which holds one would stand for another.
void YamlBuilder::RefuseNul(const Position& position, const std::string& value) {
  if (value.find('\0') == std::string::npos) return;
  problems_.Add(position, "a text cannot hold the character NUL (`\\0`)");
}

// yaml-cpp takes a quote that is never closed for a text that ends with the file.
void YamlBuilder::CheckQuotesEnd(const Position& position) {
  const std::string& text = source_->text();
  const std::size_t begin = source_->LineStart(position.line) + position.column;
  const char quote = begin < text.size() ? text[begin] : ' ';
  if (quote != '\'' && quote != '"') return;
  for (std::size_t at = begin + 1; at < text.size(); ++at) {
    if (quote == '"' && text[at] == '\\') {
      ++at;
    } else if (text[at] == quote) {
      const bool doubled = quote == '\'' && at + 1 < text.size() && text[at + 1] == quote;
      if (!doubled) return;
      ++at;
    }
  }
  problems_.Add(position, "this quote is never closed");
}

// yaml-cpp reports a missing value where the next thing starts; shown is what lacks it.
Position YamlBuilder::PositionOfNull(const YAML::Mark& mark) const {
  if (!frames_.empty() && frames_.back().key) return frames_.back().key->position();
  Position position = PositionOf(mark);
  const std::string_view here = source_->Line(position.line);
  const std::string_view rest = here.substr(std::min(position.column, here.size()));
  for (const std::string_view written : {"~", "null", "Null", "NULL", ",", "]"}) {
    if (rest.starts_with(written)) return position;
  }
  for (std::size_t line = position.line; line-- > 0;) {
    const std::string_view above = source_->Line(line);
    const std::size_t first = above.find_first_not_of(' ');
    if (first != std::string_view::npos && above[first] == '-') return {source_, line, first};
  }
  return position;
}

YamlBuilder::Frame YamlBuilder::Pop() {
  Frame frame = std::move(frames_.back());
  frames_.pop_back();
  return frame;
}

// Puts a finished value where it belongs.
void YamlBuilder::Close(YamlNode node, YAML::anchor_t anchor) {
  node = Bounded(node);
  if (anchor != YAML::NullAnchor) anchors_.insert_or_assign(anchor, node);
  if (frames_.empty()) {
    if (documents_ == 1) root_ = node;
    return;
  }
  Frame& frame = frames_.back();
  if (!frame.is_map) {
    frame.items.push_back(node);
  } else if (!frame.key) {
    frame.key = node;
  } else {
    const YamlNode key = *std::exchange(frame.key, std::nullopt);
    AddEntry(frame, key, node);
  }
}

// A few nested aliases can stand for more values than there is memory, and recursion over very
// deep ones would end the stack: such a value ends here.
YamlNode YamlBuilder::Bounded(const YamlNode& node) {
  const bool deep = node.depth() > kDeepestConfig;
  if (!deep && node.expanded_size() <= kMostExpandedValues) return node;
  if (!std::exchange(reported_size_, true)) {
    problems_.Add(node.position(), deep ? "more than 100 values inside one another"
                                        : "more than 100000 values, with every alias written out");
  }
  return YamlNode::Null(node.position());
}

void YamlBuilder::AddEntry(Frame& frame, const YamlNode& key, const YamlNode& value) {
  if (!key.is_scalar()) {
    problems_.Add(key.position(), "a key must be a word, not " + key.Shown());
  } else if (key.scalar() == "<<" && !key.quoted()) {
    const std::vector<YamlNode> maps = value.is_list() ? value.items() : std::vector{value};
    for (const YamlNode& map : maps) {
      frame.merged.push_back(map);
      if (map.is_map()) continue;
      problems_.Add(key.position(), "`<<` takes a map or a list of maps, not " + map.Shown());
    }
  } else if (!frame.keys.insert(key.scalar()).second) {
    const auto first = std::find_if(frame.entries.begin(), frame.entries.end(),
                                    [&](const YamlEntry& e) { return e.key == key.scalar(); });
    problems_.Add(key.position(), "duplicate key " + InBackticks(key.scalar()) +
                                      "; the first is in line " +
                                      std::to_string(first->key_position.line + 1));
  } else {
    frame.entries.push_back({key.scalar(), value, key.position()});
  }
}

// https://yaml.org/type/merge.html: keys that are written out stay, earlier maps win.
void YamlBuilder::Merge(Frame& frame) {
  for (const YamlNode& map : frame.merged) {
    merged_keys_ += map.expanded_size();
    if (merged_keys_ > kMostExpandedValues) {
      if (!std::exchange(reported_size_, true)) {
        problems_.Add(frame.position, "`<<` makes more than 100000 values in all");
      }
      return;
    }
    for (const YamlEntry& entry : map.entries()) {
      if (frame.keys.insert(entry.key).second) frame.entries.push_back(entry);
    }
  }
}

}  // namespace weir
