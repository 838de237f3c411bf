// What training makes small: a number for the logits of one picture, whose mean over a batch is
// descended along. Each loss is a class in a file of its own in this folder and a row of the list
// in loss.cc. It is linear in its target: of a mixture it is the mean of what it is of each part.
//
// Immutable; any thread. Holds nothing but its parameters.
#pragma once

#include <span>
#include <string_view>

#include "framework/config/parts.h"
#include "stages/payloads.h"

namespace weir {

class Loss {
 public:
  static constexpr std::string_view kWord = "loss", kOne = "a loss", kMany = "losses";
  static std::span<const Part<Loss>> All();

  virtual ~Loss() = default;

  virtual YamlNode ToYaml() const = 0;

  // The loss of one picture, whose logits are [classes]. The labels of the sample, and of the parts
  // of its mixture, are below `classes`.
  virtual double Of(std::span<const float> logits, const Sample& sample) const = 0;

  // The same, and scale * d loss / d logits, written over the logits.
  virtual double Gradient(std::span<float> logits, const Sample& sample, double scale) const = 0;
};

}  // namespace weir
