#include "pipelines/serve/server_metrics.h"

#include <algorithm>
#include <cstdio>

namespace weir {
namespace {

std::string Number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", value);
  return text;
}

void Head(std::string& text, const std::string& name, const char* type, const std::string& help) {
  text += "# HELP " + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
}

void Line(std::string& text, const std::string& name, const std::string& labels, double value) {
  text += name + (labels.empty() ? "" : "{" + labels + "}") + " " + Number(value) + "\n";
}

}  // namespace

void ServerMetrics::CountRequest(std::string_view route, int status, double seconds) {
  const std::lock_guard lock(mutex_);
  ++requests_[{std::string(route), status}];
  Latency& latency = latencies_[std::string(route)];
  const auto bound = std::ranges::lower_bound(kBounds, seconds);
  ++latency.counts[static_cast<std::size_t>(bound - kBounds.begin())];
  latency.seconds += seconds;
}

void ServerMetrics::CountPictures(std::uint64_t answered, std::uint64_t unreadable) {
  const std::lock_guard lock(mutex_);
  answered_ += answered;
  unreadable_ += unreadable;
}

std::uint64_t ServerMetrics::requests() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t sum = 0;
  for (const auto& [key, count] : requests_) sum += count;
  return sum;
}

std::uint64_t ServerMetrics::pictures() const {
  const std::lock_guard lock(mutex_);
  return answered_;
}

std::string ServerMetrics::Text(const std::vector<Gauge>& gauges) const {
  const std::lock_guard lock(mutex_);
  std::string text;
  Head(text, "weir_requests_total", "counter", "Requests that were answered.");
  for (const auto& [key, count] : requests_) {
    Line(text, "weir_requests_total",
         "route=\"" + key.first + "\",code=\"" + std::to_string(key.second) + "\"",
         static_cast<double>(count));
  }
  Head(text, "weir_request_seconds", "histogram", "From the head of a request to its answer.");
  for (const auto& [route, latency] : latencies_) {
    const std::string label = "route=\"" + route + "\"";
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < latency.counts.size(); ++i) {
      sum += latency.counts[i];
      const std::string bound = i < kBounds.size() ? Number(kBounds[i]) : "+Inf";
      Line(text, "weir_request_seconds_bucket", label + ",le=\"" + bound + "\"",
           static_cast<double>(sum));
    }
    Line(text, "weir_request_seconds_sum", label, latency.seconds);
    Line(text, "weir_request_seconds_count", label, static_cast<double>(sum));
  }
  Head(text, "weir_pictures_total", "counter", "Pictures that were asked about.");
  Line(text, "weir_pictures_total", "result=\"answered\"", static_cast<double>(answered_));
  Line(text, "weir_pictures_total", "result=\"unreadable\"", static_cast<double>(unreadable_));
  std::string last;
  for (const Gauge& gauge : gauges) {
    if (gauge.name != last) Head(text, gauge.name, "gauge", gauge.help);
    Line(text, gauge.name, gauge.labels, gauge.value);
    last = gauge.name;
  }
  return text;
}

}  // namespace weir
