// The list of backbones: each row is whole, so that a new one is a file and a row.

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "stages/model/backbones/backbone.h"
#include "stages/model/backbones/weights_source.h"

namespace weir {
namespace {

constexpr MapSize kInput = {224, 224};

TEST(Backbones, EachRowIsWhole) {
  std::set<std::string_view> names;
  for (const BackboneKind* kind : Backbones()) {
    EXPECT_TRUE(names.insert(kind->name).second) << kind->name << " is there twice";
    EXPECT_EQ(&FindBackbone(kind->name), kind);
    EXPECT_FALSE(kind->title.empty()) << kind->name;
    EXPECT_GE(kind->largest_width, 1) << kind->name;
    EXPECT_GE(kind->smallest_side, 1) << kind->name;
    const Backbone backbone(*kind, 1.0, kInput, Convention::Torchvision());
    for (const Naming& naming : backbone.namings()) {
      EXPECT_EQ(naming.layers.size(), static_cast<std::size_t>(backbone.network().size()))
          << kind->name << " as " << naming.publisher << " names it";
    }
  }
}

// "block_12 or features.13"
TEST(Backbones, TheBlocksThatAdviceNamesAreThere) {
  for (const BackboneKind* kind : Backbones()) {
    const Backbone backbone(*kind, 1.0, kInput, Convention::Torchvision());
    const std::string_view blocks = kind->blocks;
    const std::size_t before = blocks.find(" or ");
    ASSERT_NE(before, blocks.npos) << kind->name;
    EXPECT_GE(backbone.Find(blocks.substr(0, before)), 0) << blocks;
    EXPECT_GE(backbone.Find(blocks.substr(before + 4)), 0) << blocks;
    EXPECT_NE(kind->patterns.find('*'), std::string_view::npos) << kind->name;
  }
}

TEST(Backbones, EachPublishedFileIsOfAWidthThatThereIs) {
  for (const BackboneKind* kind : Backbones()) {
    EXPECT_TRUE(kind->published.empty() || kind->largest_file_bytes > 0) << kind->name;
    for (const PublishedWeights& published : kind->published) {
      const WeightsSource source = ParseWeightsSource(published.name, "", *kind, published.width);
      EXPECT_EQ(source.url, published.url);
      EXPECT_EQ(source.most_bytes, kind->largest_file_bytes);
      EXPECT_NO_THROW(Backbone(*kind, published.width, kInput, Convention::Keras())) << source.url;
    }
  }
}

}  // namespace
}  // namespace weir
