#include "stages/files/mapped_file.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "framework/flow/crash_notice.h"
#include "stages/model/weights/safetensors_writer.h"
#include "stages/model/weights/weights_file.h"
#include "tests/support/caught_error.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBytes = 1 << 20;
const std::string kLeaveAlone = "\nput it back as it was, and leave it alone while it is in use";

class MappedFileTest : public testing::Test {
 protected:
  MappedFileTest() {
    // Older than any change that follows, by the file system's clock.
    fs::last_write_time(path_, fs::last_write_time(path_) - std::chrono::hours(1));
  }

  static bool IsAll(const MappedFile& file, char letter, std::size_t from = 0) {
    const auto bytes = file.bytes().subspan(from);
    return std::ranges::all_of(bytes, [=](std::byte b) { return b == std::byte(letter); });
  }
  void OverwriteInPlace() const {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file << std::string(kBytes, 'b');
  }
  std::string Refusal(const MappedFile& file) const {
    return folder_.Shortened(CaughtError([&] { file.CheckUnchanged(); }));
  }

  const ScratchFolder folder_;
  const fs::path path_ = folder_.Write("a.pth", std::string(kBytes, 'a'));
};

TEST_F(MappedFileTest, IsWhatItWasWhereTheFileIsRemovedOrReplaced) {
  const MappedFile removed(path_);
  fs::remove(path_);
  folder_.Write("a.pth", std::string(kBytes, 'b'));
  const MappedFile replaced(path_);
  fs::rename(folder_.Write("new", "new"), path_);
  EXPECT_TRUE(IsAll(removed, 'a'));
  EXPECT_TRUE(IsAll(replaced, 'b'));
  EXPECT_NO_THROW(removed.CheckUnchanged());
  EXPECT_NO_THROW(replaced.CheckUnchanged());
}

TEST_F(MappedFileTest, SaysThatItWasCutShortAndReadsOnAsZeros) {
  const MappedFile file(path_);
  fs::resize_file(path_, 8192);
  EXPECT_TRUE(IsAll(file, '\0', 8192));
  EXPECT_EQ(file.bytes()[8191], std::byte('a'));
  EXPECT_EQ(Refusal(file),
            "$/a.pth: was cut short while it was in use, to 8192 bytes of 1048576" + kLeaveAlone);
}

TEST_F(MappedFileTest, SaysSoOfTheLastBytesToo) {
  const MappedFile file(path_);
  fs::resize_file(path_, kBytes - 4);
  EXPECT_EQ(file.bytes().back(), std::byte(0)) << "in the last page nothing faults";
  EXPECT_EQ(Refusal(file),
            "$/a.pth: was cut short while it was in use, to 1048572 bytes of "
            "1048576" +
                kLeaveAlone);
}

TEST_F(MappedFileTest, SaysThatItWasWrittenTo) {
  const MappedFile file(path_);
  OverwriteInPlace();
  EXPECT_EQ(Refusal(file), "$/a.pth: was written to while it was in use" + kLeaveAlone);
}

TEST_F(MappedFileTest, IsToldApartFromOthersThatAreMappedAtOnce) {
  const fs::path other_path = folder_.Write("b.pth", std::string(kBytes, 'b'));
  std::optional<MappedFile> before(other_path);
  const MappedFile file(path_);
  before.reset();
  const MappedFile other(other_path), copy = other;
  fs::resize_file(path_, 0);
  EXPECT_TRUE(IsAll(file, '\0'));
  EXPECT_TRUE(IsAll(other, 'b'));
  EXPECT_NO_THROW(copy.CheckUnchanged());
  EXPECT_EQ(Refusal(file).substr(0, 20), "$/a.pth: was cut sho");
}

TEST_F(MappedFileTest, OutlivesBeingCutWhereStagesAreAtWork) {
  const CrashAtWork notice;
  const MappedFile file(path_);
  fs::resize_file(path_, 0);
  EXPECT_TRUE(IsAll(file, '\0'));
}

TEST_F(MappedFileTest, LeavesOtherFaultsAsTheyAre) {
  const auto fault = [this] {
    const MappedFile file(path_);
    std::FILE* const other = std::fopen(folder_.Write("other", "12345").c_str(), "r");
    const void* const bytes = mmap(nullptr, 8192, PROT_READ, MAP_PRIVATE, fileno(other), 0);
    return static_cast<const volatile char*>(bytes)[4096];
  };
  // A sanitizer's handler, which was there before, ends the process with a status of its own.
  const auto ended = [](int status) {
    return testing::KilledBySignal(SIGBUS)(status) ||
           (WIFEXITED(status) && WEXITSTATUS(status) != 0);
  };
  EXPECT_EXIT(fault(), ended, "");
}

TEST_F(MappedFileTest, LeavesASignalThatIsIgnoredAndOnlySentAsItIs) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";  // the first MappedFile is the child's own
  const auto sent = [this] {
    std::signal(SIGBUS, SIG_IGN);
    const MappedFile file(path_);
    std::raise(SIGBUS);
    std::exit(5);
  };
  EXPECT_EXIT(sent(), testing::ExitedWithCode(5), "");
}

TEST_F(MappedFileTest, KeptIsWhatItWasWhateverBecomesOfTheFile) {
  const MappedFile kept = MappedFile::Kept(path_, folder_ / "cache/of/weir");
  OverwriteInPlace();
  fs::resize_file(path_, 1);
  fs::remove(path_);
  EXPECT_TRUE(IsAll(kept, 'a'));
  EXPECT_EQ(kept.bytes().size(), kBytes);
  EXPECT_NO_THROW(kept.CheckUnchanged());
  EXPECT_TRUE(fs::is_empty(folder_ / "cache/of/weir")) << "the copy has no name";
}

TEST_F(MappedFileTest, KeptWithoutAPlaceForACopyIsTheFileItself) {
  for (const fs::path& folder : {path_ / "no folder", fs::path("/proc/1")}) {
    const MappedFile kept = MappedFile::Kept(path_, folder);
    EXPECT_TRUE(IsAll(kept, 'a'));
  }
  const MappedFile kept = MappedFile::Kept(path_, path_);
  OverwriteInPlace();
  EXPECT_EQ(Refusal(kept), "$/a.pth: was written to while it was in use" + kLeaveAlone);
}

TEST_F(MappedFileTest, KeptInAFolderInMemoryIsTheFileItself) {
  const fs::path shm = "/dev/shm/weir-mapped-file-test";
  std::error_code error;
  if (!fs::is_directory("/dev/shm", error)) GTEST_SKIP() << "no /dev/shm";
  const MappedFile kept = MappedFile::Kept(path_, shm);
  OverwriteInPlace();
  EXPECT_EQ(Refusal(kept), "$/a.pth: was written to while it was in use" + kLeaveAlone)
      << "a copy there would take the memory that it is to save";
  fs::remove_all(shm, error);
}

TEST_F(MappedFileTest, WeightsThatAreCutShortOrOverwrittenAreNoNumbers) {
  const fs::path path = folder_ / "w.safetensors";
  const std::vector<float> values(kBytes, 1.0f);
  const auto open = [&] {
    WriteSafetensors(path, {TensorToWrite::Of("w", {static_cast<std::int64_t>(kBytes)}, values)});
    fs::last_write_time(path, fs::last_write_time(path) - std::chrono::hours(1));
    return WeightsFile::Open(path);
  };
  const auto read = [&](WeightsFile& file) {
    std::vector<float> out(kBytes);
    return folder_.Shortened(CaughtError([&] { file.Read(*file.Find("w"), out); }));
  };
  auto file = open();
  EXPECT_EQ(read(*file), "nothing was thrown");
  fs::resize_file(path, 4096);
  EXPECT_EQ(read(*file).substr(0, 50), "$/w.safetensors: was cut short while it was in use");
  file = open();
  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary).seekp(5000) << "other";
  EXPECT_EQ(read(*file), "$/w.safetensors: was written to while it was in use" + kLeaveAlone);
}

}  // namespace
}  // namespace weir
