#include "stages/files/zip_writer.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "stages/files/mapped_file.h"
#include "stages/model/weights/containers/zip_directory.h"
#include "tests/support/caught_error.h"
#include "tests/support/file_text.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

class ZipWriterTest : public ::testing::Test {
 protected:
  const ScratchFolder folder_;
  AtomicFile file_{folder_ / "a.zip"};
  ZipWriter zip_{file_, 64};
};

TEST_F(ZipWriterTest, BeginsContentsWhereAReaderCanMapThem) {
  const std::vector<std::string> contents = {"one", "", std::string(100, 'x'), "four"};
  std::string name = "folder/";
  for (const std::string& content : contents) zip_.Add(name += "name", content);
  zip_.Begin("in pieces", 5);
  zip_.Write(std::as_bytes(std::span<const char>("12", 2)));
  zip_.Write(std::as_bytes(std::span<const char>("345", 3)));
  zip_.Close();
  file_.Commit();

  const std::string bytes = FileText(folder_ / "a.zip");
  const ZipDirectory read(std::as_bytes(std::span(bytes)), "a.zip");
  EXPECT_EQ(read.entries().size(), contents.size() + 1);
  for (const auto& [each, entry] : read.entries()) {
    EXPECT_TRUE(entry.Intact()) << each;
    const auto* const begin = reinterpret_cast<const char*>(entry.bytes.data());
    EXPECT_EQ((begin - bytes.data()) % 64, 0) << each;
  }
  const ZipEntry* pieces = read.Find("in pieces");
  ASSERT_NE(pieces, nullptr);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(pieces->bytes.data()), pieces->bytes.size()),
            "12345");
}

TEST_F(ZipWriterTest, TellsWhoeverWritesNotWhatHeSaid) {
  zip_.Begin("tensor", 4);
  EXPECT_EQ(CaughtError([this] { zip_.Write(std::as_bytes(std::span("12345"))); }),
            "tensor has more bytes than was said\n");
  EXPECT_EQ(CaughtError([this] { zip_.Close(); }), "tensor has fewer bytes than was said\n");
}

// In a file of which next to nothing is on the disk.
TEST(ZipRecords, ReachBeyondFourGibibytes) {
  constexpr std::uint64_t kLong = (std::uint64_t{4} << 30) + 64;
  std::vector<zip::Entry> entries = {{.name = "long", .bytes = kLong}, {.name = "behind it"}};
  const std::string first = zip::LocalHeader(entries[0], 64);
  entries[1].offset = first.size() + kLong;
  entries[1].bytes = 3;
  entries[1].checksum = zip::Checksum(0, "abc");
  const std::string second = zip::LocalHeader(entries[1], 64) + "abc";
  const std::string directory = zip::Directory(entries, entries[1].offset + second.size());

  const ScratchFolder folder;
  const auto path = folder.Write("long.zip", first);
  std::filesystem::resize_file(path, entries[1].offset);
  std::ofstream(path, std::ios::app | std::ios::binary) << second << directory;
  const MappedFile mapped(path);
  const ZipDirectory read(mapped.bytes(), "long.zip");
  ASSERT_NE(read.Find("long"), nullptr);
  EXPECT_EQ(read.Find("long")->bytes.size(), kLong);
  ASSERT_NE(read.Find("behind it"), nullptr);
  EXPECT_TRUE(read.Find("behind it")->Intact());
}

}  // namespace
}  // namespace weir
