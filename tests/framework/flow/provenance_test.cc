#include "framework/flow/provenance.h"

#include <gtest/gtest.h>

#include "framework/flow/stage.h"

namespace weir {
namespace {

class Says final : public Stage {
 public:
  explicit Says(std::string what, int variants = 1) : what_(std::move(what)), variants_(variants) {}
  std::optional<std::string> DependsOn(const Pass& pass, std::uint64_t index) const override {
    return what_ + " of " + std::to_string(index) + " in " + std::to_string(pass.epoch);
  }
  int variants(Split split) const override { return split == Split::kTrain ? variants_ : 1; }

 private:
  std::string what_;
  int variants_;
};

class Silent final : public Stage {};

TEST(Provenance, IsWhatEachStageSays) {
  const Says crop("crop"), tone("tone");
  Provenance provenance;
  EXPECT_EQ(provenance.Of(Pass(), 3), "");
  provenance.Add("a", crop);
  provenance.Add("b", tone);
  EXPECT_EQ(provenance.Of({.epoch = 2}, 7), "a{crop of 7 in 2}\nb{tone of 7 in 2}\n");
  EXPECT_EQ(provenance.unknown(), "");
}

TEST(Provenance, IsUnknownWhereAStageDoesNotSay) {
  const Says crop("crop");
  const Silent plugin;
  Provenance provenance;
  provenance.Add("crop", crop);
  provenance.Add("plugin", plugin);
  EXPECT_EQ(provenance.Of(Pass(), 0), std::nullopt);
  EXPECT_EQ(provenance.unknown(), "plugin");
}

TEST(Provenance, ComesRoundAfterAsManyEpochsAsAllStagesNeed) {
  const Says four("four", 4), six("six", 6), endless("endless", 0);
  Provenance provenance;
  EXPECT_EQ(provenance.variants(Split::kTrain), 1);
  provenance.Add("four", four);
  provenance.Add("six", six);
  EXPECT_EQ(provenance.variants(Split::kTrain), 12);
  EXPECT_EQ(provenance.variants(Split::kValidation), 1);
  provenance.Add("endless", endless);
  EXPECT_EQ(provenance.variants(Split::kTrain), 0);
  EXPECT_EQ(provenance.drawing_anew(Split::kTrain), std::vector<std::string>{"endless"});
  EXPECT_TRUE(provenance.drawing_anew(Split::kValidation).empty());
}

}  // namespace
}  // namespace weir
