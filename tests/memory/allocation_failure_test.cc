// Memory that is not there, at any request of a command: it ends with a message and leaves what is
// whole, or it goes on and nothing is different.
#include <gtest/gtest.h>

#include "tests/memory/failure_trial.h"
#include "tests/support/sanitizer.h"

namespace weir {
namespace {

class AllocationFailure : public FailureTrial, public ::testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    if (kHasSanitizer) GTEST_SKIP() << "a sanitizer's malloc cannot be replaced";
  }

  static void Try(bool is_forever) {
    const TriedCommand& command = FindTriedCommand(GetParam());
    const unsigned long requests = FindWholeRun(command, true).requests.at(kMemoryKind);
    ASSERT_GT(requests, 1000U);
    TryAll(command, kMemoryKind, Chosen(requests, command.name == "run" ? 14 : 2), is_forever);
  }
};

TEST_P(AllocationFailure, OfOneRequestEndsInWordsOrChangesNothing) { Try(false); }

TEST_P(AllocationFailure, OfAllFromOneOnEndsInWords) { Try(true); }

INSTANTIATE_TEST_SUITE_P(OfEachCommand, AllocationFailure,
                         ::testing::Values("run", "resume", "flow", "predict", "evaluate", "check",
                                           "preview", "plan", "explain", "export", "keras",
                                           "torchvision", "tflite", "torchscript"),
                         [](const auto& command) { return std::string(command.param); });

}  // namespace
}  // namespace weir
