// Memory that is not there, at any request of a run: it ends with a message and leaves what is
// whole, or it goes on and nothing is different.
#include <gtest/gtest.h>

#include "tests/memory/failure_trial.h"
#include "tests/support/sanitizer.h"

namespace weir {
namespace {

class AllocationFailure : public FailureTrial {
 protected:
  void SetUp() override {
    if (kHasSanitizer) GTEST_SKIP() << "a sanitizer's malloc cannot be replaced";
  }

  void Try(bool is_forever) const {
    const unsigned long requests = CountRequests({});
    ASSERT_GT(requests, 1000U);
    TryAll("", Chosen(requests, 14), is_forever);
  }
};

TEST_F(AllocationFailure, OfOneRequestEndsTheRunInWordsOrChangesNothing) { Try(false); }

TEST_F(AllocationFailure, OfAllFromOneOnEndsTheRunInWords) { Try(true); }

}  // namespace
}  // namespace weir
