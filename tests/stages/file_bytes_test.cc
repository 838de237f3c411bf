#include "stages/file_bytes.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <variant>

#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

class FileBytesTest : public testing::Test {
 protected:
  FileBytesTest() {
    // Older than any change that follows, by the file system's clock.
    fs::last_write_time(path_, fs::last_write_time(path_) - std::chrono::hours(1));
  }

  FileStamp Stamp() const {
    struct stat status = {};
    EXPECT_EQ(::stat(path_.c_str(), &status), 0);
    return FileStamp::Of(status);
  }
  void Overwrite() const {
    std::fstream(path_, std::ios::in | std::ios::out | std::ios::binary) << "other";
  }

  const ScratchFolder folder_;
  const fs::path path_ = folder_.Write("a.jpg", "a picture");
};

TEST_F(FileBytesTest, KnowsWhetherItWasWrittenToSinceItWasOpened) {
  Outcome<FileBytes> opened = FileBytes::Open({path_.string()});
  const FileBytes& file = std::get<FileBytes>(opened);
  EXPECT_TRUE(file.IsUnchanged());
  fs::rename(folder_.Write("b.jpg", "replaces it"), path_);
  EXPECT_TRUE(file.IsUnchanged()) << "what is open is the file that was there";
  Outcome<FileBytes> again = FileBytes::Open({path_.string()});
  fs::resize_file(path_, 3);
  EXPECT_FALSE(std::get<FileBytes>(again).IsUnchanged());
}

TEST_F(FileBytesTest, OpensAPartOnlyOfTheFileThatItWasFoundIn) {
  const FilePart part{path_.string(), 2, 7, Stamp()};
  EXPECT_TRUE(std::holds_alternative<FileBytes>(FileBytes::Open(part)));
  Overwrite();
  const Outcome<FileBytes> opened = FileBytes::Open(part);
  ASSERT_TRUE(std::holds_alternative<Drop>(opened));
  EXPECT_EQ(std::get<Drop>(opened).reason,
            "lies in a file that was changed since its parts were listed");
}

}  // namespace
}  // namespace weir
