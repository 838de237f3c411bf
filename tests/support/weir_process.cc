#include "tests/support/weir_process.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace weir {
namespace {

std::string ReadAll(std::FILE* file) {
  std::string text;
  std::array<char, 4096> buffer{};
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), file)) {
    text.append(buffer.data(), count);
  }
  return text;
}

// The environment with `changes` made; it points into them.
std::vector<char*> Changed(char** environment, const std::vector<std::string>& changes) {
  const auto name = [](std::string_view entry) { return entry.substr(0, entry.find('=')); };
  std::vector<char*> changed;
  for (; *environment; ++environment) {
    bool is_replaced = false;
    for (const std::string& change : changes) is_replaced |= name(change) == name(*environment);
    if (!is_replaced) changed.push_back(*environment);
  }
  for (const std::string& change : changes) changed.push_back(const_cast<char*>(change.c_str()));
  changed.push_back(nullptr);
  return changed;
}

// That of the build, or what WEIR_BINARY names.
std::string Binary() {
  const char* other = std::getenv("WEIR_BINARY");
  return other != nullptr ? other : WEIR_BINARY;
}

}  // namespace

WeirProcess::WeirProcess(const std::vector<std::string>& arguments, const ProcessSetup& setup) {
  std::string binary = Binary();
  std::vector<char*> argv{binary.data()};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const std::vector<char*> environment = Changed(environ, setup.environment);
  err_ = std::tmpfile();
  std::array<int, 2> pipe_ends{};
  if (!err_ || pipe(pipe_ends.data()) != 0) throw std::runtime_error("no pipe");
  process_ = fork();
  if (process_ < 0) throw std::runtime_error("no process");
  if (process_ == 0) {
    dup2(pipe_ends[1], STDOUT_FILENO);
    dup2(fileno(err_), STDERR_FILENO);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    if (setup.in_child) setup.in_child();
    execve(argv[0], argv.data(), environment.data());
    _exit(127);
  }
  close(pipe_ends[1]);
  out_ = fdopen(pipe_ends[0], "r");
}

WeirProcess::~WeirProcess() {
  if (process_ > 0) {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  std::fclose(out_);
  std::fclose(err_);
}

std::string WeirProcess::ReadLine() {
  std::string line;
  for (int c; (c = std::fgetc(out_)) != EOF;) {
    line.push_back(static_cast<char>(c));
    if (c == '\n') break;
  }
  read_ += line;
  return line;
}

void WeirProcess::ReadUntil(std::string_view beginning) {
  std::string line;
  do {
    line = ReadLine();
    if (line.empty()) {
      throw std::runtime_error("weir ended before it said '" + std::string(beginning) +
                               "': " + Wait().err);
    }
  } while (!line.starts_with(beginning));
}

void WeirProcess::Signal(int signal) const { kill(process_, signal); }

ProcessOutcome WeirProcess::Wait() {
  ProcessOutcome outcome;
  outcome.out = read_ + ReadAll(out_);
  int status = 0;
  waitpid(process_, &status, 0);
  process_ = -1;
  outcome.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  std::rewind(err_);
  outcome.err = ReadAll(err_);
  return outcome;
}

std::vector<std::string> Joined(std::vector<std::string> arguments,
                                const std::vector<std::string>& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

ProcessOutcome Weir(const std::vector<std::string>& arguments, const ProcessSetup& setup) {
  return WeirProcess(arguments, setup).Wait();
}

}  // namespace weir
