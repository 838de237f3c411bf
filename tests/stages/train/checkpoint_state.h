// A small state to save, what it is of, and where its training stands.
#pragma once

#include <vector>

#include "stages/train/checkpoint.h"

namespace weir {

struct State {
  explicit State(float value) {
    table.Add("head.1.weight", {2, 3});
    table.Add("head.1.bias", {2});
    values.assign(table.values(), value);
    slots.assign(table.values(), 2 * value);
  }
  CheckpointArrays arrays() {
    return {{{"", &table, values}, {"optimizer.momentum.", &table, slots}}};
  }
  ParameterTable table;
  std::vector<float> values, slots;
};

inline const Declaration kDeclaration = {{"backbone", "mobilenet_v2, width 1"},
                                         {"classes", "ants, bees"}};

inline TrainingPosition Position() {
  TrainingPosition position{.epoch = 5,
                            .next_sample = 64,
                            .step = 17,
                            .phase_step = 14,
                            .optimizer_step = 16,
                            .phase_epoch = 3,
                            .averaged_epochs = 2,
                            .metrics = {}};
  position.metrics = {
      .loss_sum = 0.1 + 0.2, .images = 64, .means = {{"accuracy", 60, 64}, {"another", 1.5, 8}}};
  position.monitored = {0.1 + 0.2, 1, 0.75};
  position.begun = {{"head.1.bias", 2}, {"head.1.weight", 16}};
  return position;
}

}  // namespace weir
