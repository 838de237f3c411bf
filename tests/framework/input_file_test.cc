#include "framework/input_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>

#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

TEST(InputFile, RefusesAtOnceWhatIsNoFile) {
  const ScratchFolder scratch;
  const std::filesystem::path pipe = scratch / "pipe", at = scratch / "socket";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, at.c_str(), sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::close(socket);
  EXPECT_EQ(InputFile(pipe).problem(), "is a named pipe, not a file");
  EXPECT_EQ(InputFile(at).problem(), "is a socket, not a file");
  EXPECT_EQ(InputFile("/dev/zero").problem(), "is a device, not a file");
  EXPECT_EQ(InputFile(scratch.path()).problem(), "is a folder, not a file");
  EXPECT_EQ(InputFile(scratch / "none").problem(), "cannot be opened: No such file or directory");
}

TEST(InputFile, ReadsAFileAndNoMoreThanIsAskedFor) {
  const ScratchFolder scratch;
  InputFile file(scratch.Write("file", "0123456789"));
  std::array<char, 3> part{};
  EXPECT_EQ(file.ReadAt(7, part.data(), part.size()), 3u);
  EXPECT_EQ(std::string(part.data(), part.size()), "789");
  EXPECT_EQ(file.ReadText(4), "0123");
  EXPECT_EQ(file.ReadText(1000), "456789");
  EXPECT_EQ(file.problem(), "");
}

// As `weir plan <(sed ... base.yaml)` gives it.
TEST(InputFile, ReadsThePipeOfAShell) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  ASSERT_EQ(::write(ends[1], "name: a\n", 8), 8);
  ::close(ends[1]);
  InputFile file("/dev/fd/" + std::to_string(ends[0]));
  EXPECT_EQ(file.ReadText(1000), "name: a\n");
  EXPECT_EQ(file.problem(), "");
  ::close(ends[0]);
}

}  // namespace
}  // namespace weir
