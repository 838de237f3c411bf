// What a training remembers of itself beside the learner's state: kept in the checkpoint with it.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace weir {

// The epoch whose model is kept, with the figures of its validation.
struct KeptEpoch {
  int epoch = 0;          // from 1
  std::string phase{};    // its name; empty where the training has no phases
  std::string why{};      // "best accuracy", "last"
  std::string weights{};  // "ema" or "swa" where they are an average; empty: as they were learnt
  // By name, "loss" first; empty without validation.
  std::vector<std::pair<std::string, double>> figures{};
};

nlohmann::ordered_json ToJson(const KeptEpoch& kept);

// Where a training stands among its phases.
struct PhasePosition {
  int index = 0;
  std::string name{};    // empty where the training has no phases
  int first_epoch = 0;   // from 0, counted over all phases
  bool is_begun = true;  // else the one before has ended, and nothing of this one was saved
};

struct Tally {
  double seconds = 0;        // in passes, over all sittings
  double epoch_seconds = 0;  // the part of them that the epoch's train pass took
  std::uint64_t images = 0;
  double best_validation_accuracy = 0;
  PhasePosition phase{};
  std::optional<KeptEpoch> kept{};  // as long as only the best is kept: the best so far
  std::optional<double> best{};     // what was monitored in it
  std::string config{};             // as resolved; empty in what earlier versions wrote

  // A path of the configuration may hold bytes that are not UTF-8, which JSON cannot: they are
  // replaced.
  std::string ToText() const;
  // Nothing where the text was not written by ToText().
  static std::optional<Tally> FromText(const std::string& text);
};

}  // namespace weir
