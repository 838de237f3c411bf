// The other ranks of a run that starts them itself: further processes of this program, with this
// one's command line, on this machine. They meet at a port of this process, which is rank 0.
//
// What they print on standard output is not shown; on standard error it is. One thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace weir {

class RankProcesses {
 public:
  // Starts the ranks 1 to ranks - 1. Throws Error(kInternal) where one cannot be started.
  RankProcesses(int ranks, std::uint16_t port);
  RankProcesses(const RankProcesses&) = delete;
  RankProcesses& operator=(const RankProcesses&) = delete;
  // Waits until all have ended: those that do not of their own accord within some seconds, as they
  // hang, are ended.
  ~RankProcesses();

  // How one ended that went wrong: "rank 2 was killed by signal 9". Empty: none did, or all that
  // well.
  std::string HowEnded();
  // The exit status of one that has ended, 130 where a signal ended it; empty: all are there.
  std::optional<int> StatusOfEnded();

  // The variable by which a process knows that it was started so.
  static constexpr const char* kStartedBy = "WEIR_STARTED_BY";

 private:
  struct Process {
    int rank = 0;
    pid_t pid = 0;
    bool has_ended = false;
    int status = 0;
  };
  void Look(Process& process);

  std::vector<Process> processes_;
};

// Called by a process once it has joined: from now on it finds out by itself where rank 0 ends.
void OutliveStarter();

}  // namespace weir
