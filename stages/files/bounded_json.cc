#include "stages/files/bounded_json.h"

#include <algorithm>

#include "framework/byte_size.h"

namespace weir {
namespace {

// A key and its value are two counted values: a node of a std::map with its key takes 96 bytes of
// malloc's, the text of a value 48 beside its letters. An element of a list takes 16, thrice while
// the list grows, and an empty object in it 64.
constexpr std::size_t kValueBytes = 112;
// Letters are held in blocks of 16 bytes, and behind a header of 8.
constexpr std::size_t kHeldPerTextByte = 2;

std::string Size(std::size_t bytes) { return ToRoundText(ByteSize{bytes}); }

JsonMeasure Checked(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.text_bytes) {
    throw JsonRefusal("is longer than " + Size(limits.text_bytes));
  }
  const JsonMeasure measure = MeasureJson(text);
  if (measure.depth > limits.depth) {
    throw JsonRefusal("is nested more than " + std::to_string(limits.depth) + " levels deep");
  }
  if (measure.longest_bytes > limits.value_bytes) {
    throw JsonRefusal("has a value longer than " + Size(limits.value_bytes));
  }
  return measure;
}

}  // namespace

JsonMeasure MeasureJson(std::string_view text) {
  JsonMeasure measure;
  std::size_t depth = 0, value_begin = 0;
  const auto end_value = [&](std::size_t end) {
    measure.longest_bytes = std::max(measure.longest_bytes, end - std::min(end, value_begin));
    value_begin = end + 1;
  };
  for (std::size_t at = 0; at < text.size(); ++at) {
    switch (text[at]) {
      case '"':
        value_begin = at + 1;
        for (++at; at < text.size() && text[at] != '"'; ++at) {
          if (text[at] == '\\') ++at;
        }
        end_value(at);
        break;
      case '[':
      case '{':
        measure.depth = std::max(measure.depth, ++depth);
        ++measure.values;
        end_value(at);
        break;
      case ']':
      case '}':
        if (depth > 0) --depth;
        end_value(at);
        break;
      case ',':
      case ':':
        ++measure.values;
        end_value(at);
        break;
      case ' ':
      case '\n':
      case '\r':
      case '\t':
        end_value(at);
        break;
      default:
        break;
    }
  }
  end_value(text.size());
  measure.tree_bytes = measure.values * kValueBytes + text.size() * kHeldPerTextByte;
  return measure;
}

std::string QuotedJson(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string ToUtf8(const std::string& text) {
  return nlohmann::json::parse(QuotedJson(text)).get<std::string>();
}

nlohmann::json ParseJson(std::string_view text, const JsonLimits& limits) {
  const JsonMeasure measure = Checked(text, limits);
  if (measure.tree_bytes > limits.held_bytes) {
    throw JsonRefusal("has " + std::to_string(measure.values) + " values, which would take " +
                      Size(measure.tree_bytes) + "; " + Size(limits.held_bytes) + " are allowed");
  }
  nlohmann::json parsed = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (parsed.is_discarded()) throw JsonRefusal("is not whole JSON");
  return parsed;
}

void VisitJson(std::string_view text, const JsonLimits& limits,
               nlohmann::json_sax<nlohmann::json>& visitor) {
  Checked(text, limits);
  nlohmann::json::sax_parse(text, &visitor);
}

}  // namespace weir
