// The article's job on its photos, and what its model then says of photos that it has not seen.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "tests/support/scratch_folder.h"
#include "tests/support/shared_data.h"
#include "tests/support/weir_process.h"

namespace weir {
namespace {

TEST(Article, LeavesAModelThatPredictsAndIsMeasured) {
  const auto train = SharedData("data/hymenoptera/train");
  const auto val = SharedData("data/hymenoptera/val");
  const auto weights =
      SharedData("weights/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5");
  if (!train || !val || !weights) GTEST_SKIP() << kNoSharedData;
  const ScratchFolder scratch;
  const std::string out = (scratch / "run").string();
  const ProcessOutcome ran =
      Weir({"run", "configs/article.yaml", "--out", out, "--set",
            "pipeline.directory.path=" + train->string(), "--set",
            "model.backbone.weights=" + weights->string(), "--set", "training.epochs=2"});
  ASSERT_EQ(ran.status, 0) << ran.err;

  const ProcessOutcome predicted = Weir({"predict", out, (*val / "ants").string(), "--top", "1"});
  ASSERT_EQ(predicted.status, 0) << predicted.err;
  std::istringstream lines(predicted.out);
  int pictures = 0, ants_found = 0;
  for (std::string line; std::getline(lines, line); ++pictures) {
    ants_found += line.find(":  ants ") != std::string::npos;
  }
  EXPECT_EQ(pictures, 70);
  EXPECT_GE(ants_found, 56);

  const ProcessOutcome evaluated = Weir({"evaluate", out, val->string(), "--json"});
  ASSERT_EQ(evaluated.status, 0) << evaluated.err;
  const auto figures = nlohmann::json::parse(evaluated.out);
  EXPECT_GE(figures["accuracy"], 0.85);
  EXPECT_EQ(figures["images"], 153);
  EXPECT_EQ(figures["confusion"][0][0], ants_found);
}

}  // namespace
}  // namespace weir
