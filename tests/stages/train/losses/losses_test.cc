#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "stages/train/losses/cross_entropy.h"
#include "stages/train/losses/softmax.h"
#include "tests/support/caught_error.h"
#include "tests/support/listed_parts.h"

namespace weir {
namespace {

Sample Of(int label) { return {.label = label, .path = ""}; }

// A quarter of the first class, three of the last.
const Sample kMixed{.label = 2, .path = "", .mixture = {{2, 0.75}, {0, 0.25}}};

// What holds of every row of the list, the next one included.
class EveryLoss : public testing::TestWithParam<Part<Loss>> {};

TEST_P(EveryLoss, IsWrittenAsItIsRead) { ExpectRoundTrip(GetParam()); }

TEST_P(EveryLoss, HasTheGradientOfFiniteDifferences) {
  const auto loss = MadeOfDefaults(GetParam());
  const std::vector<float> logits = {2, -1, 0.5f};
  for (const Sample& sample : {Of(0), Of(1), Of(2), kMixed}) {
    std::vector<float> gradient = logits;
    EXPECT_DOUBLE_EQ(loss->Gradient(gradient, sample, 0.25), loss->Of(logits, sample));
    for (int i = 0; i < 3; ++i) {
      std::vector<float> above = logits, below = logits;
      above[i] += 1.0f / 64, below[i] -= 1.0f / 64;
      const double slope = (loss->Of(above, sample) - loss->Of(below, sample)) * 32;
      EXPECT_NEAR(gradient[i], 0.25 * slope, 2e-5) << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(List, EveryLoss, testing::ValuesIn(Loss::All()),
                         [](const auto& info) { return std::string(info.param.names.front()); });

// torch.nn.functional.cross_entropy([2, -1, 0.5], 2, label_smoothing=...) and its gradient.
TEST(CrossEntropy, IsPyTorchs) {
  const std::vector<float> logits = {2, -1, 0.5f};
  const CrossEntropy plain({0}), smoothed({0.1});
  EXPECT_NEAR(plain.Of(logits, Of(2)), 1.7413113, 1e-6);
  EXPECT_NEAR(smoothed.Of(logits, Of(2)), 1.7413113, 1e-6);  // the mean logit is 0.5 too
  EXPECT_NEAR(smoothed.Of(logits, Of(0)), 0.3913113, 1e-6);
  EXPECT_NEAR(plain.Of(logits, kMixed), 1.3663113, 1e-6);
  EXPECT_NEAR(smoothed.Of(logits, kMixed), 1.4038113, 1e-6);
}

TEST(CrossEntropy, HasTheGradientOfFiniteDifferences) {
  const std::vector<float> logits = {2, -1, 0.5f};
  const CrossEntropy smoothed({0.2});
  for (const Sample& sample : {Of(1), kMixed}) {
    std::vector<float> gradient = logits;
    smoothed.Gradient(gradient, sample, 0.25);
    for (int i = 0; i < 3; ++i) {
      std::vector<float> above = logits, below = logits;
      above[i] += 1.0f / 64, below[i] -= 1.0f / 64;
      const double slope = (smoothed.Of(above, sample) - smoothed.Of(below, sample)) * 32;
      EXPECT_NEAR(gradient[i], 0.25 * slope, 1e-5) << i;
    }
  }
}

TEST(CrossEntropy, SurvivesLargeLogits) {
  const std::vector<float> logits = {1000, -1000};
  EXPECT_DOUBLE_EQ(CrossEntropy({0}).Of(logits, Of(1)), 2000);
  std::vector<float> probabilities(2);
  Softmax(logits, probabilities);
  EXPECT_EQ(probabilities, (std::vector<float>{1, 0}));
}

TEST(CrossEntropy, RefusesWhatIsOutOfRange) {
  EXPECT_EQ(CaughtError([] { CrossEntropy({1}); }), "`label_smoothing` takes less than 1, not 1\n");
}

}  // namespace
}  // namespace weir
