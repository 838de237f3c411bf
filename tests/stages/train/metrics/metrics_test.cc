#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "framework/config/parts.h"
#include "framework/config/yaml_emitter.h"
#include "stages/train/metrics/accuracy.h"
#include "stages/train/metrics/metric.h"

namespace weir {
namespace {

// What holds of every row of the list, the next one included.
TEST(EveryMetric, IsWrittenAsItIsRead) {
  using Type = ParamType<Metric>;
  for (const Metric& metric : Metric::All()) {
    Problems problems;
    const auto read = Type::Read(YamlNode::Scalar(std::string(metric.name)), {}, problems);
    ASSERT_TRUE(read.has_value()) << problems.text();
    EXPECT_EQ(Type::Write(*read, {}).scalar(), metric.name);
    EXPECT_NE(EmitYaml(Type::Schema({})).find(metric.name), std::string::npos);
    EXPECT_FALSE(metric.doc.empty()) << metric.name;
    EXPECT_NE(Metric::Doc().find(metric.doc), std::string::npos);
  }
}

TEST(EveryMetric, IsBestWhereTheLogitsAreSure) {
  const std::vector<float> logits = {-9, -9, 9, -9, -9, -9, -9};
  for (const Metric& metric : Metric::All()) {
    EXPECT_EQ(metric.of(logits, {.label = 2, .path = ""}), 1) << metric.name;
  }
}

TEST(Accuracy, IsOfTheFirstOfTheLargest) {
  const std::vector<float> logits = {0, 3, 3};
  EXPECT_EQ(Accuracy(logits, {.label = 1, .path = ""}), 1);
  EXPECT_EQ(Accuracy(logits, {.label = 2, .path = ""}), 0);
}

}  // namespace
}  // namespace weir
