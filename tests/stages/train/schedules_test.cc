#include "stages/train/schedules.h"

#include <gtest/gtest.h>

#include "framework/config/parts.h"
#include "framework/config/yaml_emitter.h"
#include "tests/support/listed_parts.h"

namespace weir {
namespace {

// What holds of every row of the list, the next one included.
TEST(EverySchedule, BeginsWithTheRateOfTheOptimizerAndStaysAboveZero) {
  for (const Schedule& schedule : Schedule::All()) {
    EXPECT_FALSE(schedule.doc.empty()) << schedule.name;
    EXPECT_EQ(schedule.rate(0.25, 0, 4), 0.25) << schedule.name;
    for (int epoch = 1; epoch < 4; ++epoch) {
      EXPECT_GT(schedule.rate(0.25, epoch, 4), 0) << schedule.name;
      EXPECT_LE(schedule.rate(0.25, epoch, 4), 0.25) << schedule.name;
    }
  }
}

TEST(EverySchedule, IsWrittenAsItIsRead) {
  using Type = ParamType<Schedule>;
  for (const Schedule& schedule : Schedule::All()) {
    Problems problems;
    const auto read = Type::Read(YamlNode::Scalar(std::string(schedule.name)), {}, problems);
    ASSERT_TRUE(read.has_value()) << problems.text();
    EXPECT_EQ(Type::Write(*read, {}).scalar(), schedule.name);
    EXPECT_NE(EmitYaml(Type::Schema({})).find(schedule.name), std::string::npos);
    EXPECT_NE(Schedule::Doc().find(schedule.doc), std::string::npos);
  }
}

// torch.optim.lr_scheduler.CosineAnnealingLR(T_max=4) from 0.1.
TEST(Cosine, FollowsPyTorchsByEpoch) {
  const Schedule cosine = RowNamed<Schedule>("cosine");
  EXPECT_NEAR(cosine.rate(0.1, 0, 4), 0.1, 1e-12);
  EXPECT_NEAR(cosine.rate(0.1, 1, 4), 0.08535533905932738, 1e-12);
  EXPECT_NEAR(cosine.rate(0.1, 3, 4), 0.014644660940672627, 1e-12);
}

}  // namespace
}  // namespace weir
