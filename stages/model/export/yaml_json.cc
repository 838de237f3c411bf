#include "stages/model/export/yaml_json.h"

#include <optional>
#include <string_view>
#include <utility>

#include "framework/byte_size.h"

namespace weir {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLongestNumber = 64;  // characters: no number of ours takes more

// Builds the tree from the values as they come.
class TreeVisitor final : public JsonVisitor {
 public:
  explicit TreeVisitor(const YamlFromJsonOptions& options) : options_(options) {}

  const YamlNode& root() const { return root_; }

  bool null() override { return Add(YamlNode()); }
  bool boolean(bool value) override { return Add(YamlNode::Scalar(value ? "true" : "false")); }
  bool number_integer(number_integer_t value) override { return AddNumber(value); }
  bool number_unsigned(number_unsigned_t value) override { return AddNumber(value); }
  bool number_float(number_float_t value, const string_t&) override { return AddNumber(value); }
  bool string(string_t& text) override {
    if (!IsAside()) {
      CountText(text.size());
      return Add(YamlNode::Scalar(std::move(text)));
    }
    if (options_.texts->size() == options_.most_texts) {
      throw JsonRefusal("has more than " + std::to_string(options_.most_texts) + " " +
                        options_.key);
    }
    options_.texts->push_back(std::move(text));
    return true;
  }
  bool start_object(std::size_t) override { return Begin(true); }
  bool start_array(std::size_t) override { return Begin(false); }
  bool key(string_t& key) override {
    CountText(key.size());
    frames_.back().key = std::move(key);
    return true;
  }
  bool end_object() override { return End(); }
  bool end_array() override { return End(); }

 private:
  struct Frame {
    bool is_map = false;
    std::string key{};  // what the value that comes next is called
    std::vector<YamlNode> items{};
    std::vector<YamlEntry> entries{};
  };

  // Whether what comes is an item of the list that is put aside.
  bool IsAside() const {
    return options_.texts && frames_.size() == 2 && !frames_[1].is_map && frames_[0].is_map &&
           frames_[0].key == options_.key;
  }
  bool Begin(bool is_map) {
    if (IsAside()) throw JsonRefusal("has something other than text in its " + options_.key);
    frames_.push_back({.is_map = is_map});
    return true;
  }
  bool End() {
    const Frame frame = std::move(frames_.back());
    frames_.pop_back();
    return Add(frame.is_map ? YamlNode::Map(frame.entries) : YamlNode::List(frame.items));
  }
  template <class Number>
  bool AddNumber(Number value) {
    return Add(YamlNode::Scalar(Json(value).dump()));
  }
  bool Add(const YamlNode& node) {
    if (IsAside()) throw JsonRefusal("has something other than text in its " + options_.key);
    if (++values_ > options_.most_values) {
      throw JsonRefusal("has more than " + std::to_string(options_.most_values) + " values");
    }
    if (frames_.empty()) {
      root_ = node;
    } else if (Frame& frame = frames_.back(); frame.is_map) {
      frame.entries.push_back({std::move(frame.key), node});
    } else {
      frame.items.push_back(node);
    }
    return true;
  }
  void CountText(std::size_t bytes) {
    text_bytes_ += bytes;
    if (text_bytes_ > options_.most_text) {
      throw JsonRefusal("has more than " + ToRoundText(ByteSize{options_.most_text}) + " of text");
    }
  }

  const YamlFromJsonOptions& options_;
  std::vector<Frame> frames_;
  YamlNode root_;
  std::size_t values_ = 0;
  std::size_t text_bytes_ = 0;
};

// The number or truth value that `text` is; nothing else.
std::optional<Json> NumberOrTruth(const std::string& text) {
  if (text.size() > kLongestNumber) return std::nullopt;
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_number() && !json.is_boolean()) return std::nullopt;
  return json;
}

}  // namespace

Json ToJson(const YamlNode& node) {
  Json json;
  if (node.is_list()) {
    json = Json::array();
    for (const YamlNode& item : node.items()) json.push_back(ToJson(item));
  } else if (node.is_map()) {
    json = Json::object();
    for (const YamlEntry& entry : node.entries()) json[entry.key] = ToJson(entry.value);
  } else if (node.is_scalar()) {
    const auto number = node.quoted() ? std::nullopt : NumberOrTruth(node.scalar());
    json = number ? *number : Json(node.scalar());
  }
  return json;
}

YamlNode YamlFromJson(std::string_view text, const YamlFromJsonOptions& options) {
  TreeVisitor visitor(options);
  VisitJson(text, options.limits, visitor);
  return visitor.root();
}

}  // namespace weir
