#include "framework/memory/host_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/caught_error.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

constexpr std::size_t kMiB = 1 << 20;

class HostMemoryTest : public ::testing::Test {
 protected:
  void Write(const std::string& path, const std::string& text) { folder_.Write(path, text); }
  void SetUp() override {
    Write("proc/meminfo", "MemTotal:       1048576 kB\nMemAvailable:    524288 kB\n");
  }
  MemoryLimit Tightest() const { return HostMemoryLimits(folder_.path()).front(); }

  ScratchFolder folder_;
};

TEST_F(HostMemoryTest, WithoutGroupsWhatIsAvailableCounts) {
  EXPECT_EQ(Tightest().name, "available memory");
  EXPECT_EQ(Tightest().bytes, 512 * kMiB);
}

TEST_F(HostMemoryTest, ACgroupOfTheSecondVersionCountsAndSoDoesTheOneAboveIt) {
  Write("proc/self/cgroup", "0::/machine/job\n");
  Write("sys/fs/cgroup/machine/job/memory.max", "max\n");
  Write("sys/fs/cgroup/machine/memory.max", "268435456\n");
  EXPECT_EQ(Tightest().name, "cgroup v2 memory.max");
  EXPECT_EQ(Tightest().bytes, 256 * kMiB);
  EXPECT_THAT(Tightest().file, ::testing::EndsWith("/sys/fs/cgroup/machine/memory.max"));
}

TEST_F(HostMemoryTest, ACgroupOfTheFirstVersionCountsUnlessItIsUnlimited) {
  Write("proc/self/cgroup", "7:cpu:/x\n4:hugetlb,memory:/job\n0::/\n");
  Write("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(Tightest().name, "available memory");
  Write("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "134217728\n");
  EXPECT_EQ(Tightest().name, "cgroup v1 memory.limit_in_bytes");
  EXPECT_EQ(Tightest().bytes, 128 * kMiB);
}

TEST_F(HostMemoryTest, InAContainerThatSeesTheHostsPathTheMountsOwnLimitCounts) {
  Write("proc/self/cgroup", "0::/docker/0123abcd\n");
  Write("sys/fs/cgroup/memory.max", "100663296\n");
  EXPECT_EQ(Tightest().bytes, 96 * kMiB);
}

TEST_F(HostMemoryTest, TheProcesssOwnLimitsLeaveWhatTheyDoNotCountYet) {
  Write("proc/self/status", "VmSize:  409600 kB\nVmData:  204800 kB\nRssAnon:  102400 kB\n");
  Write("proc/self/limits",
        "Limit                     Soft Limit           Hard Limit           Units     \n"
        "Max data size             unlimited            unlimited            bytes     \n"
        "Max address space         524288000            unlimited            bytes     \n");
  EXPECT_EQ(Tightest().name, "RLIMIT_AS");
  EXPECT_EQ(Tightest().bytes, 200 * kMiB);  // 100 held, 100 of 500 left
  Write("proc/self/limits", "Max data size             220200960            x            bytes\n");
  EXPECT_EQ(Tightest().name, "RLIMIT_DATA");
  EXPECT_EQ(Tightest().bytes, 110 * kMiB);
}

// 72 MiB for libraries, of data 24, and 8 MiB for each stack.
TEST_F(HostMemoryTest, OfALimitOnAddressesTheStacksOfThreadsAreTakenOff) {
  Write("proc/self/status", "VmSize:  409600 kB\nVmData:  204800 kB\nRssAnon:  102400 kB\n");
  Write("proc/self/limits", "Max address space         524288000            x            bytes\n");
  EXPECT_EQ(HostMemoryLimits(folder_.path(), 1).front().bytes, 120 * kMiB);
  EXPECT_EQ(HostMemoryLimits(folder_.path(), 100).front().bytes, 100 * kMiB);  // what is held
}

TEST_F(HostMemoryTest, WithoutProcItSaysWhatToMount) {
  std::filesystem::remove_all(folder_ / "proc");
  EXPECT_EQ(
      folder_.Shortened(CaughtError([&] { HostMemoryLimits(folder_.path()); })),
      "$/proc/meminfo does not say how much memory there is\nMount /proc (`mount -t proc proc "
      "/proc`): how much memory there is, and how much of it is held, is read there.");
}

TEST_F(HostMemoryTest, AContainersRoomLeavesOutFilesThatCanBeReadAgain) {
  EXPECT_FALSE(TightestContainer(folder_.path()));
  Write("proc/self/cgroup", "4:memory:/job\n");
  Write("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "1000\n");
  Write("sys/fs/cgroup/memory/job/memory.usage_in_bytes", "900\n");
  Write("sys/fs/cgroup/memory/job/memory.stat",
        "inactive_file 1\nactive_file 1\ntotal_inactive_file 300\ntotal_active_file 50\n");
  const auto container = TightestContainer(folder_.path());
  ASSERT_TRUE(container);
  EXPECT_EQ(container->held_bytes, 550u);
  EXPECT_EQ(container->room_bytes(), 450u);
  EXPECT_THAT(container->file, ::testing::EndsWith("/job/memory.limit_in_bytes"));
}

TEST_F(HostMemoryTest, OfNestedContainersTheOneWithTheLeastRoomCounts) {
  Write("proc/self/cgroup", "0::/machine/job\n");
  Write("sys/fs/cgroup/machine/job/memory.max", "1000\n");
  Write("sys/fs/cgroup/machine/job/memory.current", "100\n");
  Write("sys/fs/cgroup/machine/memory.max", "2000\n");
  Write("sys/fs/cgroup/machine/memory.current", "1990\n");
  Write("sys/fs/cgroup/machine/memory.stat", "anon 5\nfile 9\ninactive_file 10\nactive_file 0\n");
  const auto container = TightestContainer(folder_.path());
  ASSERT_TRUE(container);
  EXPECT_EQ(container->room_bytes(), 20u);
  EXPECT_EQ(container->limit_bytes, 2000u);
}

TEST(AutomaticHostLimit, LeavesATenthOr12MebibytesAndIsInWholeOnes) {
  EXPECT_EQ(AutomaticHostLimit({{"", "", 500 * kMiB + 12345, true}}), 450 * kMiB);
  EXPECT_EQ(AutomaticHostLimit({{"", "", 100 * kMiB + 12345, true}}), 88 * kMiB);
  EXPECT_EQ(AutomaticHostLimit({{"", "", 8 * kMiB, true}}), 0U);
}

TEST(HeldMemory, GrowsWithWhatIsTouched) {
  const std::size_t before = HeldMemory();
  const std::vector<char> touched(64 * kMiB, 1);
  EXPECT_GE(HeldMemory(), before + 60 * kMiB + (touched[5] - 1));
}

}  // namespace
}  // namespace weir
