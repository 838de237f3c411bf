// The top of a JSON object: its keys, and the values of some of them, without holding the rest.
//
// Pure; any thread. Limits: 2 MiB of text, 1,000 levels. Memory: at most three times the longest
// text in it, and what is returned, of which the keys are cut to 80 bytes each.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

struct JsonObject {
  struct Value {
    bool is_there = false;
    bool is_text_or_number = false;  // text without a zero byte, or a whole number
    std::string text{};              // the text, or the number's digits
  };
  std::vector<Value> values;      // one a key that was asked for; the last where it stands twice
  std::vector<std::string> keys;  // the first few that there are, for messages
};

// Nothing where `text` is no JSON object, or passes the limits.
std::optional<JsonObject> ReadJsonObject(std::string_view text,
                                         const std::vector<std::string>& keys);

}  // namespace weir
