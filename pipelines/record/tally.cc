#include "pipelines/record/tally.h"

#include <cstddef>
#include <exception>
#include <nlohmann/json.hpp>

#include "stages/files/bounded_json.h"

namespace weir {
namespace {

using nlohmann::json;

// A tally may hold a configuration, of at most 1 MiB: twice that with a backslash before each of
// its bytes, and three times where U+FFFD takes the place of each.
constexpr JsonLimits kLimits{.text_bytes = std::size_t{4} << 20,
                             .held_bytes = std::size_t{9} << 20};

}  // namespace

std::string Tally::ToText() const {
  return json{{"seconds", seconds},
              {"epoch_seconds", epoch_seconds},
              {"images", images},
              {"best_validation_accuracy", best_validation_accuracy},
              {"config", config}}
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<Tally> Tally::FromText(const std::string& text) {
  try {
    const json value = ParseJson(text, kLimits);
    return Tally{.seconds = value.at("seconds"),
                 .epoch_seconds = value.at("epoch_seconds"),
                 .images = value.at("images"),
                 .best_validation_accuracy = value.at("best_validation_accuracy"),
                 .config = value.value("config", "")};
  } catch (const std::exception&) {  // the text passes the limits, or has another form
    return std::nullopt;
  }
}

}  // namespace weir
