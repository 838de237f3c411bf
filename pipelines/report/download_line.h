// How far a download is, in one line on standard error: rewritten in place on a terminal, written
// once elsewhere. The line is ended when this dies, so that whatever is said next has its own.
//
// One thread.
#pragma once

#include "stages/files/download.h"

namespace weir {

class DownloadLine {
 public:
  DownloadLine();
  DownloadLine(const DownloadLine&) = delete;
  DownloadLine& operator=(const DownloadLine&) = delete;
  ~DownloadLine();

  void Show(const DownloadProgress& progress);

 private:
  const bool is_terminal_;
  bool is_open_ = false;  // a line is begun and not ended
  bool is_written_ = false;
};

}  // namespace weir
