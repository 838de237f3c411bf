#include "tests/support/head_layers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "stages/model/head/dense_layer.h"
#include "tests/support/caught_error.h"
#include "tests/support/listed_parts.h"

namespace weir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kUnits = "units";

// A layer of each kind; of those whose parameters have no defaults, with these.
std::shared_ptr<const HeadLayer> Made(const Part<HeadLayer>& part) {
  Problems problems;
  YamlNode params = YamlNode::Null({});
  for (const FieldDoc& field : part.describe().nested) {
    if (field.name == kUnits) params = YamlNode::Map({{"units", YamlNode::Scalar("4")}});
  }
  auto made = part.read(params, problems);
  EXPECT_EQ(problems.text(), "");
  return made;
}

TEST(HeadLayers, AreReadAsTheyAreWrittenAndDocumented) {
  using Type = ParamType<std::shared_ptr<const HeadLayer>>;
  std::set<std::string> names;
  for (const Part<HeadLayer>& part : HeadLayer::All()) {
    const auto layer = Made(part);
    ASSERT_TRUE(layer);
    EXPECT_EQ(layer->name(), part.names.front());
    EXPECT_TRUE(names.insert(std::string(layer->name())).second);
    Problems problems;
    const auto again = Type::Read(layer->ToYaml(), {}, problems);
    ASSERT_TRUE(again) << problems.text();
    EXPECT_EQ(EmitYaml((*again)->ToYaml()), EmitYaml(layer->ToYaml()));
    EXPECT_EQ((*again)->declaration(), layer->declaration());
    EXPECT_THAT(layer->declaration(), testing::StartsWith(std::string(layer->name())));
    const FieldDoc doc = part.describe();
    EXPECT_FALSE(doc.doc.empty());
    for (const FieldDoc& field : doc.nested) EXPECT_FALSE(field.doc.empty()) << field.name;
    EXPECT_NE(EmitYaml(Type::Schema({})).find(layer->name()), std::string::npos);
  }
}

TEST(HeadLayers, SayWhatTheyKeepOfWhatArrives) {
  const auto arrays = [](const HeadPart& layer, const SampleDims& input) {
    std::vector<std::string> texts;
    for (const HeadArray& array : layer->Arrays(input)) {
      texts.push_back(std::string(array.name) + (array.learns ? " learns " : " follows ") +
                      std::to_string(array.values()));
    }
    return texts;
  };
  EXPECT_THAT(arrays(HeadDense(3), {5}), ElementsAre("weight learns 15", "bias learns 3"));
  EXPECT_THAT(arrays(HeadBatchNorm(), {2, 2, 5}),
              ElementsAre("weight learns 5", "bias learns 5", "running_mean follows 5",
                          "running_var follows 5"));
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
