// The section `training:` of a configuration, as typed values: how the model learns.
//
// Plain data, put among the resources by the command and read by the stage `train`; the functions
// are pure and may be called from any thread.
#pragma once

#include <string_view>
#include <vector>

namespace weir {

class Problems;
class YamlNode;
struct FieldDoc;

struct OptimizerConfig {
  enum class Kind { kAdam, kAdamW, kSgd, kRmsprop };
  Kind kind = Kind::kAdam;
  double learning_rate = 1e-3;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  double rho = 0.9;  // RMSprop's
  double momentum = 0;
  bool nesterov = false;
  double weight_decay = 0;  // decoupled (AdamW) or added to the gradient
};

enum class Schedule { kConstant, kCosine };

struct TrainingConfig {
  static constexpr std::string_view kResource = "training";

  int epochs = 10;
  OptimizerConfig optimizer{};
  Schedule schedule = Schedule::kConstant;
  double label_smoothing = 0;      // of the one loss there is, categorical cross-entropy
  int micro_batch = 0;             // 0: auto, a function of the model alone; the largest on a GPU
  double checkpoint_seconds = 60;  // the save interval; also at the end of every epoch
};

// Reads the section (null: every default). What is wrong goes to `problems`, with its place.
TrainingConfig ParseTraining(const YamlNode& node, Problems& problems);

// Every value as resolved, so that it parses to the same again.
YamlNode ToYaml(const TrainingConfig& config);

// The keys with their documentation, defaults and ranges; an optimizer is a row nested in
// `optimizer`.
std::vector<FieldDoc> DescribeTraining();

// What it may be, as JSON Schema (framework/config/schema.h).
YamlNode TrainingSchema();

}  // namespace weir
