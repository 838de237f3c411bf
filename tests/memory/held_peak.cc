#include "tests/memory/held_peak.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>

namespace weir {
namespace {

std::size_t BytesOf(std::string_view status, std::string_view name) {
  const std::size_t at = status.find(name);  // "RssAnon:\t   12345 kB"
  if (at == std::string_view::npos) return 0;
  return std::strtoull(status.data() + at + name.size(), nullptr, 10) * 1024;
}

}  // namespace

HeldPeak::HeldPeak(int process)
    : thread_([this, file = "/proc/" + std::to_string(process) + "/status"] {
        const int status = open(file.c_str(), O_RDONLY | O_CLOEXEC);
        std::array<char, 4096> text{};
        std::unique_lock lock(mutex_);
        do {
          const ssize_t size = pread(status, text.data(), text.size() - 1, 0);
          if (size <= 0) break;  // it has ended and was waited for
          text[static_cast<std::size_t>(size)] = '\0';
          const std::size_t held =
              BytesOf(text.data(), "RssAnon:") + BytesOf(text.data(), "RssShmem:");
          bytes_ = std::max<std::size_t>(bytes_, held);
        } while (!ended_.wait_for(lock, std::chrono::milliseconds(2), [this] { return is_over_; }));
        close(status);
      }) {}

HeldPeak::~HeldPeak() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  ended_.notify_one();
  thread_.join();
}

}  // namespace weir
