// `precision: tf32` on the processor: it is refused in words, before anything is made.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/drawn_pictures.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/weir_process.h"

namespace weir {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const std::vector<std::string> kTf32 = {"--set", "pipeline.features.precision=tf32", "--set",
                                        "pipeline.prefetch.device=cpu"};

void ExpectRefusal(const ProcessOutcome& outcome) {
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("precision: tf32 is a GPU's, and the model runs on the processor, as "
                              "`device: cpu` says so"),
                    HasSubstr("Set precision: float32, or bfloat16.")));
}

TEST(Tf32OnTheProcessor, IsRefusedByThePlan) { ExpectRefusal(Weir(DrawnDemo("plan", kTf32))); }

TEST(Tf32OnTheProcessor, IsRefusedBeforeThereIsAFolder) {
  const ScratchFolder scratch;
  ExpectRefusal(Weir(DrawnDemo("run", Joined(kTf32, {"--out", (scratch / "run").string()}))));
  EXPECT_FALSE(std::filesystem::exists(scratch / "run"));
}

}  // namespace
}  // namespace weir
