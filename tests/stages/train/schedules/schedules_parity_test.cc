// Our learning rates against PyTorch's and Keras' (schedules_reference.py).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <span>
#include <string>
#include <vector>

#include "tests/stages/train/schedules/written_schedule.h"
#include "tests/support/reference_tensors.h"

namespace weir {
namespace {

// As schedules_reference.py has them.
constexpr double kBase = 0.1;
constexpr int kEpochs = 10;
constexpr std::uint64_t kStepsPerEpoch = 100;

// The rate of a step, or after so many figures.
ScheduleClock ClockOf(const std::string& follows, std::size_t i,
                      const std::vector<double>& figures) {
  ScheduleClock clock{.steps_per_epoch = kStepsPerEpoch, .epochs = kEpochs};
  clock.step = follows == "epochs" ? i * kStepsPerEpoch : i;
  if (follows == "min" || follows == "max") {
    clock.epochs = static_cast<int>(figures.size()) + 1;
    clock.step = i * kStepsPerEpoch;
    clock.monitored = std::span(figures).first(i);
    clock.higher_is_better = follows == "max";
  }
  return clock;
}

// Keras computes in float32, and its ReduceLROnPlateau multiplies a float32 again and again.
// PyTorch computes in doubles, but from the rate before: errors add up in a thousand steps.
double ToleranceOf(const std::string& library) { return library == "keras" ? 2e-7 : 1e-13; }

TEST(Schedules, HaveTheRatesOfPyTorchAndKeras) {
  const ReferenceTensors file("tests/stages/train/schedules/schedules_reference.safetensors");
  int compared = 0;
  for (const std::string& name : file.Names()) {
    const std::size_t colon = name.find(':'), blank = name.find(' ');
    if (colon == name.npos) continue;  // figures
    const std::string library = name.substr(0, blank);
    const std::string follows = name.substr(blank + 1, colon - blank - 1);
    const auto schedule = Written(name.substr(colon + 2));
    ASSERT_TRUE(schedule) << name;
    const bool has_figures = follows == "min" || follows == "max";
    const auto figures = has_figures ? file.Values<double>(follows) : std::vector<double>();
    const auto theirs = file.Values<double>(name);
    ASSERT_GE(theirs.size(), 10u) << name;
    double largest = 0;
    for (std::size_t i = 0; i < theirs.size(); ++i) {
      const double ours = schedule->Rate(kBase, ClockOf(follows, i, figures));
      largest = std::max(largest, std::abs(ours - theirs[i]) / kBase);
    }
    std::printf("%.1e of the rate, at most: %s\n", largest, name.c_str());
    EXPECT_LE(largest, ToleranceOf(library)) << name;
    ++compared;
  }
  EXPECT_EQ(compared, 31);
}

}  // namespace
}  // namespace weir
