// Calls to the system that fail, at any place of a run: it ends with a message and leaves what is
// whole, or it goes on and nothing is different.
#include <gtest/gtest.h>

#include <string>

#include "tests/memory/failure_trial.h"
#include "tests/support/sanitizer.h"

namespace weir {
namespace {

class CallFailure : public FailureTrial, public ::testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    if (kHasSanitizer) GTEST_SKIP() << "a sanitizer has to be the first library";
  }
};

TEST_P(CallFailure, EndsTheRunInWordsOrChangesNothing) {
  const std::string kind = GetParam();
  const unsigned long requests = CountRequests({.call = kind});
  ASSERT_GT(requests, 0U);
  TryAll(kind, Chosen(requests, 3), /*is_forever=*/false);
  TryAll(kind, Chosen(requests, 2), /*is_forever=*/true);
}

INSTANTIATE_TEST_SUITE_P(OfEachKind, CallFailure,
                         ::testing::Values("mmap", "thread", "sync", "rename", "read", "write",
                                           "open", "truncate", "close"),
                         [](const auto& kind) { return std::string(kind.param); });

}  // namespace
}  // namespace weir
