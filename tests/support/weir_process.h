// The weir binary, run as a person would run it.
//
//   const ProcessOutcome outcome = Weir({"plan", "configs/demo.yaml"});
//   EXPECT_EQ(outcome.status, 0) << outcome.err;
#pragma once

#include <csignal>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
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
  // Passes over lines until one begins so. Throws std::runtime_error, with what the process said,
  // where it ends before.
  void ReadUntil(std::string_view beginning);
  void Signal(int signal) const;
  int id() const { return process_; }
  ProcessOutcome Wait();

 private:
  int process_ = -1;
  std::FILE* out_ = nullptr;
  std::FILE* err_ = nullptr;  // a temporary file, so that nobody has to read it meanwhile
  std::string read_;
};

// `arguments`, and `more` behind them.
std::vector<std::string> Joined(std::vector<std::string> arguments,
                                const std::vector<std::string>& more);

ProcessOutcome Weir(const std::vector<std::string>& arguments, const ProcessSetup& setup = {});

}  // namespace weir
