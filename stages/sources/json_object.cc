#include "stages/sources/json_object.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "framework/text.h"
#include "stages/files/bounded_json.h"

namespace weir {
namespace {

constexpr std::size_t kKeysKept = 13;
constexpr JsonLimits kLimits{.text_bytes = std::size_t{2} << 20, .depth = 1'000};

// Called by the parser for each thing that it comes to; false ends it.
class Top final : public JsonVisitor {
 public:
  explicit Top(const std::vector<std::string>& keys) : keys_(keys) {
    object_.values.resize(keys.size());
  }

  JsonObject Take() { return std::move(object_); }
  bool is_object() const { return is_object_; }

  bool number_integer(number_integer_t value) override { return Take(true, std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override {
    return Take(true, std::to_string(value));
  }
  bool string(string_t& value) override {
    const bool is_text = value.find('\0') == std::string::npos;
    return Take(is_text, std::move(value));
  }
  bool start_object(std::size_t) override {
    is_object_ = is_object_ || depth_ == 0;
    return Enter();
  }
  bool end_object() override { return Leave(); }
  bool start_array(std::size_t) override { return depth_ > 0 && Enter(); }
  bool end_array() override { return Leave(); }
  bool key(string_t& key) override {
    if (depth_ != 1) return true;
    const auto found = std::find(keys_.begin(), keys_.end(), key);
    wanted_ = found == keys_.end() ? nullptr : &object_.values[found - keys_.begin()];
    if (object_.keys.size() < kKeysKept) object_.keys.push_back(Printable(key));
    return true;
  }

 private:
  bool Other() override { return Take(false); }

  // A value at any depth.
  bool Take(bool is_text_or_number, std::string text = {}) {
    if (depth_ == 1 && wanted_) *wanted_ = {true, is_text_or_number, std::move(text)};
    return depth_ > 0;
  }
  bool Enter() {
    if (depth_ > 0) Take(false);
    ++depth_;
    return true;
  }
  bool Leave() {
    --depth_;
    return true;
  }

  const std::vector<std::string>& keys_;
  JsonObject object_;
  JsonObject::Value* wanted_ = nullptr;  // where the top's last key puts its value; null: nowhere
  int depth_ = 0;
  bool is_object_ = false;
};

}  // namespace

std::optional<JsonObject> ReadJsonObject(std::string_view text,
                                         const std::vector<std::string>& keys) {
  Top top(keys);
  try {
    VisitJson(text, kLimits, top);
  } catch (const JsonRefusal&) {
    return std::nullopt;
  }
  return top.is_object() ? std::optional(top.Take()) : std::nullopt;
}

}  // namespace weir
