// What a training remembers of itself beside the learner's state: kept in the checkpoint with it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace weir {

struct Tally {
  double seconds = 0;        // in passes, over all sittings
  double epoch_seconds = 0;  // the part of them that the epoch's train pass took
  std::uint64_t images = 0;
  double best_validation_accuracy = 0;
  std::string config;  // as resolved; empty in what earlier versions wrote

  // A path of the configuration may hold bytes that are not UTF-8, which JSON cannot: they are
  // replaced.
  std::string ToText() const;
  // Nothing where the text was not written by ToText().
  static std::optional<Tally> FromText(const std::string& text);
};

}  // namespace weir
