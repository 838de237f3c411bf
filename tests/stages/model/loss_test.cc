#include "stages/model/loss.h"

#include <gtest/gtest.h>

#include <vector>

namespace weir {
namespace {

// torch.nn.functional.cross_entropy([2, -1, 0.5], 2, label_smoothing=...) and its gradient.
TEST(CrossEntropy, IsPyTorchs) {
  const std::vector<float> logits = {2, -1, 0.5f};
  EXPECT_NEAR(CrossEntropy(logits, 2, 0), 1.7413113, 1e-6);
  EXPECT_NEAR(CrossEntropy(logits, 2, 0.1), 1.7413113, 1e-6);  // the mean logit is 0.5 too
  EXPECT_NEAR(CrossEntropy(logits, 0, 0.1), 0.3913113, 1e-6);
}

TEST(CrossEntropy, HasTheGradientOfFiniteDifferences) {
  const std::vector<float> logits = {2, -1, 0.5f};
  std::vector<float> gradient = logits;
  CrossEntropyGradient(gradient, 1, 0.2, 0.25);
  for (int i = 0; i < 3; ++i) {
    std::vector<float> above = logits, below = logits;
    above[i] += 1.0f / 64, below[i] -= 1.0f / 64;
    const double slope = (CrossEntropy(above, 1, 0.2) - CrossEntropy(below, 1, 0.2)) * 32;
    EXPECT_NEAR(gradient[i], 0.25 * slope, 1e-5) << i;
  }
}

TEST(CrossEntropy, SurvivesLargeLogits) {
  const std::vector<float> logits = {1000, -1000};
  EXPECT_DOUBLE_EQ(CrossEntropy(logits, 1, 0), 2000);
  std::vector<float> probabilities(2);
  Softmax(logits, probabilities);
  EXPECT_EQ(probabilities, (std::vector<float>{1, 0}));
}

}  // namespace
}  // namespace weir
