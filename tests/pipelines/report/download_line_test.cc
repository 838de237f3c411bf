#include "pipelines/report/download_line.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <string>

namespace weir {
namespace {

// What `write` leaves on standard error, where that is `out`; read from `in`.
std::string Written(int in, int out, const std::function<void()>& write) {
  std::fflush(stderr);
  const int before = ::dup(STDERR_FILENO);
  ::dup2(out, STDERR_FILENO);
  write();
  std::fflush(stderr);
  ::dup2(before, STDERR_FILENO);
  ::close(before);
  ::close(out);
  // A terminal hands over what was written in as many pieces as it likes, and ends with an error.
  std::string text;
  char piece[256];
  for (ssize_t count; (count = ::read(in, piece, sizeof(piece))) > 0;) {
    text.append(piece, static_cast<std::size_t>(count));
  }
  ::close(in);
  return text;
}

void Download() {
  DownloadLine line;
  line.Show({.done_bytes = 0, .total_bytes = 14'200'000});
  line.Show({.done_bytes = 1'000'000, .total_bytes = 14'200'000});
  line.Show({.done_bytes = 2'000'000, .total_bytes = 14'200'000});
}

void DownloadAndFail() {
  Download();
  std::fputs("weir: it broke off\n", stderr);
}

TEST(DownloadLine, OnATerminalItIsRewrittenAndEndedBeforeAnErrorIsTold) {
  const int in = ::posix_openpt(O_RDWR | O_NOCTTY);
  if (in < 0 || ::grantpt(in) != 0 || ::unlockpt(in) != 0) {
    GTEST_SKIP() << "there is no pseudo-terminal";
  }
  const int out = ::open(::ptsname(in), O_RDWR | O_NOCTTY);
  EXPECT_EQ(Written(in, out, DownloadAndFail),
            "\rdownloading weights: 0 bytes of 14.2 MB\x1b[K"
            "\rdownloading weights: 1.0 MB of 14.2 MB\x1b[K"
            "\rdownloading weights: 2.0 MB of 14.2 MB\x1b[K\r\n"
            "weir: it broke off\r\n");
}

TEST(DownloadLine, ElsewhereItIsWrittenOnce) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  EXPECT_EQ(Written(ends[0], ends[1], DownloadAndFail),
            "downloading weights of 14.2 MB\nweir: it broke off\n");
}

}  // namespace
}  // namespace weir
