#include "pipelines/record/folder_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "tests/support/caught_error.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

TEST(FolderLock, IsHadByOneAndNamesItsProcess) {
  const ScratchFolder scratch;
  EXPECT_EQ(FolderLock::IsHeld(scratch.path()), std::nullopt);
  {
    FolderLock first(scratch.path());
    EXPECT_EQ(first.problem(), "");
    EXPECT_EQ(FolderLock::IsHeld(scratch.path()), true);
    const FolderLock moved(std::move(first));
    EXPECT_THAT(scratch.Shortened(CaughtError([&] { FolderLock second(scratch.path()); })),
                ::testing::MatchesRegex("\\$ is in use by another run: process " +
                                        std::to_string(::getpid()) +
                                        " on [^\n]+\nWait until that one ends, or give another "
                                        "folder with --out."));
  }
  EXPECT_EQ(FolderLock::IsHeld(scratch.path()), false);
  EXPECT_EQ(FolderLock(scratch.path()).problem(), "");
}

TEST(FolderLock, AskingForItDoesNotTakeIt) {
  const ScratchFolder scratch;
  { const FolderLock made(scratch.path()); }
  EXPECT_EQ(FolderLock::IsHeld(scratch.path()), false);
  const FolderLock lock(scratch.path());
  EXPECT_EQ(FolderLock::IsHeld(scratch.path()), true);
}

TEST(FolderLock, SaysThatTheFolderIsGone) {
  const ScratchFolder scratch;
  EXPECT_EQ(scratch.Shortened(CaughtError([&] { FolderLock lock(scratch / "none"); })),
            "$/none/.lock: cannot be made: the folder $/none is not there\nMake that folder, and "
            "leave it in its place while weir runs, or give another place with --out.");
}

}  // namespace
}  // namespace weir
