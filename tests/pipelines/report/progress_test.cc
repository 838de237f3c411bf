#include "pipelines/report/progress.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(Duration, IsReadAsAClock) {
  EXPECT_EQ(DurationText(7.4), "0:07");
  EXPECT_EQ(DurationText(760), "12:40");
  EXPECT_EQ(DurationText(3 * 3600 + 5 * 60), "3:05:00");
}

TEST(DrawProgress, SaysHowFarHowFastHowWellAndWhatIsHeld) {
  const ProgressOptions options{.title = "epoch 2/10 train",
                                .limit_bytes = 256 << 20,
                                .images_after = 900,
                                .is_terminal = true};
  const ProgressState state{.done = 50, .total = 200, .metrics = "loss 0.5000  accuracy 0.875"};
  EXPECT_EQ(DrawProgress(options, state, 0.5, 143 << 20, 200),
            "epoch 2/10 train █████░░░░░░░░░░░░░░░ 50/200  100 images/s  loss 0.5000  accuracy "
            "0.875  0:11 left  143/256 MiB");
}

TEST(DrawProgress, LeavesOutWhatANarrowTerminalHasNoRoomFor) {
  const ProgressOptions options{.title = "epoch 2/10 train", .limit_bytes = 256 << 20};
  const ProgressState state{.done = 50, .total = 200, .metrics = "loss 0.5000  accuracy 0.875"};
  EXPECT_EQ(DrawProgress(options, state, 0.5, 0, 50),
            "epoch 2/10 train █████░░░░░░░░░░░░░░░ 50/200");
  EXPECT_EQ(DrawProgress(options, state, 0.5, 0, 80),
            "epoch 2/10 train █████░░░░░░░░░░░░░░░ 50/200  100 images/s");
}

TEST(DrawProgress, HasNoRateOfPicturesThatAreNotRead) {
  const ProgressOptions options{.title = "epoch 2/10 train", .limit_bytes = 256 << 20};
  const ProgressState state{.done = 50, .total = 200, .is_kept = true};
  EXPECT_EQ(DrawProgress(options, state, 0.5, 0, 100),
            "epoch 2/10 train █████░░░░░░░░░░░░░░░ 50/200  kept  0:02 left  0/256 MiB");
}

TEST(DrawProgress, NeverWrapsIntoASecondLine) {
  const ProgressOptions options{.title = "epoch 2/10 train", .limit_bytes = 256 << 20};
  const ProgressState state{.done = 50, .total = 200};
  EXPECT_EQ(DrawProgress(options, state, 0.5, 0, 32), "epoch 2/10 train ██░░░░░░ 50/200");
  EXPECT_EQ(DrawProgress(options, state, 0.5, 0, 20), "epoch 2/10 train  50");
  EXPECT_EQ(DrawProgress(options, state, 0.5, 0, 0), "");
}

TEST(DrawProgress, WithoutATotalItOnlyCounts) {
  EXPECT_EQ(DrawProgress({.title = "predict"}, {.done = 12}, 2, 0, 20), "predict 12");
}

}  // namespace
}  // namespace weir
