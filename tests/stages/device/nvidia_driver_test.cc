#include "stages/nvidia_driver.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace weir {
namespace {

bool IsSeen(const std::set<std::string>& files) {
  return HasNvidiaDriver([&](const char* path) { return files.contains(path); });
}

TEST(NvidiaDriver, ShowsItself) {
  EXPECT_FALSE(IsSeen({}));
  EXPECT_TRUE(IsSeen({"/dev/nvidiactl"}));
}

// Every maker's GPUs are there under one name.
TEST(NvidiaDriver, IsToldFromOthersUnderWsl) {
  EXPECT_FALSE(IsSeen({"/dev/dxg"}));
  EXPECT_TRUE(IsSeen({"/dev/dxg", "/usr/lib/wsl/lib/libcuda.so.1"}));
  EXPECT_TRUE(IsSeen({"/dev/dxg", "/usr/lib/x86_64-linux-gnu/libcuda.so.1"}));
}

TEST(NvidiaDriver, IsSeenBeforeItsFirstUse) {
  EXPECT_TRUE(IsSeen({"/proc/driver/nvidia/version", "/usr/bin/nvidia-modprobe"}));
}

TEST(NvidiaDriver, OfTheMachineIsNotTheContainers) {
  EXPECT_FALSE(IsSeen({"/proc/driver/nvidia/version"}));
}

}  // namespace
}  // namespace weir
