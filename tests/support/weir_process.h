// The weir binary, run as a person would run it.
//
//   const Outcome outcome = Weir({"plan", "configs/demo.yaml"});
//   EXPECT_EQ(outcome.status, 0) << outcome.err;
#pragma once

#include <csignal>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

namespace weir {

struct ProcessOutcome {
  int status = 0;  // the exit status; 128 + the signal where one ended it
  std::string out;
  std::string err;
};

// What is different about the process that is started.
struct ProcessSetup {
  std::vector<std::string> environment{};  // "NAME=value", beside or in place of the test's own
  std::function<void()> in_child{};        // called in the process before it becomes weir
};

// A process that runs beside the test.
class WeirProcess {
 public:
  explicit WeirProcess(const std::vector<std::string>& arguments, const ProcessSetup& setup = {});
  WeirProcess(const WeirProcess&) = delete;
  WeirProcess& operator=(const WeirProcess&) = delete;
  ~WeirProcess();  // kills it where it still runs

  // Waits for the next line of standard output; empty at its end.
  std::string ReadLine();
  void Signal(int signal) const;
  int id() const { return process_; }
  ProcessOutcome Wait();

 private:
  int process_ = -1;
  std::FILE* out_ = nullptr;
  std::FILE* err_ = nullptr;  // a temporary file, so that nobody has to read it meanwhile
  std::string read_;
};

ProcessOutcome Weir(const std::vector<std::string>& arguments, const ProcessSetup& setup = {});

}  // namespace weir
