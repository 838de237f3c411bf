#include "pipelines/report/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <system_error>
#include <utility>

#include "framework/memory/host_memory.h"
#include "framework/thread_error.h"

namespace weir {
namespace {

constexpr auto kTick = std::chrono::milliseconds(100);
constexpr int kBarWidth = 20;

std::atomic<std::size_t> peak_held{0};

std::size_t NoteHeld() {
  const std::size_t held = HeldMemory();
  std::size_t peak = peak_held.load();
  while (held > peak && !peak_held.compare_exchange_weak(peak, held)) {
  }
  return held;
}

template <class... Arguments>
std::string Printed(const char* format, Arguments... arguments) {
  char text[160];
  std::snprintf(text, sizeof text, format, arguments...);
  return text;
}

// A bar in eighths of a character.
std::string Bar(double part, int width) {
  static constexpr std::string_view kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const int eighths = static_cast<int>(std::clamp(part, 0.0, 1.0) * width * 8);
  std::string bar;
  for (int i = 0; i < eighths / 8; ++i) bar += "█";
  bar += kEighths[eighths % 8];
  for (int i = (eighths + 7) / 8; i < width; ++i) bar += "░";
  return bar;
}

int TerminalColumns() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

std::thread Started(std::function<void()> work) {
  try {
    return std::thread(std::move(work));
  } catch (const std::system_error& error) {
    throw ThreadError("the thread that looks after a pass", error.code().value());
  }
}

}  // namespace

std::string RateText(std::uint64_t images, double seconds, bool is_kept) {
  if (is_kept) return "kept";
  return Printed("%.0f images/s", seconds > 0 ? static_cast<double>(images) / seconds : 0);
}

std::string DurationText(double seconds) {
  const long whole = std::lround(seconds);
  if (whole >= 3600) {
    return Printed("%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
  }
  return Printed("%ld:%02ld", whole / 60, whole % 60);
}

bool IsTerminal() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets the environment while weir runs
  const char* term = std::getenv("TERM");
  return isatty(STDOUT_FILENO) && term && std::string_view(term) != "dumb";
}

std::string DrawProgress(const ProgressOptions& options, const ProgressState& state, double seconds,
                         std::size_t held_bytes, int columns) {
  const double rate = seconds > 0 ? static_cast<double>(state.done) / seconds : 0;
  std::string line = options.title + " ";
  if (state.total > 0) {
    const std::string counts = Printed(" %llu/%llu", static_cast<unsigned long long>(state.done),
                                       static_cast<unsigned long long>(state.total));
    const int room = columns - static_cast<int>(line.size() + counts.size());
    line += Bar(static_cast<double>(state.done) / static_cast<double>(state.total),
                std::clamp(room, 0, kBarWidth));
    line += counts;
    if (room < 0) return line.substr(0, static_cast<std::size_t>(std::max(columns, 0)));
  } else {
    line += Printed("%llu", static_cast<unsigned long long>(state.done));
  }
  // What follows is left out from the end where the terminal is narrow.
  std::string parts[] = {"  " + RateText(state.done, seconds, state.is_kept),
                         state.metrics.empty() ? "" : "  " + state.metrics, "",
                         Printed("  %zu/%zu MiB", held_bytes >> 20, options.limit_bytes >> 20)};
  if (state.total > 0 && rate > 0) {
    const auto left = state.total - std::min(state.done, state.total) + options.images_after;
    parts[2] = "  " + DurationText(static_cast<double>(left) / rate) + " left";
  }
  int width = static_cast<int>(options.title.size()) + 1;
  width += state.total > 0 ? kBarWidth + 22 : 10;
  for (const std::string& part : parts) {
    width += static_cast<int>(part.size());
    if (width > columns) break;
    line += part;
  }
  return line;
}

Progress::Progress(ProgressOptions options, std::function<ProgressState()> read,
                   std::function<void()> on_tick)
    : options_(std::move(options)),
      read_(std::move(read)),
      on_tick_(std::move(on_tick)),
      thread_(Started([this] { Watch(); })) {}

Progress::~Progress() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  ended_.notify_one();
  thread_.join();
  NoteHeld();
}

std::size_t Progress::peak_held_bytes() {
  NoteHeld();
  return peak_held.load();
}

void Progress::Watch() {
  const auto begin = std::chrono::steady_clock::now();
  const ProgressState first = read_();
  std::unique_lock lock(mutex_);
  while (!ended_.wait_for(lock, kTick, [this] { return is_over_; })) {
    const std::size_t held = NoteHeld();
    on_tick_();
    if (!options_.is_terminal) continue;
    ProgressState state = read_();
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
    // The rate is of this sitting: what a resumed pass had done before took no time now.
    const double rate_seconds = state.done > first.done
                                    ? elapsed.count() * static_cast<double>(state.done) /
                                          static_cast<double>(state.done - first.done)
                                    : 0;
    const std::string line =
        DrawProgress(options_, state, rate_seconds, held, TerminalColumns() - 1);
    std::printf("\r\033[K%s", line.c_str());
    std::fflush(stdout);
  }
  if (options_.is_terminal) {
    std::printf("\r\033[K");
    std::fflush(stdout);
  }
}

}  // namespace weir
