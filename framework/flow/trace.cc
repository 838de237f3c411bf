#include "framework/flow/trace.h"

#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "framework/write_error.h"

namespace weir {
namespace {

constexpr std::size_t kBufferBytes = 64 << 10;

std::string Quoted(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string quoted = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (code < 0x20) {
      quoted += std::string("\\u00") + kDigits[code >> 4] + kDigits[code & 15];
      continue;
    }
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

// As the format has it, in microseconds.
std::string Microseconds(std::chrono::nanoseconds time) {
  char text[40];
  std::snprintf(text, sizeof text, "%.3f", static_cast<double>(time.count()) / 1e3);
  return text;
}

std::string Event(char phase, std::string_view name, int thread) {
  return R"({"ph":")" + std::string(1, phase) + R"(","pid":)" + std::to_string(::getpid()) +
         ",\"tid\":" + std::to_string(thread) + ",\"name\":" + Quoted(name);
}

}  // namespace

Trace::Trace(std::filesystem::path path) : path_(std::move(path)), buffer_(new char[kBufferBytes]) {
  file_ = std::fopen(path_.c_str(), "we");
  if (!file_) {
    throw WriteError(path_, "cannot be written", errno, "give --trace another place");
  }
  std::setvbuf(file_, buffer_.get(), _IOFBF, kBufferBytes);
  std::fputs("[", file_);
  std::fputs((Event('M', "process_name", 0) + R"(,"args":{"name":"weir"}})").c_str(), file_);
}

Trace::~Trace() { Close(); }

void Trace::Span(std::string_view name, Clock::time_point begin, Clock::time_point end,
                 std::uint64_t item) {
  const std::lock_guard lock(mutex_);
  Write(Event('X', name, ThreadNumber()) + ",\"ts\":" + Microseconds(begin - begin_) + ",\"dur\":" +
        Microseconds(end - begin) + R"(,"args":{"item":)" + std::to_string(item) + "}}");
}

void Trace::Counter(std::string_view name, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  Write(Event('C', name, 0) + ",\"ts\":" + Microseconds(Clock::now() - begin_) +
        R"(,"args":{"bytes":)" + std::to_string(bytes) + "}}");
}

void Trace::Mark(std::string_view text) {
  const std::lock_guard lock(mutex_);
  Write(Event('i', text, ThreadNumber()) + R"(,"s":"g","ts":)" +
        Microseconds(Clock::now() - begin_) + "}");
}

std::string Trace::Close() {
  const std::lock_guard lock(mutex_);
  if (file_) {
    errno = 0;
    Check(std::fputs("\n]\n", file_) >= 0);
    errno = 0;
    Check(std::fclose(std::exchange(file_, nullptr)) == 0);  // what was in the buffer
  }
  return problem_;
}

void Trace::Write(const std::string& event) {
  if (!file_ || !problem_.empty()) return;
  errno = 0;
  Check(std::fputs(",\n", file_) >= 0 && std::fputs(event.c_str(), file_) >= 0);
}

void Trace::Check(bool is_written) {
  if (is_written || !problem_.empty()) return;
  problem_ = path_.string() + ": the trace ends early: " + std::generic_category().message(errno);
}

int Trace::ThreadNumber() {
  const auto [known, is_new] =
      threads_.emplace(std::this_thread::get_id(), static_cast<int>(threads_.size()) + 1);
  if (is_new) {
    Write(Event('M', "thread_name", known->second) + R"(,"args":{"name":"thread )" +
          std::to_string(known->second) + "\"}}");
  }
  return known->second;
}

}  // namespace weir
