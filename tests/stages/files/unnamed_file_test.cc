#include "stages/files/unnamed_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

TEST(UnnamedFile, HasNoNameAndHoldsWhatIsAppended) {
  const ScratchFolder folder;
  std::optional<UnnamedFile> file = UnnamedFile::Make(folder.path() / "made" / "for it");
  ASSERT_TRUE(file);
  EXPECT_TRUE(fs::is_empty(folder.path() / "made" / "for it"));
  EXPECT_TRUE(file->Append("first "));
  const fs::path other = folder.Write("other", "second");
  const int descriptor = ::open(other.c_str(), O_RDONLY | O_CLOEXEC);
  EXPECT_TRUE(file->AppendFile(descriptor));
  ::close(descriptor);
  EXPECT_EQ(file->size(), 12u);
  std::string text(12, ' ');
  EXPECT_EQ(::pread(file->descriptor(), text.data(), text.size(), 0), 12);
  EXPECT_EQ(text, "first second");
}

// What stands in the way of the folder is said, and not that the folder is missing.
TEST(UnnamedFile, SaysWhyTheFolderCannotBeMade) {
  const ScratchFolder folder;
  fs::create_symlink("nowhere", folder.path() / "link");
  errno = 0;
  EXPECT_FALSE(UnnamedFile::Make(folder.path() / "link"));
  EXPECT_NE(errno, 0);
  EXPECT_NE(errno, ENOENT);
}

}  // namespace
}  // namespace weir
