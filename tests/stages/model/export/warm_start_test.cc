#include "stages/model/export/warm_start.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <vector>

#include "tests/support/head_layers.h"

namespace weir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A dense layer of the classes with a batch norm behind it: the arrays of both are by class.
ModelConfig Config() {
  ModelConfig config;
  config.backbone.width = 0.35;
  config.frozen = {.kind = FrozenConfig::Kind::kAll};
  config.head = {HeadAveragePooling(), HeadDenseOfClasses(), HeadBatchNorm()};
  return config;
}

// A saved model whose arrays count from 1,000 times the layer on.
SavedModel Saved(const std::vector<std::string>& classes) {
  SavedModel saved;
  saved.classes = classes;
  saved.input = {64, 64};
  saved.source.config = Config();
  saved.source.convention = Convention::Torchvision();
  saved.source.opening_bytes = 77;
  saved.source.load_head = [](const Model&, int layer, const HeadArray& array, const auto&) {
    std::vector<float> values(array.values());
    std::iota(values.begin(), values.end(), 1000.f * static_cast<float>(layer));
    return values;
  };
  return saved;
}

TEST(WarmStart, TakesTheRowsOfTheClassesByTheirNamesHoweverTheyAreComposed) {
  const std::string decomposed = "Ku\u0308che", composed = "K\u00fcche";  // macOS', Linux'
  const auto source = WarmStart(Config(), Saved({decomposed, "ants"}), "run/model");
  const Model model(Config(), Convention::Torchvision(), {64, 64},
                    std::vector<std::string>{"ants", "bees", composed}, 1);
  EXPECT_THAT(source->about(model),
              ElementsAre(HasSubstr("; 2 of 3 classes go on, `bees` begins anew")));

  const auto values = [&](int layer, int array) {
    const HeadArray of_layer = model.head_arrays(layer).at(array);
    return source->load_head(model, layer, of_layer,
                             [&] { return std::vector<float>(of_layer.values(), -1); });
  };
  const std::vector<float> weights = values(1, 0);
  ASSERT_EQ(weights.size(), 3 * 1280u);
  EXPECT_EQ(weights[0], 1000 + 1280);  // ants: the second row there
  EXPECT_EQ(weights[1279], 1000 + 1280 + 1279);
  EXPECT_EQ(weights[1280], -1);  // bees
  EXPECT_EQ(weights[2 * 1280], 1000);
  EXPECT_THAT(values(1, 1), ElementsAre(1001, -1, 1000));
  for (int array = 0; array < static_cast<int>(model.head_arrays(2).size()); ++array) {
    EXPECT_THAT(values(2, array), ElementsAre(2001, -1, 2000)) << array;
  }
}

TEST(WarmStart, DeclaresWhatReadingTheHeadTakesApartFromTheBackbone) {
  const auto source = WarmStart(Config(), Saved({"ants", "bees"}), "run/model");
  EXPECT_EQ(source->opening_bytes, 77u);
  EXPECT_EQ(source->head_bytes, 2 * 1280 * sizeof(float));
}

}  // namespace
}  // namespace weir
