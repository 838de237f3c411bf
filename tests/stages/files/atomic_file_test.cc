#include "stages/files/atomic_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "tests/support/caught_error.h"
#include "tests/support/file_text.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

std::span<const std::byte> Bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

TEST(AtomicFile, CanBeReadWhileItIsWritten) {
  const ScratchFolder folder;
  AtomicFile file(folder / "file");
  file.Write(Bytes("one two"));
  file.WriteAt(4, Bytes("six"));
  std::array<char, 5> read{};
  file.ReadAt(2, std::as_writable_bytes(std::span(read)));
  EXPECT_EQ(std::string_view(read.data(), read.size()), "e six");
  file.Commit();
  EXPECT_EQ(FileText(folder / "file"), "one six");
}

TEST(AtomicFile, HasNothingBehindItsEnd) {
  const ScratchFolder folder;
  AtomicFile file(folder / "file");
  file.Write(Bytes("one"));
  std::array<std::byte, 4> read{};
  EXPECT_THAT(CaughtError([&] { file.ReadAt(0, read); }),
              testing::StartsWith((folder / "file").string() + ": cannot be read again: "));
}

}  // namespace
}  // namespace weir
