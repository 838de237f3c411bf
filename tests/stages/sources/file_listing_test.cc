#include "stages/sources/file_listing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/caught_error.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

using testing::ElementsAre;

// Their paths seen from `folder`.
std::vector<std::string> Paths(const FileListing& files, const ScratchFolder& folder) {
  std::vector<std::string> paths;
  for (std::uint64_t i = 0; i < files.size(); ++i) {
    paths.push_back(files.path(i).substr(folder.path().string().size() + 1));
  }
  return paths;
}

TEST(IsPictureName, GoesByTheEndingInAnyCase) {
  for (const char* name : {"a.jpg", "a.JPEG", "a.b.Png", "x.tiff", "x.HEIC", "-.webp", "a.ppm"}) {
    EXPECT_TRUE(IsPictureName(name)) << name;
  }
  for (const char* name : {"a", "jpg", ".jpg", "a.jpg.txt", "a.jpgs", "ajpg", "a.svg", "a.pdf"}) {
    EXPECT_FALSE(IsPictureName(name)) << name;
  }
}

TEST(FileListing, ListsAsKerasDoes) {
  ScratchFolder folder;
  for (const char* name : {"ants/b.jpg", "ants/a/z.png", "ants/a-/y.png", "ants/B.jpg",
                           "ants/a/b/x.bmp", "ants/10.jpg", "ants/9.jpg", "bees/1.gif",
                           "ants/notes.txt", "ants/.hidden.jpg", "ants/.cache/1.jpg"}) {
    folder.Write(name);
  }
  FileListing files;
  EXPECT_EQ(files.AddFolder((folder / "ants").string(), true), 7u);
  EXPECT_EQ(files.AddFolder((folder / "bees").string(), true), 1u);
  // By the path of the folder, "ants/a-" before "ants/a/b", then by name, capitals first.
  EXPECT_THAT(Paths(files, folder),
              ElementsAre("ants/10.jpg", "ants/9.jpg", "ants/B.jpg", "ants/b.jpg", "ants/a/z.png",
                          "ants/a-/y.png", "ants/a/b/x.bmp", "bees/1.gif"));
}

TEST(FileListing, KeepsNamesAsBytes) {
  ScratchFolder folder;
  folder.Write("a/line\nbreak.jpg");
  folder.Write("a/caf\xe9.jpg");  // Latin-1, no UTF-8
  FileListing files;
  files.AddFolder((folder / "a").string(), true);
  EXPECT_THAT(Paths(files, folder), ElementsAre("a/caf\xe9.jpg", "a/line\nbreak.jpg"));
}

TEST(FileListing, EntersLinksToFoldersOnlyIfAsked) {
  ScratchFolder folder;
  folder.Write("elsewhere/1.jpg");
  folder.Write("a/0.jpg");
  std::filesystem::create_symlink(folder / "elsewhere", folder / "a/linked");
  std::filesystem::create_symlink(folder / "elsewhere/1.jpg", folder / "a/2.jpg");
  std::filesystem::create_symlink(folder / "nowhere", folder / "a/3.jpg");
  FileListing with, without;
  with.AddFolder((folder / "a").string(), true);
  without.AddFolder((folder / "a").string(), false);
  EXPECT_THAT(Paths(with, folder), ElementsAre("a/0.jpg", "a/2.jpg", "a/3.jpg", "a/linked/1.jpg"));
  EXPECT_THAT(Paths(without, folder), ElementsAre("a/0.jpg", "a/2.jpg", "a/3.jpg"));
}

TEST(FileListing, PassesOverWhatIsNoFile) {
  ScratchFolder folder;
  folder.Write("a/1.jpg");
  ASSERT_EQ(::mkfifo((folder / "a/pipe.jpg").c_str(), 0600), 0);
  FileListing files;
  EXPECT_EQ(files.AddFolder((folder / "a").string(), true), 1u);
}

TEST(FileListing, RefusesALinkThatLeadsBack) {
  ScratchFolder folder;
  folder.Write("a/b/1.jpg");
  std::filesystem::create_directory_symlink(folder / "a", folder / "a/b/loop");
  const std::string a = (folder / "a").string();
  FileListing files;
  EXPECT_EQ(CaughtError([&] { files.AddFolder(a, true); }),
            "the link '" + a + "/b/loop' leads back to '" + a +
                "', the folder that it lies in\n"
                "Remove the link (`directory` has `follow_links: false` for folders with such).");
  FileListing unfollowed;
  EXPECT_EQ(unfollowed.AddFolder(a, false), 1u);
}

TEST(FileListing, TwoLinksToTheSameFolderAreNoLoop) {
  ScratchFolder folder;
  folder.Write("elsewhere/1.jpg");
  std::filesystem::create_directories(folder / "a");
  std::filesystem::create_symlink(folder / "elsewhere", folder / "a/x");
  std::filesystem::create_symlink(folder / "elsewhere", folder / "a/y");
  FileListing files;
  EXPECT_EQ(files.AddFolder((folder / "a").string(), true), 2u);
}

TEST(FileListing, SaysWhichFolderCannotBeRead) {
  ScratchFolder folder;
  folder.Write("a/locked/1.jpg");
  const std::string locked = (folder / "a/locked").string();
  std::filesystem::permissions(locked, std::filesystem::perms::none);
  std::filesystem::permissions(folder.path(), std::filesystem::perms::all);
  const bool is_root = ::geteuid() == 0;  // who may read all: be nobody meanwhile
  if (is_root && ::seteuid(65534) != 0) GTEST_SKIP() << "cannot give up the rights of root";
  FileListing files;
  const std::string said = CaughtError([&] { files.AddFolder((folder / "a").string(), true); });
  ASSERT_TRUE(!is_root || ::seteuid(0) == 0);
  std::filesystem::permissions(locked, std::filesystem::perms::all);
  EXPECT_EQ(said, "the folder '" + locked +
                      "' cannot be read: Permission denied\n"
                      "Give this user the right to read it, or leave it out.");
}

TEST(FileListing, TakesFewBytesForManyFiles) {
  constexpr int kFiles = 20'000;
  ScratchFolder folder;
  const auto first = folder.Write("a/picture.jpg");
  for (int i = 1; i < kFiles; ++i) {
    const std::string name = "a/picture_" + std::to_string(i) + ".jpg";
    ASSERT_EQ(::link(first.c_str(), (folder / name).c_str()), 0);
  }
  FileListing files;
  ASSERT_EQ(files.AddFolder((folder / "a").string(), true), kFiles + 0u);
  EXPECT_LE(files.bytes(), kFiles * 40u);
  for (int i = 1; i < kFiles; ++i) ASSERT_LT(files.path(i - 1), files.path(i));
}

TEST(FileListing, AddsSingleFilesWhateverTheirName) {
  FileListing files;
  files.AddFile("", "here");
  files.AddFile("/a/b/", "scan");
  files.AddFile("/a/b/", "c/d.jpg");
  EXPECT_EQ(files.path(0), "here");
  EXPECT_EQ(files.path(1), "/a/b/scan");
  EXPECT_EQ(files.path(2), "/a/b/c/d.jpg");
}

}  // namespace
}  // namespace weir
