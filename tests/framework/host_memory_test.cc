#include "framework/host_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

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

TEST(AutomaticHostLimit, LeavesATenthAndIsInWholeMebibytes) {
  EXPECT_EQ(AutomaticHostLimit({{"", "", 100 * kMiB + 12345}}), 90 * kMiB);
}

TEST(HeldMemory, GrowsWithWhatIsTouched) {
  const std::size_t before = HeldMemory();
  const std::vector<char> touched(64 * kMiB, 1);
  EXPECT_GE(HeldMemory(), before + 60 * kMiB + (touched[5] - 1));
}

}  // namespace
}  // namespace weir
