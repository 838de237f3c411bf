#include "stages/model/weights/safetensors_header.h"

#include <algorithm>
#include <array>
#include <functional>
#include <span>
#include <utility>

#include "framework/text.h"
#include "stages/files/bounded_json.h"
#include "stages/model/weights/safetensors_limits.h"

namespace weir {
namespace {

constexpr const char* kMetadata = "__metadata__";
constexpr std::size_t kMostUnreadTypes = 32;  // the format has some ten that are not read here
constexpr JsonLimits kLimits{.text_bytes = kMostSafetensorsHeaderBytes,
                             .depth = 3};  // {name: {"shape": [...]}}

// Takes the header's values as they come: {name: {"dtype": text, "shape": [...],
// "data_offsets": [begin, end]}, ...}, and one {"__metadata__": {key: text, ...}}.
class HeaderVisitor final : public JsonVisitor {
 public:
  explicit HeaderVisitor(std::uint64_t values_bytes) : values_bytes_(values_bytes) {}

  SafetensorsHeader Take() { return std::move(header_); }

  bool start_object(std::size_t) override {
    if (depth_ == 1) BeginEntry();
    if (depth_ >= 2) Misplaced();
    ++depth_;
    return true;
  }
  bool end_object() override {
    if (--depth_ == 1 && !is_metadata_) EndTensor();
    return true;
  }
  bool start_array(std::size_t) override {
    if (depth_ != 2 || is_metadata_ || (field_ != kShape && field_ != kOffsets)) Misplaced();
    ++depth_;
    return true;
  }
  bool end_array() override {
    --depth_;
    return true;
  }
  bool key(string_t& key) override {
    if (depth_ == 1 || is_metadata_) {
      name_ = std::move(key);
      if (depth_ == 1) is_metadata_ = name_ == kMetadata;
      return true;
    }
    const auto* const found = std::ranges::find(kFields, key);
    if (found == kFields.end()) NotDescribed();
    field_ = static_cast<Field>(found - kFields.begin());
    if (std::exchange(has_[field_], true)) NotDescribed();
    return true;
  }
  bool string(string_t& text) override {
    if (is_metadata_ && depth_ == 2) {
      AddMetadata(std::move(text));
    } else if (depth_ == 2 && field_ == kType) {
      SetType(std::move(text));
    } else {
      Misplaced();
    }
    return true;
  }
  bool number_unsigned(number_unsigned_t number) override {
    if (depth_ != 3) Misplaced();
    if (field_ == kShape) {
      if (shape_size_ == shape_.size()) {
        RefuseTensor("has more than " + std::to_string(shape_.size()) + " dimensions");
      }
      shape_[shape_size_++] = static_cast<std::int64_t>(number);
    } else {
      if (offsets_size_ == offsets_.size()) RefuseTensor("has no place in the file");
      offsets_[offsets_size_++] = number;
    }
    return true;
  }

 private:
  enum Field { kType, kShape, kOffsets };
  static constexpr std::array<std::string_view, 3> kFields = {"dtype", "shape", "data_offsets"};

  bool Other() override { Misplaced(); }

  // A value of a kind that has no business where it stands.
  [[noreturn]] void Misplaced() const {
    if (depth_ == 0) throw SafetensorsRefusal("its header is not a JSON object");
    if (is_metadata_) {
      throw SafetensorsRefusal(depth_ == 1 ? "its __metadata__ is not an object"
                                           : "its __metadata__ holds something other than text");
    }
    if (depth_ == 1) NotDescribed();
    RefuseTensor(field_ == kType    ? "has no type"
                 : field_ == kShape ? "has no shape"
                                    : "has no place in the file");
  }
  [[noreturn]] void RefuseTensor(const std::string& what) const {
    throw SafetensorsRefusal("tensor '" + Printable(name_) + "' " + what);
  }
  [[noreturn]] void NotDescribed() const {
    RefuseTensor("is not described by dtype, shape and data_offsets");
  }

  void BeginEntry() {
    if (is_metadata_) return;
    if (header_.tensors.size() == kMostSafetensorsTensors) {
      throw SafetensorsRefusal("it has more than " + std::to_string(kMostSafetensorsTensors) +
                               " tensors");
    }
    has_ = {};
    place_ = {};
    shape_size_ = offsets_size_ = 0;
  }

  void AddMetadata(std::string text) {
    if (header_.metadata.size() == kMostSafetensorsMetadata) {
      throw SafetensorsRefusal("its __metadata__ has more than " +
                               std::to_string(kMostSafetensorsMetadata) + " keys");
    }
    header_.metadata[std::move(name_)] = std::move(text);
  }

  void SetType(std::string type) {
    place_.element = ElementTypeNamed(type);
    if (place_.element) return;
    auto found = std::ranges::find(header_.unread_types, type);
    if (found == header_.unread_types.end()) {
      if (header_.unread_types.size() == kMostUnreadTypes) {
        RefuseTensor("has the type \"" + Printable(type) + "\", which is not read");
      }
      found = header_.unread_types.insert(found, std::move(type));
    }
    place_.unread_type = static_cast<std::uint32_t>(found - header_.unread_types.begin());
  }

  void EndTensor() {
    if (!std::ranges::all_of(has_, std::identity())) NotDescribed();
    if (offsets_size_ != offsets_.size()) RefuseTensor("has no place in the file");
    place_.begin = offsets_[0];
    place_.end = offsets_[1];
    if (place_.begin > place_.end || place_.end > values_bytes_) {
      RefuseTensor("lies outside the file");
    }
    const std::span<const std::int64_t> shape(shape_.data(), shape_size_);
    const std::uint64_t bytes = place_.end - place_.begin;
    const auto values = ValueCount(shape, place_.element ? bytes : 8 * bytes);  // a bit each
    if (!values || (place_.element && *values * ElementBytes(*place_.element) != bytes)) {
      RefuseTensor("does not have as many bytes as its shape says");
    }
    header_.tensors.push_back({std::move(name_), {shape.begin(), shape.end()}});
    header_.places.push_back(place_);
  }

  const std::uint64_t values_bytes_;
  SafetensorsHeader header_;
  int depth_ = 0;  // how many objects and lists are open
  bool is_metadata_ = false;
  std::string name_;  // the tensor's, or the key in the metadata
  // What is known of the tensor that is being read:
  Field field_ = kType;
  std::array<bool, 3> has_{};
  SafetensorsPlace place_;
  std::array<std::int64_t, kMostSafetensorsDimensions> shape_{};
  std::size_t shape_size_ = 0;
  std::array<std::uint64_t, 2> offsets_{};
  std::size_t offsets_size_ = 0;
};

}  // namespace

SafetensorsHeader ReadSafetensorsHeader(std::string_view text, std::uint64_t values_bytes) {
  HeaderVisitor visitor(values_bytes);
  try {
    VisitJson(text, kLimits, visitor);
  } catch (const JsonRefusal& refusal) {
    throw SafetensorsRefusal(std::string("its header ") + refusal.what());
  }
  return visitor.Take();
}

}  // namespace weir
