#include "stages/train/position_json.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "stages/train/schedules/schedule.h"

namespace weir {
namespace {

constexpr std::uint64_t kMostCounted = std::uint64_t{1} << 53;  // what a double counts exactly
constexpr int kMostEpochs = 1 << 30;

// Throws where it is no whole number from 0 to `most`.
std::uint64_t Count(const nlohmann::json& value, std::uint64_t most = kMostCounted) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > most) {
    throw std::out_of_range("a count");
  }
  return value.get<std::uint64_t>();
}

int EpochCount(const nlohmann::json& value, int most = kMostEpochs) {
  return static_cast<int>(Count(value, static_cast<std::uint64_t>(most)));
}

// Throws where it is none; JSON has finite ones only.
double Number(const nlohmann::json& value) {
  if (!value.is_number()) throw std::out_of_range("a number");
  return value.get<double>();
}

std::vector<double> MonitoredOf(const nlohmann::json& json, int epochs) {
  const nlohmann::json figures = json.value("monitored", nlohmann::json::array());
  const std::size_t most =
      std::min<std::size_t>(ScheduleClock::kMostMonitored, static_cast<std::size_t>(epochs));
  if (!figures.is_array() || figures.size() > most) throw std::out_of_range("the figures");
  std::vector<double> monitored;
  for (const nlohmann::json& figure : figures) monitored.push_back(Number(figure));
  return monitored;
}

Metrics MetricsOf(const nlohmann::json& json) {
  Metrics metrics{.loss_sum = Number(json.at("loss_sum")), .images = Count(json.at("images"))};
  const std::uint64_t correct = Count(json.at("correct"), metrics.images);
  if (metrics.images > 0) {
    metrics.means.push_back(
        {std::string(Metrics::kAccuracy), static_cast<double>(correct), metrics.images});
  }
  const nlohmann::json others = json.value("metrics", nlohmann::json::object());
  for (const auto& [name, mean] : others.items()) {
    if (name == Metrics::kAccuracy) throw std::out_of_range("a second accuracy");
    metrics.means.push_back({name, Number(mean.at(0)), Count(mean.at(1), metrics.images)});
  }
  return metrics;
}

}  // namespace

nlohmann::json ToJson(const TrainingPosition& position) {
  const Metrics& metrics = position.metrics;
  nlohmann::json json = {{"epoch", position.epoch},
                         {"next_sample", position.next_sample},
                         {"step", position.step},
                         {"phase_step", position.phase_step},
                         {"optimizer_step", position.optimizer_step},
                         {"phase_epoch", position.phase_epoch},
                         {"averaged_epochs", position.averaged_epochs},
                         {"monitored", position.monitored},
                         {"begun", position.begun},
                         {"loss_sum", metrics.loss_sum},
                         {"images", metrics.images},
                         {"correct", std::uint64_t{0}}};
  for (const Metrics::Mean& mean : metrics.means) {
    if (mean.name == Metrics::kAccuracy) {
      json["correct"] = static_cast<std::uint64_t>(mean.sum);
    } else {
      json["metrics"][mean.name] = {mean.sum, mean.images};
    }
  }
  return json;
}

TrainingPosition PositionOf(const nlohmann::json& json) {
  TrainingPosition position;
  position.epoch = EpochCount(json.at("epoch"));
  position.next_sample = Count(json.at("next_sample"));
  position.step = Count(json.at("step"));
  // What earlier versions wrote has one phase, and one optimizer's state.
  const auto steps = [&](const char* key) {
    return json.contains(key) ? Count(json[key], position.step) : position.step;
  };
  position.phase_step = steps("phase_step");
  position.optimizer_step = steps("optimizer_step");
  position.phase_epoch = json.contains("phase_epoch")
                             ? EpochCount(json["phase_epoch"], position.epoch)
                             : position.epoch;
  if (json.contains("averaged_epochs")) {
    position.averaged_epochs = EpochCount(json["averaged_epochs"], position.phase_epoch + 1);
  }
  const nlohmann::json begun = json.value("begun", nlohmann::json::object());
  if (!begun.is_object()) throw std::out_of_range("what began later");
  for (const auto& [name, step] : begun.items()) {
    position.begun.emplace(name, Count(step, position.optimizer_step));
  }
  position.monitored = MonitoredOf(json, position.phase_epoch);
  position.metrics = MetricsOf(json);
  return position;
}

}  // namespace weir
