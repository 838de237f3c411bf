// `training.class_weight`: how much a picture of each class counts in training, as in Keras. The
// loss of a picture and its gradient are taken times the weight of its class, and the mean is still
// over the pictures of the batch; of a mixture, each part counts by its own class. Validation and
// test losses are plain.
//
//   class_weight: balanced              # each class counts as much as any other
//   class_weight: {ants: 2, bees: 1}    # a class that is not named weighs 1
//
// Pure functions; any thread. Holds 8 bytes a class.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "framework/config/params.h"
#include "stages/payloads.h"
#include "stages/train/losses/loss.h"

namespace weir {

struct ClassWeight {
  struct Named {
    std::string name;
    double weight = 1;    // more than 0, finite
    Position position{};  // of the name
  };

  bool is_balanced = false;
  std::vector<Named> named{};  // empty where it is balanced, or there are none
};

template <>
struct ParamType<ClassWeight> {
  static TypeWords Words(const FieldRules&);
  static std::optional<ClassWeight> Read(const YamlNode& node, const FieldRules& rules,
                                         Problems& problems);
  static YamlNode Write(const ClassWeight& weight, const FieldRules& rules);
  static YamlNode Schema(const FieldRules& rules);
};

// The weight of each class, [classes]; empty where all weigh 1. Balanced, a class weighs pictures /
// (classes * its pictures), scikit-learn's class_weight="balanced", by the pictures to train on,
// which `counts` has; null: nobody knows them. Throws Error(kConfig), at the place of the name,
// where a class is not there, and where a class has no balanced weight.
std::vector<double> WeightsOf(const ClassWeight& weight, const std::vector<std::string>& classes,
                              const ClassCounts* counts);

// Loss::Gradient of one picture whose classes weigh that much; as it is where `weights` is empty.
double WeightedGradient(const Loss& loss, std::span<const double> weights, std::span<float> logits,
                        const Sample& sample, double scale);

}  // namespace weir
