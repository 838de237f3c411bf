// Makes oneDNN run in the calling thread alone, for as long as this lives: it takes its number of
// threads from OpenMP's setting, which each thread has of its own.
#pragma once

namespace weir {

class OneOpenMpThread {
 public:
  OneOpenMpThread();
  ~OneOpenMpThread();
  OneOpenMpThread(const OneOpenMpThread&) = delete;
  OneOpenMpThread& operator=(const OneOpenMpThread&) = delete;

 private:
  const int before_;
};

}  // namespace weir
