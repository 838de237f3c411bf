#include "stages/files/file_bytes.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <variant>

#include "framework/error.h"
#include "stages/byte_source.h"
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

TEST_F(FileBytesTest, ReadsNothingBehindTheEndHoweverFarBehind) {
  Outcome<FileBytes> opened = FileBytes::Open({path_.string()});
  FileBytes& file = std::get<FileBytes>(opened);
  char letter = 0;
  EXPECT_TRUE(file.Read(8, &letter, 1));
  EXPECT_EQ(letter, 'e');
  for (const std::uint64_t offset : {std::uint64_t{9}, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    EXPECT_FALSE(file.Read(offset, &letter, 1)) << offset;
  }
}

// A disk that gives up is no file that ends early.
TEST_F(FileBytesTest, TellsWhatCannotBeReadFromTheEnd) {
  Outcome<FileBytes> opened = FileBytes::Open({path_.string()});
  FileBytes& file = std::get<FileBytes>(opened);
  char letters[16];
  EXPECT_EQ(file.ReadSome(0, letters, sizeof letters), 9u);
  EXPECT_EQ(file.failure(), "");
  const int unreadable = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_EQ(::dup2(unreadable, file.descriptor()), file.descriptor());
  ::close(unreadable);
  EXPECT_EQ(file.ReadSome(0, letters, sizeof letters), 0u);
  EXPECT_EQ(file.failure(), "cannot be read: Bad file descriptor");
}

// It says nothing of the picture that its server is away, nor is it asked again and again.
TEST_F(FileBytesTest, KeepsWhatASourceThrowsUntilTheDecoderHasReturned) {
  class Broken final : public ByteSource {
   public:
    std::uint64_t size() const override { return 1'000'000; }
    FileStamp stamp() const override { return {}; }
    std::string identity() const override { return ""; }
    std::size_t bytes_at_once() const override { return 1000; }
    std::size_t Read(std::uint64_t, void*, std::size_t) const override {
      throw Error(ErrorKind::kInterrupted, "read " + std::to_string(++reads_) + " times");
    }

   private:
    mutable int reads_ = 0;
  };
  const FilePart part{.path = "a.jpg", .source = std::make_shared<Broken>()};
  Outcome<FileBytes> opened = FileBytes::Open(part);
  FileBytes& file = std::get<FileBytes>(opened);
  EXPECT_NO_THROW(file.RethrowFailure());
  std::array<char, 5000> letters;
  EXPECT_FALSE(file.Read(0, letters.data(), 10));
  EXPECT_EQ(file.ReadSome(0, letters.data(), letters.size()), 0u);
  EXPECT_EQ(file.failure(), "read 1 times");
  try {
    file.RethrowFailure();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInterrupted);
  }
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
