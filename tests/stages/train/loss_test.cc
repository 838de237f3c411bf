#include "stages/train/loss.h"

#include <gtest/gtest.h>

#include <vector>

namespace weir {
namespace {

Sample Of(int label) { return {.label = label, .path = ""}; }

// A quarter of the first class, three of the last.
const Sample kMixed{.label = 2, .path = "", .mixture = {{2, 0.75}, {0, 0.25}}};

// torch.nn.functional.cross_entropy([2, -1, 0.5], 2, label_smoothing=...) and its gradient.
TEST(CrossEntropy, IsPyTorchs) {
  const std::vector<float> logits = {2, -1, 0.5f};
  EXPECT_NEAR(CrossEntropy(logits, Of(2), 0), 1.7413113, 1e-6);
  EXPECT_NEAR(CrossEntropy(logits, Of(2), 0.1), 1.7413113, 1e-6);  // the mean logit is 0.5 too
  EXPECT_NEAR(CrossEntropy(logits, Of(0), 0.1), 0.3913113, 1e-6);
  EXPECT_NEAR(CrossEntropy(logits, kMixed, 0), 1.3663113, 1e-6);
  EXPECT_NEAR(CrossEntropy(logits, kMixed, 0.1), 1.4038113, 1e-6);
}

TEST(CrossEntropy, HasTheGradientOfFiniteDifferences) {
  const std::vector<float> logits = {2, -1, 0.5f};
  for (const Sample& sample : {Of(1), kMixed}) {
    std::vector<float> gradient = logits;
    CrossEntropyGradient(gradient, sample, 0.2, 0.25);
    for (int i = 0; i < 3; ++i) {
      std::vector<float> above = logits, below = logits;
      above[i] += 1.0f / 64, below[i] -= 1.0f / 64;
      const double slope =
          (CrossEntropy(above, sample, 0.2) - CrossEntropy(below, sample, 0.2)) * 32;
      EXPECT_NEAR(gradient[i], 0.25 * slope, 1e-5) << i;
    }
  }
}

TEST(CrossEntropy, SurvivesLargeLogits) {
  const std::vector<float> logits = {1000, -1000};
  EXPECT_DOUBLE_EQ(CrossEntropy(logits, Of(1), 0), 2000);
  std::vector<float> probabilities(2);
  Softmax(logits, probabilities);
  EXPECT_EQ(probabilities, (std::vector<float>{1, 0}));
}

}  // namespace
}  // namespace weir
