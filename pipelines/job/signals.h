// Ctrl-C, a polite kill and a terminal that is closed: the run stops at the next step and saves
// what it learnt.
#pragma once

namespace weir {

// From now on SIGINT, SIGTERM and SIGHUP are noted, those that were ignored (nohup) excepted. A
// second one ends the process at once, with status 130. A file that grows past the limit on files
// (RLIMIT_FSIZE) makes the write fail with EFBIG, in place of ending the process by SIGXFSZ.
void CatchSignals();

// As long as this is there, such a signal ends the process at once, with status 130, as there is
// nothing to save.
class SignalsEndTheProcess {
 public:
  SignalsEndTheProcess();
  SignalsEndTheProcess(const SignalsEndTheProcess&) = delete;
  SignalsEndTheProcess& operator=(const SignalsEndTheProcess&) = delete;
  ~SignalsEndTheProcess();
};

// From now on a reader of the output that goes away does not end the process.
void OutliveReader();

bool SignalReceived();

}  // namespace weir
