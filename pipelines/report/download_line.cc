#include "pipelines/report/download_line.h"

#include <unistd.h>

#include <cstdio>
#include <string>

#include "framework/text.h"

namespace weir {

DownloadLine::DownloadLine() : is_terminal_(::isatty(STDERR_FILENO) != 0) {}

DownloadLine::~DownloadLine() {
  if (is_open_) std::fputc('\n', stderr);
}

void DownloadLine::Show(const DownloadProgress& progress) {
  const auto text = [](std::uint64_t bytes) { return PrintableBytes(static_cast<double>(bytes)); };
  const std::string total = progress.total_bytes ? " of " + text(*progress.total_bytes) : "";
  if (is_terminal_) {
    std::fprintf(stderr, "\rdownloading weights: %s%s\x1b[K", text(progress.done_bytes).c_str(),
                 total.c_str());
    is_open_ = true;
  } else if (!is_written_ && progress.done_bytes > 0) {
    std::fprintf(stderr, "downloading weights%s\n", total.c_str());
    is_written_ = true;
  }
}

}  // namespace weir
