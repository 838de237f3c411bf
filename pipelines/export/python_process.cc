#include "pipelines/export/python_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "framework/error.h"

namespace weir {
namespace {

constexpr const char* kPython = "python3";

// What a process that is started has in place of our standard files.
class FileActions {
 public:
  FileActions() { posix_spawn_file_actions_init(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }

  void Open(int descriptor, const char* path) {
    posix_spawn_file_actions_addopen(&actions_, descriptor, path, O_RDWR, 0);
  }
  void Duplicate(int from, int to) { posix_spawn_file_actions_adddup2(&actions_, from, to); }

  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

// Gives 0, or the error.
int Spawn(std::vector<std::string> words, const FileActions& files, pid_t& process) {
  words.insert(words.begin(), kPython);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  return posix_spawnp(&process, kPython, files.get(), nullptr, arguments.data(), environ);
}

int StatusOf(pid_t process) {
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string Message(int error) { return std::generic_category().message(error); }

}  // namespace

std::string PythonProcess::WhyCannotImport(std::string_view module) {
  FileActions files;
  for (const int each : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) files.Open(each, "/dev/null");
  pid_t process = -1;
  const std::string import = "import " + std::string(module);
  const int error = Spawn({"-c", import}, files, process);
  if (error == ENOENT) return "there is no python3";
  if (error != 0) return "python3 cannot be started: " + Message(error);
  return StatusOf(process) == 0 ? "" : "`python3 -c '" + import + "'` fails";
}

PythonProcess::PythonProcess(const std::string& program,
                             const std::vector<std::string>& arguments) {
  int ends[2] = {-1, -1};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    throw Error(ErrorKind::kInternal, "cannot make a socket for python3: " + Message(errno));
  }
  socket_ = ends[0];
  FileActions files;
  files.Duplicate(ends[1], STDIN_FILENO);
  files.Duplicate(ends[1], STDOUT_FILENO);
  std::vector<std::string> words = {"-c", program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const int error = Spawn(std::move(words), files, process_);
  close(ends[1]);
  if (error == 0) return;
  close(socket_);
  throw Error(ErrorKind::kConfig, "python3 cannot be started: " + Message(error));
}

PythonProcess::~PythonProcess() {
  close(socket_);
  if (process_ > 0) StatusOf(process_);
}

void PythonProcess::Write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) ThrowEnded();
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
}

void PythonProcess::Read(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t received = recv(socket_, bytes.data(), bytes.size(), 0);
    if (received < 0 && errno == EINTR) continue;
    if (received <= 0) ThrowEnded();
    bytes = bytes.subspan(static_cast<std::size_t>(received));
  }
}

void PythonProcess::ThrowEnded() {
  shutdown(socket_, SHUT_RDWR);
  const int status = StatusOf(std::exchange(process_, -1));
  throw Error(ErrorKind::kData,
              "python3, which runs the exported model, ended with status " + std::to_string(status),
              "The lines above say why; the exported model is written all the same.");
}

}  // namespace weir
