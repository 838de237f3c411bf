// What the server counts, as Prometheus reads it (text format 0.0.4). Any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir {

class ServerMetrics {
 public:
  // A request that was answered. `route` is one of a few, whatever was asked for.
  void CountRequest(std::string_view route, int status, double seconds);
  // Pictures that were answered, and those that could not be read.
  void CountPictures(std::uint64_t answered, std::uint64_t unreadable);

  // A value of now, with its labels: {"weir_memory_bytes", "part=\"requests\"", 1024}.
  struct Gauge {
    std::string name, labels, help;
    double value;
  };
  // All of it. Gauges of one name stand beside each other.
  std::string Text(const std::vector<Gauge>& gauges) const;

  std::uint64_t requests() const;
  std::uint64_t pictures() const;

 private:
  static constexpr std::array kBounds = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                         0.5,   1.0,  2.5,   5.0,  10.0};

  struct Latency {
    std::array<std::uint64_t, kBounds.size() + 1> counts{};  // the last is of what took longer
    double seconds = 0;
  };

  mutable std::mutex mutex_;
  std::map<std::pair<std::string, int>, std::uint64_t> requests_;
  std::map<std::string, Latency> latencies_;
  std::uint64_t answered_ = 0, unreadable_ = 0;
};

}  // namespace weir
