#include "framework/write_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <string>

#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

constexpr const char* kElsewhere = "give another place with --out";

std::string Remedy(int error) {
  return WriteError("a", "cannot be written", error, kElsewhere).remedy();
}

TEST(WriteError, AdvisesToFreeSpaceOnlyWhereThereIsNone) {
  const ScratchFolder scratch;
  const Error full = WriteError(scratch / "file", "cannot be written", ENOSPC, kElsewhere);
  EXPECT_THAT(
      scratch.Shortened(full.what()),
      ::testing::MatchesRegex(
          "\\$/file: cannot be written: No space left on device \\([0-9.]+ .iB are free\\)"));
  EXPECT_EQ(full.remedy(), "Free space on that disk, or give another place with --out.");
  EXPECT_EQ(full.exit_status(), 4);
  EXPECT_EQ(Remedy(EFBIG),
            "A file may not become that large here: raise the limit (`ulimit -f`), or give another "
            "place with --out.");
  EXPECT_EQ(Remedy(EROFS), "That file system may only be read: give another place with --out.");
  EXPECT_EQ(Remedy(EACCES), "See that you may write there, or give another place with --out.");
  EXPECT_EQ(Remedy(EIO),
            "The disk reports a fault: see the system's log, and give another place with --out.");
  EXPECT_EQ(Remedy(EMFILE),
            "Too many files are open: raise the limit (`ulimit -n`), or close other programs.");
}

TEST(WriteError, NamesTheFolderThatIsGone) {
  const ScratchFolder scratch;
  const Error gone = WriteError(scratch / "run/model/file", "cannot be made", ENOENT, kElsewhere);
  EXPECT_EQ(scratch.Shortened(gone.what()),
            "$/run/model/file: cannot be made: the folder $/run is not there");
  EXPECT_EQ(gone.remedy(),
            "Make that folder, and leave it in its place while weir runs, or give another place "
            "with --out.");
}

}  // namespace
}  // namespace weir
