#include "pipelines/job/rank_processes.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>
#include <thread>

#include "framework/error.h"

namespace weir {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kPatience{4};
constexpr std::chrono::milliseconds kLookAgain{10};
constexpr int kNotStarted = 127;  // as a shell has it

std::vector<std::string> OwnCommandLine() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::string> words;
  for (std::size_t begin = 0; begin < all.size();) {
    const std::size_t end = all.find('\0', begin);
    words.push_back(all.substr(begin, end - begin));
    begin = end == std::string::npos ? all.size() : end + 1;
  }
  return words;
}

std::vector<std::string> EnvironmentOf(int rank, int ranks, std::uint16_t port) {
  std::vector<std::string> all;
  for (char** each = environ; *each != nullptr; ++each) {
    // What torchrun says of its own start does not hold for this one.
    if (!std::string_view(*each).starts_with("TORCHELASTIC_")) all.emplace_back(*each);
  }
  const auto set = [&all](const char* name, const std::string& value) {
    const std::string begin = std::string(name) + "=";
    std::erase_if(all, [&](const std::string& each) { return each.starts_with(begin); });
    all.push_back(begin + value);
  };
  set("RANK", std::to_string(rank));
  set("WORLD_SIZE", std::to_string(ranks));
  set("LOCAL_RANK", std::to_string(rank));
  set("LOCAL_WORLD_SIZE", std::to_string(ranks));
  set("MASTER_ADDR", "127.0.0.1");
  set("MASTER_PORT", std::to_string(port));
  set(RankProcesses::kStartedBy, std::to_string(getpid()));
  return all;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& each : texts) pointers.push_back(each.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

RankProcesses::RankProcesses(int ranks, std::uint16_t port) {
  std::vector<std::string> words = OwnCommandLine();
  const std::vector<char*> arguments = Pointers(words);
  const pid_t parent = getpid();
  for (int rank = 1; rank < ranks; ++rank) {
    std::vector<std::string> texts = EnvironmentOf(rank, ranks, port);
    const std::vector<char*> environment = Pointers(texts);
    const pid_t pid = fork();
    if (pid < 0) {
      throw Error(ErrorKind::kInternal,
                  "rank " + std::to_string(rank) +
                      " cannot be started: " + std::generic_category().message(errno),
                  "See whether this user may have more processes (`ulimit -u`).");
    }
    if (pid == 0) {  // from here on only what is safe beside other threads
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (getppid() != parent) _exit(kNotStarted);
      const int nowhere = open("/dev/null", O_WRONLY);
      if (nowhere >= 0) dup2(nowhere, STDOUT_FILENO);
      execve("/proc/self/exe", arguments.data(), environment.data());
      _exit(kNotStarted);
    }
    processes_.push_back({.rank = rank, .pid = pid});
  }
}

RankProcesses::~RankProcesses() {
  const Clock::time_point end = Clock::now() + kPatience;
  for (Process& each : processes_) {
    while (!each.has_ended && Clock::now() < end) {
      Look(each);
      if (!each.has_ended) std::this_thread::sleep_for(kLookAgain);
    }
    if (each.has_ended) continue;
    kill(each.pid, SIGKILL);
    waitpid(each.pid, &each.status, 0);
  }
}

void RankProcesses::Look(Process& process) {
  if (process.has_ended) return;
  process.has_ended = waitpid(process.pid, &process.status, WNOHANG) == process.pid;
}

std::string RankProcesses::HowEnded() {
  for (Process& each : processes_) {
    Look(each);
    if (!each.has_ended || each.status == 0) continue;
    const std::string who = "rank " + std::to_string(each.rank);
    if (WIFSIGNALED(each.status)) {
      return who + " was killed by signal " + std::to_string(WTERMSIG(each.status));
    }
    // Those that end as another one is gone are not the reason.
    const int status = WEXITSTATUS(each.status);
    if (status == static_cast<int>(ErrorKind::kInterrupted)) continue;
    return who + " ended with status " + std::to_string(status);
  }
  return "";
}

std::optional<int> RankProcesses::StatusOfEnded() {
  for (Process& each : processes_) {
    Look(each);
    if (!each.has_ended) continue;
    return WIFSIGNALED(each.status) ? static_cast<int>(ErrorKind::kInterrupted)
                                    : WEXITSTATUS(each.status);
  }
  return std::nullopt;
}

void OutliveStarter() { prctl(PR_SET_PDEATHSIG, 0); }

}  // namespace weir
