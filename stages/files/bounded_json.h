// JSON that comes from anybody: measured before it is read.
//
// A text of 16 MiB can ask for a gigabyte as a tree of values, or for a level of nesting a byte.
// One pass over the text, which holds nothing, counts what reading it would take; a text that
// passes the limits is refused before a parser sees it. Every JSON text that weir reads comes
// through here.
//
// Pure; any thread. ParseJson holds at most limits.held_bytes; VisitJson holds the longest text of
// the JSON three times, and a bit for each level of nesting.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

namespace weir {

// The most that each may take.
struct JsonLimits {
  std::size_t text_bytes = 0;         // the whole text
  std::size_t held_bytes = 0;         // the tree that ParseJson returns
  std::size_t depth = 32;             // lists and objects inside one another
  std::size_t value_bytes = 1 << 30;  // one text or number, as it is written
};

// What a text would take, counted from above: a text that is not JSON counts as if it were.
struct JsonMeasure {
  std::size_t values = 1;  // and keys
  std::size_t depth = 0;
  std::size_t longest_bytes = 0;  // the longest text or number, as written
  std::size_t tree_bytes = 0;     // as nlohmann::json, with the allocator's share
};
JsonMeasure MeasureJson(std::string_view text);

// Thrown where a text is not read. what() follows a subject, such as the name of the file: "is not
// whole JSON", "is nested more than 32 levels deep".
class JsonRefusal : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The values as a tree. Throws JsonRefusal.
nlohmann::json ParseJson(std::string_view text, const JsonLimits& limits);

// Calls `visitor` for one value after the other, in the order of the text; it may throw. Where it
// returns false the visit ends, as it does at the end of the text. Throws JsonRefusal where the
// text passes the limits; what is held is the visitor's business.
void VisitJson(std::string_view text, const JsonLimits& limits,
               nlohmann::json_sax<nlohmann::json>& visitor);

// `text` with U+FFFD for bytes that are not UTF-8, as it comes back out of JSON.
std::string ToUtf8(const std::string& text);

// `text` as JSON writes it, with its quotes, and with U+FFFD for bytes that are not UTF-8.
std::string QuotedJson(const std::string& text);

// A visitor to begin with: it has no use for any value, and throws JsonRefusal for what is not
// JSON.
class JsonVisitor : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return Other(); }
  bool boolean(bool) override { return Other(); }
  bool number_integer(number_integer_t) override { return Other(); }
  bool number_unsigned(number_unsigned_t) override { return Other(); }
  bool number_float(number_float_t, const string_t&) override { return Other(); }
  bool string(string_t&) override { return Other(); }
  bool binary(binary_t&) override { return Other(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    throw JsonRefusal("is not whole JSON");
  }

 protected:
  // Called for each value that the visitor does not override.
  virtual bool Other() { return true; }
};

}  // namespace weir
