#include "pipelines/record/process_begin.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>

namespace weir {
namespace {

TEST(ProcessBegin, StaysTheSameAndIsNoneOfAZombie) {
  const auto own = ProcessBegin(::getpid());
  ASSERT_TRUE(own);
  EXPECT_EQ(ProcessBegin(::getpid()), own);
  const int child = ::fork();
  if (child == 0) ::_exit(0);
  siginfo_t ended{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT), 0);
  EXPECT_EQ(ProcessBegin(child), std::nullopt);  // it has ended, and its number is still its own
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(ProcessBegin(child), std::nullopt);
}

}  // namespace
}  // namespace weir
