// The configuration of a small job that trains a MobileNetV2 of width 0.35 from random weights: a
// test names what matters to it, and the rest is what most tests have.
//
//   scratch.Write("job.yaml", TrainingYaml({.source = "directory: {path: photos}",
//                                           .frozen = "none"}));
#pragma once

#include <string>
#include <vector>

namespace weir {

// Stages are written as they stand in the list `pipeline:`, "batch: {size: 8}".
struct TrainingJob {
  std::string settings = "threads: 2";  // lines above the pipeline
  std::string source{};
  std::vector<std::string> picture_stages = {"augment: {size: [32, 32]}"};  // behind decode
  std::string batch = "batch: {size: 8}";
  std::vector<std::string> batch_stages = {"prefetch: {device: cpu}"};
  std::string features = "features";
  std::string convention = "auto";
  std::string frozen = "all";
  std::string hidden_layers{};  // between the pooling and the classes, "dense: {units: 16}, "
  std::string training = "{epochs: 1}";
};

inline std::string TrainingYaml(const TrainingJob& job) {
  std::vector<std::string> stages = {job.source, "decode"};
  stages.insert(stages.end(), job.picture_stages.begin(), job.picture_stages.end());
  stages.push_back(job.batch);
  stages.insert(stages.end(), job.batch_stages.begin(), job.batch_stages.end());
  stages.insert(stages.end(), {job.features, "train"});
  std::string yaml = job.settings + "\npipeline:\n";
  for (const std::string& stage : stages) yaml += "  - " + stage + "\n";
  return yaml +
         "model:\n  backbone: {name: mobilenet_v2, width: 0.35, weights: none, convention: " +
         job.convention + "}\n  frozen: " + job.frozen + "\n  head: [global_average_pooling, " +
         job.hidden_layers +
         "dense: {units: classes, activation: softmax}]\ntraining: " + job.training + "\n";
}

}  // namespace weir
