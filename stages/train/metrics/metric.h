// Metrics: what is reported beside the loss. Each is a number that the logits and the label of one
// picture give, whose mean over the pictures of a pass is reported: a function in a file of its own
// in this folder and a row of the list in metric.cc.
//
// Pure functions; any thread.
#pragma once

#include <span>
#include <string_view>

#include "stages/payloads.h"

namespace weir {

struct Metric {
  std::string_view name;
  std::string_view doc;  // what the mean is: "the part of the pictures that ..."
  // The number of one picture, whose logits are [classes]; its label is below `classes`.
  double (*of)(std::span<const float> logits, const Sample& sample);

  static std::span<const Metric> All();
  // "What is reported beside the loss: " and the name and doc of each.
  static std::string_view Doc();
};

}  // namespace weir
