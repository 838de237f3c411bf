#include "stages/files/bounded_json.h"

#include <gtest/gtest.h>

#include <random>

namespace weir {
namespace {

constexpr JsonLimits kWide{.text_bytes = 1 << 20, .held_bytes = 64 << 20};

std::string Refusal(std::string_view text, const JsonLimits& limits) {
  try {
    ParseJson(text, limits);
  } catch (const JsonRefusal& refusal) {
    return refusal.what();
  }
  return "it was read";
}

TEST(BoundedJson, ReadsWhatIsWithinTheLimits) {
  const nlohmann::json json =
      ParseJson(R"({"a": [1, -2.5, true, null, "é\n\"]"], "b": {}})", kWide);
  EXPECT_EQ(json["a"][1], -2.5);
  EXPECT_EQ(json["a"][4], "é\n\"]");
  EXPECT_TRUE(json["b"].empty());
}

TEST(BoundedJson, SaysWhichLimitATextPasses) {
  EXPECT_EQ(Refusal("[1, 2", kWide), "is not whole JSON");
  EXPECT_EQ(Refusal("", kWide), "is not whole JSON");
  EXPECT_EQ(Refusal("[1] 2", kWide), "is not whole JSON");
  EXPECT_EQ(Refusal("[\"\xff\"]", kWide), "is not whole JSON");
  EXPECT_EQ(Refusal("[1, 2]", {.text_bytes = 5, .held_bytes = 1 << 20}), "is longer than 5 B");
  EXPECT_EQ(Refusal("[[[]]]", {.text_bytes = 9, .held_bytes = 1 << 20, .depth = 2}),
            "is nested more than 2 levels deep");
  EXPECT_EQ(Refusal("[[], [], [[]]]", {.text_bytes = 99, .held_bytes = 1 << 20, .depth = 3}),
            "it was read");
  EXPECT_EQ(Refusal("[\"[[[[\"]", {.text_bytes = 99, .held_bytes = 1 << 20, .depth = 1}),
            "it was read");
  EXPECT_EQ(Refusal("[1,2,3]", {.text_bytes = 99, .held_bytes = 400}),
            "has 4 values, which would take 462 B; 400 B are allowed");
  EXPECT_EQ(Refusal("[\"abcdef\"]", {.text_bytes = 99, .held_bytes = 9999, .value_bytes = 5}),
            "has a value longer than 5 B");
  EXPECT_EQ(Refusal("{\"a\" : 123456}", {.text_bytes = 99, .held_bytes = 9999, .value_bytes = 5}),
            "has a value longer than 5 B");
  EXPECT_EQ(Refusal("{\"abcde\":\n  12345 , \"\\\"\": [ ]}",
                    {.text_bytes = 99, .held_bytes = 9999, .value_bytes = 5}),
            "it was read");
}

std::size_t Count(const nlohmann::json& json) {
  std::size_t count = 1;
  for (const auto& each : json) {
    if (json.is_structured()) count += Count(each) + (json.is_object() ? 1 : 0);
  }
  return count;
}
std::size_t Depth(const nlohmann::json& json) {
  if (!json.is_structured()) return 0;
  std::size_t deepest = 0;
  for (const auto& each : json) deepest = std::max(deepest, Depth(each));
  return 1 + deepest;
}
nlohmann::json Drawn(std::mt19937& random, int depth) {
  switch (random() % (depth > 0 ? 6 : 4)) {
    case 0:
      return random();
    case 1:
      return nullptr;
    case 2:
      return "\"[{,:}]\\" + std::to_string(random() % 1000);
    case 3:
      return -0.5 * static_cast<double>(random() % 1000);
    case 4: {
      nlohmann::json list = nlohmann::json::array();
      for (auto i = random() % 4; i > 0; --i) list.push_back(Drawn(random, depth - 1));
      return list;
    }
    default: {
      nlohmann::json object = nlohmann::json::object();
      for (auto i = random() % 4; i > 0; --i) {
        object["{\\\"" + std::to_string(random() % 9)] = Drawn(random, depth - 1);
      }
      return object;
    }
  }
}

TEST(BoundedJson, NeverCountsLessThanThereIs) {
  std::mt19937 random(1);
  for (int i = 0; i < 500; ++i) {
    const nlohmann::json json = Drawn(random, 6);
    for (const int indent : {-1, 2}) {
      const JsonMeasure measure = MeasureJson(json.dump(indent));
      EXPECT_GE(measure.values, Count(json)) << json;
      EXPECT_EQ(measure.depth, Depth(json)) << json;
    }
  }
}

TEST(BoundedJson, MakesUtf8OfWhatIsNot) {
  EXPECT_EQ(ToUtf8("été\n\"x\""), "été\n\"x\"");
  EXPECT_EQ(ToUtf8("M\xfcller"), "M\xef\xbf\xbdller");
  EXPECT_EQ(QuotedJson("a\"b\n"), "\"a\\\"b\\n\"");
}

}  // namespace
}  // namespace weir
