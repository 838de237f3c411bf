#include "stages/sources/json_object.h"

#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <utility>

namespace weir {
namespace {

using nlohmann::json;

constexpr std::size_t kKeysKept = 13;

// Called by the parser for each thing that it comes to; false ends it.
class Top final : public nlohmann::json_sax<json> {
 public:
  explicit Top(const std::vector<std::string>& keys) : keys_(keys) {
    object_.values.resize(keys.size());
  }

  JsonObject Take() { return std::move(object_); }

  bool null() override { return Take(false); }
  bool boolean(bool) override { return Take(false); }
  bool number_integer(number_integer_t value) override { return Take(true, std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override {
    return Take(true, std::to_string(value));
  }
  bool number_float(number_float_t, const string_t&) override { return Take(false); }
  bool string(string_t& value) override {
    const bool is_text = value.find('\0') == std::string::npos;
    return Take(is_text, std::move(value));
  }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return Enter(); }
  bool end_object() override { return Leave(); }
  bool start_array(std::size_t) override { return depth_ > 0 && Enter(); }
  bool end_array() override { return Leave(); }
  bool key(string_t& key) override {
    if (depth_ != 1) return true;
    const auto found = std::find(keys_.begin(), keys_.end(), key);
    wanted_ = found == keys_.end() ? nullptr : &object_.values[found - keys_.begin()];
    if (object_.keys.size() < kKeysKept) object_.keys.push_back(std::move(key));
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
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
  JsonObject::Value* wanted_ = nullptr;  // of the key that was read last, at the top
  int depth_ = 0;
};

}  // namespace

std::optional<JsonObject> ReadJsonObject(std::string_view text,
                                         const std::vector<std::string>& keys) {
  Top top(keys);
  if (!json::sax_parse(text.begin(), text.end(), &top)) return std::nullopt;
  return top.Take();
}

}  // namespace weir
