#include "pipelines/record/tally.h"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "stages/files/bounded_json.h"

namespace weir {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

// A tally may hold a configuration, of at most 1 MiB: twice that with a backslash before each of
// its bytes, and three times where U+FFFD takes the place of each.
constexpr JsonLimits kLimits{.text_bytes = std::size_t{4} << 20,
                             .held_bytes = std::size_t{9} << 20};

// Throws where it is no whole number from 0 to what may be added to.
int Whole(const json& value) {
  constexpr std::int64_t kMost = std::int64_t{1} << 30;
  if (!value.is_number_integer() || value.get<std::int64_t>() < 0 ||
      value.get<std::int64_t>() > kMost) {
    throw std::out_of_range("a number of epochs");
  }
  return value.get<int>();
}

KeptEpoch KeptOf(const json& value) {
  KeptEpoch kept{.epoch = Whole(value.at("epoch")),
                 .phase = value.value("phase", ""),
                 .why = value.at("as"),
                 .weights = value.value("weights", "")};
  for (const json& figure : value.at("figures")) {
    kept.figures.emplace_back(figure.at(0), figure.at(1));
  }
  return kept;
}

void Read(const json& value, PhasePosition& phase) {
  phase.index = Whole(value.at("index"));
  value.at("name").get_to(phase.name);
  phase.first_epoch = Whole(value.at("first_epoch"));
  value.at("is_begun").get_to(phase.is_begun);
}

}  // namespace

ordered_json ToJson(const KeptEpoch& kept) {
  ordered_json json = {{"epoch", kept.epoch}};
  if (!kept.phase.empty()) json["phase"] = kept.phase;
  json["as"] = kept.why;
  if (!kept.weights.empty()) json["weights"] = kept.weights;
  for (const auto& [name, value] : kept.figures) json["validation"][name] = value;
  return json;
}

std::string Tally::ToText() const {
  json text = {{"seconds", seconds},
               {"epoch_seconds", epoch_seconds},
               {"images", images},
               {"best_validation_accuracy", best_validation_accuracy},
               {"phase",
                {{"index", phase.index},
                 {"name", phase.name},
                 {"first_epoch", phase.first_epoch},
                 {"is_begun", phase.is_begun}}},
               {"config", config}};
  if (best) text["best"] = *best;
  if (kept) {
    text["kept"] = {{"epoch", kept->epoch},
                    {"phase", kept->phase},
                    {"as", kept->why},
                    {"weights", kept->weights},
                    {"figures", kept->figures}};
  }
  return text.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<Tally> Tally::FromText(const std::string& text) {
  try {
    const json value = ParseJson(text, kLimits);
    std::optional<Tally> read(std::in_place);
    Tally& tally = *read;
    value.at("seconds").get_to(tally.seconds);
    value.at("epoch_seconds").get_to(tally.epoch_seconds);
    if (!value.at("images").is_number_unsigned()) return std::nullopt;
    value["images"].get_to(tally.images);
    value.at("best_validation_accuracy").get_to(tally.best_validation_accuracy);
    tally.config = value.value("config", "");
    // Earlier versions had no phases, and kept the last model.
    if (value.contains("phase")) Read(value["phase"], tally.phase);
    if (value.contains("best")) tally.best = value["best"].get<double>();
    if (value.contains("kept")) tally.kept = KeptOf(value["kept"]);
    return read;
  } catch (const std::exception&) {  // the text passes the limits, or has another form
    return std::nullopt;
  }
}

}  // namespace weir
