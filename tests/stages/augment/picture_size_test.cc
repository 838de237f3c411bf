#include "stages/augment/picture_size.h"

#include <gtest/gtest.h>

#include <string>

#include "stages/augment/augment.h"
#include "stages/augment/crops.h"
#include "tests/framework/config/yaml_text.h"

namespace weir {
namespace {

template <class Stage>
class PictureSizeOf : public testing::Test {};
using Stages = testing::Types<Augment, CenterCrop, RandomResizedCrop>;
TYPED_TEST_SUITE(PictureSizeOf, Stages);

TYPED_TEST(PictureSizeOf, IsOneNumberOrHeightAndWidth) {
  using Params = typename TypeParam::Params;
  EXPECT_EQ(Read<Params>("size: 224").size.height, 224);
  EXPECT_EQ(Read<Params>("size: 224").size.width, 224);
  EXPECT_EQ(Read<Params>("size: [96, 128]").size.height, 96);
  EXPECT_EQ(Read<Params>("size: [96, 128]").size.width, 128);
}

TYPED_TEST(PictureSizeOf, IsWrittenAsBothSides) {
  using Params = typename TypeParam::Params;
  EXPECT_EQ(EmitFlow(*ToYaml(Read<Params>("size: 224")).Find("size")), "[224, 224]");
  EXPECT_EQ(EmitFlow(*ToYaml(Read<Params>("size: [96, 128]")).Find("size")), "[96, 128]");
}

TYPED_TEST(PictureSizeOf, RefusesWhatIsNone) {
  using Params = typename TypeParam::Params;
  const auto refused = [](const std::string& size) {
    const std::string all = ProblemsOf<Params>("size: " + size);
    return all.substr(0, all.find('\n'));
  };
  const std::string takes =
      "a.yaml:1:7: `size` takes a whole number or a list of 2 whole numbers, ";
  EXPECT_EQ(refused("big"), takes + "not `big`");
  EXPECT_EQ(refused("22.5"), takes + "not `22.5`");
  EXPECT_EQ(refused("'224'"), takes + "not the text `224`");
  EXPECT_EQ(refused("99999999999"), takes + "not `99999999999`");
  EXPECT_EQ(refused("{height: 3}"), takes + "not a map");
  EXPECT_EQ(refused(""),
            "a.yaml:1:1: `size` takes a whole number or a list of 2 whole numbers, but nothing is "
            "written there");
  EXPECT_EQ(refused("[224]"), "a.yaml:1:7: `size` takes a list of 2 whole numbers, not 1");
  EXPECT_EQ(refused("[224, x]"), "a.yaml:1:13: `size[1]` takes a whole number, not `x`");
  EXPECT_EQ(refused("[0, 8]").substr(0, 32), "a.yaml:1:8: `size[0]` takes 1 to");
  EXPECT_EQ(refused("0").substr(0, 29), "a.yaml:1:7: `size` takes 1 to");
}

TYPED_TEST(PictureSizeOf, IsDescribedAsBoth) {
  using Params = typename TypeParam::Params;
  EXPECT_EQ(Describe<Params>()[0].type, "a whole number or a list of 2 whole numbers");
  const YamlNode form = *SchemaOf<Params>().Find("properties")->Find("size")->Find("anyOf");
  ASSERT_EQ(form.items().size(), 2u);
  EXPECT_EQ(form.items()[0].Find("type")->scalar(), "integer");
  EXPECT_EQ(form.items()[1].Find("type")->scalar(), "array");
}

}  // namespace
}  // namespace weir
