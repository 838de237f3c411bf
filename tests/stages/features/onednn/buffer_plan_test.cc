#include "stages/features/onednn/buffer_plan.h"

#include <gtest/gtest.h>

#include "framework/random.h"

namespace weir {
namespace {

TEST(PlanBuffers, SharesBytesBetweenBuffersThatNeverMeet) {
  const BufferPlan plan = PlanBuffers({{640, 0, 1}, {128, 1, 2}, {640, 2, 3}, {64, 3, 3}});
  EXPECT_EQ(plan.bytes, 768u);
  EXPECT_EQ(plan.offsets, (std::vector<std::size_t>{0, 640, 0, 640}));
}

TEST(PlanBuffers, AlignsWhatIsOfAnOddSize) {
  const BufferPlan plan = PlanBuffers({{100, 0, 0}, {30, 0, 0}, {1, 0, 0}});
  EXPECT_EQ(plan.offsets, (std::vector<std::size_t>{0, 128, 192}));
  EXPECT_EQ(plan.bytes, 256u);
}

TEST(PlanBuffers, PlacesNothingOnNothing) { EXPECT_EQ(PlanBuffers({}).bytes, 0u); }

TEST(PlanBuffers, NeverOverlapsBuffersThatLiveTogether) {
  CounterRandom random(1, "buffers");
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<BufferLife> buffers;
    for (int i = 0; i < 30; ++i) {
      const int first = static_cast<int>(random.Below(20));
      buffers.push_back({1 + random.Below(5000), first, first + static_cast<int>(random.Below(6))});
    }
    const BufferPlan plan = PlanBuffers(buffers);
    for (std::size_t a = 0; a < buffers.size(); ++a) {
      EXPECT_LE(plan.offsets[a] + buffers[a].bytes, plan.bytes);
      for (std::size_t b = 0; b < a; ++b) {
        const bool together = buffers[a].first_step <= buffers[b].last_step &&
                              buffers[b].first_step <= buffers[a].last_step;
        const bool apart = plan.offsets[a] + buffers[a].bytes <= plan.offsets[b] ||
                           plan.offsets[b] + buffers[b].bytes <= plan.offsets[a];
        EXPECT_TRUE(!together || apart);
      }
    }
  }
}

}  // namespace
}  // namespace weir
