// What the outcome for a sample depends on, over a chain of stages, beside the sample itself: the
// key under which a stage behind them may keep what it makes.
//
// Holds a pointer a stage; the stages outlive it. Any thread, once the pipeline is open.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "framework/flow/pass.h"

namespace weir {

class Stage;

class Provenance {
 public:
  void Add(std::string name, const Stage& stage) { stages_.emplace_back(std::move(name), &stage); }

  // What tells a sample's outcome in a pass: where the text is the same, the bits are. Empty where
  // a stage does not know.
  std::optional<std::string> Of(const Pass& pass, std::uint64_t sample_index) const;

  // How many outcomes a sample has over the epochs, in turn; 0: another one in each epoch.
  int variants(Split split) const;

  // The stages that make another outcome of a sample in each epoch.
  std::vector<std::string> drawing_anew(Split split) const;

  // The first stage that does not know what its outcome depends on; empty where all do.
  std::string unknown() const;

 private:
  std::vector<std::pair<std::string, const Stage*>> stages_;
};

}  // namespace weir
