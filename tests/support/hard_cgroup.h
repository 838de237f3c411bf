// A cgroup whose memory the kernel limits: what goes past it is killed. For the processes of a
// test.
//
//   if (const auto reason = HardCgroup::Unavailable()) GTEST_SKIP() << *reason;
//   const HardCgroup cgroup(128 << 20);
//   const ProcessOutcome outcome = Weir(arguments, cgroup.Setup());
//   EXPECT_EQ(cgroup.kills(), 0);
//
// It is one of cgroup v1 where that has the memory controller, else of v2; swap counts against the
// limit where the kernel can say so. It is made below the group that the test is in or, where that
// may not have groups below it, beside it. For one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "tests/support/weir_process.h"

namespace weir {

class HardCgroup {
 public:
  // Why none can be made here; empty where one can.
  static std::optional<std::string> Unavailable();

  // Throws std::runtime_error where it cannot be made.
  explicit HardCgroup(std::size_t limit_bytes);
  HardCgroup(const HardCgroup&) = delete;
  HardCgroup& operator=(const HardCgroup&) = delete;
  ~HardCgroup();  // its processes have ended by then

  // Lets a process begin in it.
  ProcessSetup Setup() const;

  // From now on; throws std::runtime_error where the kernel does not take it.
  void LowerTo(std::size_t limit_bytes) const;

  // Charged now, without files that can be read again.
  std::size_t held_bytes() const;
  // The most that was charged to it: page cache and kernel memory too. 0 where the kernel keeps no
  // record (v2 before Linux 5.19).
  std::size_t peak_bytes() const;
  // Processes that the kernel killed at the limit.
  std::uint64_t kills() const;

 private:
  std::filesystem::path folder_;
};

}  // namespace weir
