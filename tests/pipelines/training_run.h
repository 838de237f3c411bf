// What tests of whole trainings have in common: a small job on drawn pictures, and what it left.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/drawn_pictures.h"
#include "tests/support/left_by_run.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/training_job.h"
#include "tests/support/weir_process.h"

namespace weir {

class TrainingRun : public ::testing::Test {
 protected:
  std::filesystem::path Write(const std::string& name, const std::string& training,
                              const std::string& validation = "validation_split: 0.25") const {
    return scratch_.Write(
        name + ".yaml",
        TrainingYaml({.source = "directory: {path: " + DrawnPictures<8>().string() +
                                (validation.empty() ? "" : ", " + validation) + "}",
                      .picture_stages = {"augment: {size: [32, 32], horizontal_flip: true}"},
                      .training = training}));
  }

  ProcessOutcome Run(const std::string& name, const std::vector<std::string>& more = {}) const {
    return Weir(Command(name, more));
  }
  std::vector<std::string> Command(const std::string& name,
                                   const std::vector<std::string>& more = {}) const {
    return Joined({"run", (scratch_ / (name + ".yaml")).string(), "--out", Out(name).string()},
                  more);
  }
  std::filesystem::path Out(const std::string& name) const { return scratch_ / name; }

  // What it left, by the names of left_by_run.h.
  std::string Weights(const std::string& name) const { return WeightsIn(Out(name)); }
  std::string Model(const std::string& name) const { return ModelIn(Out(name)); }
  nlohmann::json Summary(const std::string& name) const { return SummaryIn(Out(name)); }
  std::vector<nlohmann::json> Metrics(const std::string& name, const std::string& split) const {
    return MetricsIn(Out(name), split);
  }

  const ScratchFolder scratch_;
};

}  // namespace weir
