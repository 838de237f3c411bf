// What `weir lr-find` says to set gives the rate that it found, and changes nothing else.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "framework/config/yaml_emitter.h"
#include "pipelines/finetune/range_test_run.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

constexpr const char* kRest = R"(
pipeline:
  - directory: {path: photos}
  - decode
  - augment: {size: 224}
  - batch
  - prefetch
  - features
  - train
model: {head: [global_average_pooling, {dense: {units: 2}}]}
)";

class LearningRateOptionTest : public ::testing::Test {
 protected:
  Recipe PhaseOf(const std::string& training, int phase, const std::vector<std::string>& more) {
    const auto path = folder_.Write("job.yaml", "training: " + training + kRest);
    return PhasesOf(LoadRecipe(stages_, path, more)).at(static_cast<std::size_t>(phase));
  }
  // The optimizer as it is once what is said is set.
  std::string Changed(const std::string& training, int phase, std::string* option) {
    *option = LearningRateOption(PhaseOf(training, phase, {}), "0.25");
    return EmitFlow(PhaseOf(training, phase, {*option}).training.optimizer->ToYaml());
  }
  // The same with the rate written into the configuration.
  std::string Written(const std::string& training, int phase) {
    return EmitFlow(PhaseOf(training, phase, {}).training.optimizer->ToYaml());
  }

  const ScratchFolder folder_;
  StageTable stages_;
};

TEST_F(LearningRateOptionTest, ChangesTheRateAndNothingElse) {
  struct Case {
    std::string training;
    std::string with_rate;  // the same, with the rate written by hand
    std::string option;
    int phase = 0;
  };
  const std::vector<Case> all = {
      {"{epochs: 1}", "{epochs: 1, optimizer: {adam: {learning_rate: 0.25}}}",
       "training.optimizer.adam.learning_rate=0.25"},
      {"{optimizer: adamw}", "{optimizer: {adamw: {learning_rate: 0.25}}}",
       "training.optimizer={adamw: {learning_rate: 0.25}}"},
      {"{optimizer: {lamb: {clip_norm: 1}}}",
       "{optimizer: {lamb: {learning_rate: 0.25, clip_norm: 1}}}",
       "training.optimizer.lamb.learning_rate=0.25"},
      {"{phases: [{name: a}, {name: b, optimizer: {sgd: {momentum: 0.9}}}]}",
       "{phases: [{name: a}, {name: b, optimizer: {sgd: {momentum: 0.9, learning_rate: 0.25}}}]}",
       "training.phases.1.optimizer.sgd.learning_rate=0.25", 1},
      {"{optimizer: {adamw: {weight_decay: 0.05, no_decay: norms_and_biases}}, "
       "phases: [{name: a}, {name: b, optimizer: sgd}]}",
       "{phases: [{name: a, optimizer: {adamw: {weight_decay: 0.05, no_decay: norms_and_biases, "
       "learning_rate: 0.25}}}]}",
       "training.phases.0.optimizer={adamw: {weight_decay: 0.05, no_decay: norms_and_biases, "
       "learning_rate: 0.25}}"},
      {"{optimizer: {adamw: {weight_decay: 0.05}}, phases: [{name: a}, {name: b, optimizer: sgd}]}",
       "{phases: [{name: a}, {name: b, optimizer: {sgd: {learning_rate: 0.25}}}]}",
       "training.phases.1.optimizer={sgd: {learning_rate: 0.25}}", 1},
  };
  for (const Case& each : all) {
    std::string option;
    EXPECT_EQ(Changed(each.training, each.phase, &option), Written(each.with_rate, each.phase));
    EXPECT_EQ(option, each.option);
  }
}

}  // namespace
}  // namespace weir
