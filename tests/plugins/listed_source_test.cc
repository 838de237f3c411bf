// A source of a plugin in a training that goes through several sessions: it is listed once, and is
// in each of them what it is in the first.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/file_text.h"
#include "tests/support/left_by_run.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/weir_process.h"

namespace weir {
namespace {

class ListedSourceTest : public testing::Test {
 protected:
  ProcessOutcome Run(const std::string& out, const std::vector<std::string>& more = {}) const {
    return Weir(Joined({"run", job_.string(), "--out", (scratch_ / out).string(), "--set",
                        "pipeline.paint.log=" + (scratch_ / (out + ".log")).string()},
                       more));
  }

  const ScratchFolder scratch_;
  const std::filesystem::path job_ =
      scratch_.Write("job.yaml", "threads: 2\nplugins: ['" + std::string(WEIR_PLUGINS) +
                                     R"(/libpainting_plugin.so']
pipeline:
  - paint: {log: none}
  - batch: {size: 8}
  - prefetch: {device: cpu}
  - features
  - train
model:
  backbone: {name: mobilenet_v2, width: 0.35, weights: none}
  frozen: all
  head: [global_average_pooling, dense: {units: classes, activation: softmax}]
training:
  keep: last
  optimizer: {adam: {learning_rate: 0.01}}
  phases: [{name: a, epochs: 2}, {name: b, epochs: 3}]
)");
};

TEST_F(ListedSourceTest, GivesWhatItGivesInEachPhase) {
  const ProcessOutcome outcome = Run("kept");
  ASSERT_EQ(outcome.status, 0) << outcome.out << outcome.err;
  EXPECT_EQ(FileText(scratch_ / "kept.log"), "listed\n");
  // It gives other pictures in each epoch, of which no features may be kept.
  ASSERT_EQ(Run("off", {"--set", "pipeline.features.cache=off"}).status, 0);
  EXPECT_TRUE(WeightsIn(scratch_ / "kept") == WeightsIn(scratch_ / "off"));
}

TEST_F(ListedSourceTest, IsListedOnceForWhatInt8Measures) {
  const ProcessOutcome outcome = Run("int8", {"--set", "pipeline.features.precision=int8"});
  if (outcome.err.find("needs a CPU with VNNI") != std::string::npos) {
    GTEST_SKIP() << "this CPU has no VNNI";
  }
  ASSERT_EQ(outcome.status, 0) << outcome.out << outcome.err;
  EXPECT_EQ(FileText(scratch_ / "int8.log"), "listed\n");
}

}  // namespace
}  // namespace weir
