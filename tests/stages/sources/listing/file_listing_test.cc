#include "stages/sources/listing/file_listing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
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

TEST(FileListing, PassesOverWhatIsNoFileAndCountsIt) {
  ScratchFolder folder;
  folder.Write("a/1.jpg");
  ASSERT_EQ(::mkfifo((folder / "a/pipe.jpg").c_str(), 0600), 0);
  ASSERT_EQ(::mkfifo((folder / "a/other").c_str(), 0600), 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string at = (folder / "a/s").string();
  ASSERT_LT(at.size(), sizeof address.sun_path);
  std::copy(at.begin(), at.end(), address.sun_path);
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  FileListing files;
  EXPECT_EQ(files.AddFolder((folder / "a").string(), true), 1u);
  EXPECT_EQ(files.left_out().Text(), "3 files were left out: 2 pipes and 1 socket");
  ::close(socket);
}

TEST(FileListing, TakesWhatBeginsAsAPictureWhateverItsEnding) {
  ScratchFolder folder;
  constexpr std::string_view kJpeg = "\xff\xd8\xff\xe0, and so on";
  for (const char* name : {"a/x.jfif", "a/x.JPG.1", "a/x", "a/b/8f3a"}) folder.Write(name, kJpeg);
  folder.Write("a/y.webp!", std::string("RIFF\x10\0\0\0WEBPVP8 ", 16));
  folder.Write("a/z.dat", "\x89PNG\r\n\x1a\n");
  folder.Write("a/empty");
  folder.Write("a/readme", "two lines\n");
  folder.Write("a/Scan.DOCX", "PK");
  folder.Write("a/page.php.1", "<html>");
  folder.Write("a/12. of May at noon", "text");
  std::filesystem::create_symlink(folder / "nowhere", folder / "a/gone");
  FileListing files;
  files.AddFolder((folder / "a").string(), true);
  EXPECT_THAT(Paths(files, folder),
              ElementsAre("a/x", "a/x.JPG.1", "a/x.jfif", "a/y.webp!", "a/z.dat", "a/b/8f3a"));
  EXPECT_EQ(files.left_out().Text(),
            "6 files were left out: 1 .docx, 1 .php.1 and 4 without an ending");
}

TEST(FileListing, OpensNoFileThatEndsAsPicturesOrAnnotationsDo) {
  ScratchFolder folder;
  folder.Write("a/picture.jpg", "text");
  folder.Write("a/notes.txt", "\xff\xd8\xff");
  folder.Write("a/boxes.XML", "\xff\xd8\xff");
  FileListing files;
  files.AddFolder((folder / "a").string(), true);
  EXPECT_THAT(Paths(files, folder), ElementsAre("a/picture.jpg"));
  EXPECT_EQ(files.left_out().Text(), "2 files were left out: 1 .txt and 1 .xml");
}

TEST(FileListing, SaysNothingOfClutter) {
  ScratchFolder folder;
  folder.Write("a/1.jpg");
  for (const char* name : {"a/.DS_Store", "a/Thumbs.db", "a/desktop.ini", "a/._1.jpg", "a/Icon\r",
                           "a/__MACOSX/2.jpg", "a/@eaDir/1.jpg/SYNO_THUMB.jpg"}) {
    folder.Write(name, "\xff\xd8\xff");
  }
  FileListing files;
  files.AddFolder((folder / "a").string(), true);
  EXPECT_THAT(Paths(files, folder), ElementsAre("a/1.jpg"));
  EXPECT_EQ(files.left_out().Text(), "");
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
