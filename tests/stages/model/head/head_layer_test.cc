#include "stages/model/head/head_layer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/support/caught_error.h"
#include "tests/support/head_layers.h"
#include "tests/support/listed_parts.h"

namespace weir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// What a layer has to be told; null where its defaults do.
YamlNode ParamsOf(const Part<HeadLayer>& part) {
  for (const FieldDoc& field : part.describe().nested) {
    if (field.name == "units") return YamlNode::Map({{"units", YamlNode::Scalar("4")}});
  }
  return YamlNode::Null({});
}

TEST(HeadLayers, AreReadAsTheyAreWrittenAndDocumented) {
  std::set<std::string_view> names;
  for (const Part<HeadLayer>& part : HeadLayer::All()) {
    ExpectRoundTrip(part, ParamsOf(part));
    Problems problems;
    const auto layer = part.read(ParamsOf(part), problems);
    ASSERT_TRUE(layer) << problems.text();
    EXPECT_EQ(layer->name(), part.names.front());
    EXPECT_TRUE(names.insert(part.names.front()).second);
    EXPECT_THAT(layer->declaration(), testing::StartsWith(std::string(layer->name())));
  }
}

TEST(HeadLayers, SayWhatTheyKeepOfWhatArrives) {
  const auto arrays = [](const HeadPart& layer, const Shape& input) {
    constexpr const char* kStarts[] = {"zeros", "ones", "glorot"};  // as HeadArray::Initializer
    std::vector<std::string> texts;
    for (const HeadArray& array : layer->Arrays(input)) {
      texts.push_back(std::string(array.name) + (array.learns ? " learns " : " follows ") +
                      std::to_string(array.values()) + " from " +
                      kStarts[static_cast<int>(array.initializer)]);
    }
    return texts;
  };
  EXPECT_THAT(arrays(HeadDense(3), {5}),
              ElementsAre("weight learns 15 from glorot", "bias learns 3 from zeros"));
  EXPECT_THAT(arrays(HeadBatchNorm(), {2, 2, 5}),
              ElementsAre("weight learns 5 from ones", "bias learns 5 from zeros",
                          "running_mean follows 5 from zeros", "running_var follows 5 from ones"));
  for (const HeadPart& layer :
       {HeadAveragePooling(), HeadMaxPooling(), HeadFlatten(), HeadDropout()}) {
    EXPECT_THAT(arrays(layer, {2, 2, 5}), ElementsAre()) << layer->name();
  }
}

TEST(HeadLayers, RefuseNumbersOutOfTheirRange) {
  EXPECT_THAT(CaughtError([] { HeadDropout(1); }), HasSubstr("`rate` takes less than 1, not 1"));
  EXPECT_THAT(CaughtError([] { HeadBatchNorm(1); }), HasSubstr("`momentum` takes less than 1"));
  EXPECT_THAT(CaughtError([] { HeadDense(0); }), HasSubstr("`units` takes 1 to"));
}

TEST(HeadLayers, CountClassesOnceTheyAreKnown) {
  const HeadPart declared = HeadDenseOfClasses(Activation::kSoftmax);
  EXPECT_TRUE(declared->needs_classes());
  EXPECT_EQ(EmitYaml(declared->ToYaml()), "dense:\n  units: classes\n  activation: softmax\n");
  const HeadPart resolved = declared->WithClasses(7);
  EXPECT_FALSE(resolved->needs_classes());
  EXPECT_EQ(resolved->declaration(), "dense 7 softmax");
  EXPECT_FALSE(HeadDense(7)->needs_classes());
}

}  // namespace
}  // namespace weir
