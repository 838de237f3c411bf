#include "stages/train/training_config.h"

#include <gtest/gtest.h>

#include <span>
#include <string>
#include <vector>

#include "framework/config/params.h"
#include "framework/config/suggestion.h"
#include "framework/config/yaml_emitter.h"
#include "framework/config/yaml_reader.h"

namespace weir {
namespace {

YamlNode Read(const std::string& text, Problems& problems) {
  return ParseYaml(YamlSource::File("a.yaml", text, "/photos"), problems);
}

TrainingConfig Training(const std::string& text) {
  Problems problems;
  const TrainingConfig config = ParseTraining(Read(text, problems), problems);
  EXPECT_EQ(problems.text(), "");
  return config;
}

std::string ProblemsOfTraining(const std::string& text) {
  Problems problems;
  ParseTraining(Read(text, problems), problems);
  return problems.text();
}

std::string OptimizerOf(const std::string& text) {
  return EmitFlow(Training(text).optimizer->ToYaml());
}
std::string LossOf(const std::string& text) { return EmitFlow(Training(text).loss->ToYaml()); }

TEST(ParseTraining, HasTheDefaultsOfKeras) {
  EXPECT_TRUE(Training("").micro_batch.is_auto());
  const std::string options =
      ", weight_decay_in: step, no_decay: nothing, layer_decay: 1, clip_norm: ~, clip_value: ~, "
      "groups: []}}";
  const std::string adam =
      "{adam: {learning_rate: 0.001, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-07, weight_decay: 0" +
      options;
  EXPECT_EQ(OptimizerOf(""), adam);
  EXPECT_EQ(OptimizerOf("optimizer: adam"), adam);
  EXPECT_EQ(OptimizerOf("optimizer: sgd"),
            "{sgd: {learning_rate: 0.01, momentum: 0, nesterov: false, weight_decay: 0" + options);
  EXPECT_EQ(OptimizerOf("optimizer: adamw"),
            "{adamw: {learning_rate: 0.001, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-07, "
            "weight_decay: 0.004" +
                options);
  EXPECT_EQ(OptimizerOf("optimizer: {rmsprop: {momentum: 0.5}}"),
            "{rmsprop: {learning_rate: 0.001, rho: 0.9, momentum: 0.5, epsilon: 1e-07, "
            "weight_decay: 0" +
                options);
  EXPECT_EQ(OptimizerOf("optimizer: lion"),
            "{lion: {learning_rate: 0.001, beta_1: 0.9, beta_2: 0.99, weight_decay: 0" + options);
  EXPECT_EQ(OptimizerOf("optimizer: lamb"),
            "{lamb: {learning_rate: 0.001, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-07, "
            "weight_decay: 0" +
                options);
  EXPECT_EQ(OptimizerOf("optimizer: nadam"),
            "{nadam: {learning_rate: 0.001, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-07, "
            "weight_decay: 0" +
                options);
  EXPECT_EQ(OptimizerOf("optimizer: adagrad"),
            "{adagrad: {learning_rate: 0.001, initial_accumulator_value: 0.1, epsilon: 1e-07, "
            "weight_decay: 0" +
                options);
  EXPECT_EQ(LossOf("loss: {cross_entropy: {label_smoothing: 0.1}}"),
            "{categorical_crossentropy: {label_smoothing: 0.1}}");
  EXPECT_EQ(LossOf("loss: sparse_categorical_crossentropy"), "categorical_crossentropy");
}

// `metrics` names what is reported beside accuracy.
TEST(ParseTraining, ReportsAccuracyAlwaysAndEachMetricOnce) {
  for (const std::string text : {"", "metrics: []", "metrics: [accuracy, accuracy]"}) {
    const TrainingConfig config = Training(text);
    ASSERT_EQ(config.metrics.size(), 1u) << text;
    EXPECT_EQ(config.metrics[0]->name(), "accuracy");
  }
  const TrainingConfig config =
      Training("metrics: [top_k: {k: 3}, macro_f1, top_k, top_k: {k: 3}, accuracy]");
  std::string names;
  for (const auto& metric : config.metrics) names += std::string(metric->name()) + " ";
  EXPECT_EQ(names, "accuracy top_3 macro_f1 top_5 ");
}

TEST(ParseTraining, RefusesTwoMetricsOfOneName) {
  EXPECT_EQ(
      ProblemsOfTraining("metrics: [expected_calibration_error, "
                         "expected_calibration_error: {bins: 10}]"),
      "a.yaml:1:39: `expected_calibration_error` is measured already, with other parameters: "
      "leave one out\n"
      "    1 | metrics: [expected_calibration_error, expected_calibration_error: {bins: 10}]\n"
      "      |                                       ^");
}

// A phase may be longer than what it leaves to `training` says, and the other way round.
TEST(ParseTraining, AveragesFromAnEpochThatThereIs) {
  EXPECT_EQ(Training("{epochs: 20, phases: [{name: a, swa: {from: 12}}]}").phases[0].swa->from, 12);
  EXPECT_EQ(Training("{swa: {from: 12}, phases: [{name: a, epochs: 20}]}").phases[0].swa->from, 12);
  EXPECT_EQ(ProblemsOfTraining("{swa: {from: 12}}"),
            "a.yaml:1:14: `from` is epoch 12, and there are 10\n"
            "    1 | {swa: {from: 12}}\n"
            "      |              ^");
  EXPECT_EQ(ProblemsOfTraining("{swa: {from: 12}, phases: [{name: a, epochs: 11}]}"),
            "a.yaml:1:14: `from` is epoch 12, and there are 11\n"
            "    1 | {swa: {from: 12}, phases: [{name: a, epochs: 11}]}\n"
            "      |              ^");
}

TEST(ParseTraining, TakesWeightsOfClasses) {
  const auto written = [](const std::string& text) {
    return EmitFlow(*ToYaml(Training(text)).Find("class_weight"));
  };
  EXPECT_EQ(written(""), "none");
  EXPECT_EQ(written("class_weight:"), "none");
  EXPECT_EQ(written("class_weight: balanced"), "balanced");
  EXPECT_EQ(written("class_weight: {ants: 2, '3': 1/4}"), "{ants: 2, 3: 0.25}");
}

// The names of the parts as a message has them: "adam, adamw and sgd".
template <class Kind>
std::string AllNames() {
  std::vector<std::string> names;
  for (const Part<Kind>& part : Kind::All()) {
    names.insert(names.end(), part.names.begin(), part.names.end());
  }
  return Enumerate(names);
}

TEST(ParseTraining, BlamesThePlace) {
  EXPECT_EQ(ProblemsOfTraining("optimizer: adm"),
            "a.yaml:1:12: there is no optimizer `adm`; did you mean `adam`?\n"
            "    1 | optimizer: adm\n"
            "      |            ^");
  EXPECT_EQ(ProblemsOfTraining("optimizer: {sgd: {nesterov: true}}"),
            "a.yaml:1:29: `nesterov` needs a `momentum` above 0\n"
            "    1 | optimizer: {sgd: {nesterov: true}}\n"
            "      |                             ^");
  EXPECT_EQ(ProblemsOfTraining("optimizer: {adam: {groups: [{parameters: head}]}}"),
            "a.yaml:1:42: a group takes a `learning_rate`, a `weight_decay`, or both\n"
            "    1 | optimizer: {adam: {groups: [{parameters: head}]}}\n"
            "      |                                          ^");
  EXPECT_EQ(ProblemsOfTraining("epochs: 0"),
            "a.yaml:1:9: `epochs` takes 1 or more, not 0\n"
            "    1 | epochs: 0\n"
            "      |         ^");
  EXPECT_EQ(ProblemsOfTraining("metrics: [accuracy, auc]"),
            "a.yaml:1:21: there is no metric `auc`; there is " + AllNames<Metric>() +
                "\n"
                "    1 | metrics: [accuracy, auc]\n"
                "      |                     ^");
  EXPECT_EQ(ProblemsOfTraining("metrics: [top_k: {k: 0}]"),
            "a.yaml:1:22: `k` takes 1 or more, not 0\n"
            "    1 | metrics: [top_k: {k: 0}]\n"
            "      |                      ^");
  EXPECT_EQ(ProblemsOfTraining("class_weight: balancd"),
            "a.yaml:1:15: `class_weight` takes none, balanced, or a map of weights by class, not "
            "`balancd`\n"
            "    1 | class_weight: balancd\n"
            "      |               ^");
  EXPECT_EQ(ProblemsOfTraining("class_weight: {ants: 0, bees: -1, wasps: .inf}"),
            "a.yaml:1:22: `ants` takes more than 0, not 0\n"
            "    1 | class_weight: {ants: 0, bees: -1, wasps: .inf}\n"
            "      |                      ^\n"
            "a.yaml:1:31: `bees` takes more than 0, not -1\n"
            "    1 | class_weight: {ants: 0, bees: -1, wasps: .inf}\n"
            "      |                               ^\n"
            "a.yaml:1:42: `wasps` takes a number, not `.inf`\n"
            "    1 | class_weight: {ants: 0, bees: -1, wasps: .inf}\n"
            "      |                                          ^");
  EXPECT_EQ(ProblemsOfTraining("loss: mse"), "a.yaml:1:7: there is no loss `mse`; there is " +
                                                 AllNames<Loss>() +
                                                 "\n"
                                                 "    1 | loss: mse\n"
                                                 "      |       ^");
  EXPECT_EQ(ProblemsOfTraining("loss: cross_entropi"),
            "a.yaml:1:7: there is no loss `cross_entropi`; did you mean `cross_entropy`?\n"
            "    1 | loss: cross_entropi\n"
            "      |       ^");
  EXPECT_EQ(ProblemsOfTraining("schedule: cosin"),
            "a.yaml:1:11: there is no schedule `cosin`; did you mean `cosine`?\n"
            "    1 | schedule: cosin\n"
            "      |           ^");
}

TEST(ToYaml, OfTrainingReadsBackToTheSame) {
  const std::string text = EmitYaml(ToYaml(Training(R"(
epochs: 3
optimizer:
  sgd:
    momentum: 0.9
    nesterov: true
    clip_norm: 1
    groups: [{parameters: "head.*", learning_rate: 0.1}]
schedule: cosine
loss: {categorical_crossentropy: {label_smoothing: 0.1}}
micro_batch: 4
)")));
  EXPECT_EQ(text, R"(epochs: 3
optimizer:
  sgd:
    learning_rate: 0.01
    momentum: 0.9
    nesterov: true
    weight_decay: 0
    weight_decay_in: step
    no_decay: nothing
    layer_decay: 1
    clip_norm: 1
    clip_value: ~
    groups:
      - parameters: [head.*]
        learning_rate: 0.1
        weight_decay: ~
schedule:
  cosine:
    min: 0
loss:
  categorical_crossentropy:
    label_smoothing: 0.1
class_weight: none
micro_batch: 4
early_stopping: ~
ema: ~
swa: ~
metrics: [accuracy]
keep: auto
monitor: accuracy
checkpoint_interval: 1min
)");
  EXPECT_EQ(EmitYaml(ToYaml(Training(text))), text);
}

template <class Kind>
std::string NamesOf(std::span<const Part<Kind>> parts) {
  std::string names;
  for (const Part<Kind>& part : parts) names += std::string(part.names.front()) + " ";
  return names;
}

TEST(DescribeTraining, NamesTheOptimizersTheSchedulesAndTheLosses) {
  const auto nested = [](std::string_view of) {
    std::string names;
    for (const FieldDoc& doc : DescribeTraining()) {
      if (doc.name != of) continue;
      for (const FieldDoc& row : doc.nested) names += row.name + " ";
    }
    return names;
  };
  EXPECT_EQ(nested("optimizer"), NamesOf(Optimizer::All()));
  EXPECT_TRUE(nested("optimizer").starts_with("adam adamw sgd rmsprop lion lamb "))
      << nested("optimizer");
  EXPECT_EQ(nested("schedule"), NamesOf(Schedule::All()));
  EXPECT_TRUE(nested("schedule").starts_with("constant ")) << nested("schedule");
  EXPECT_EQ(nested("loss"), NamesOf(Loss::All()));
  EXPECT_TRUE(nested("loss").starts_with("categorical_crossentropy ")) << nested("loss");
}

}  // namespace
}  // namespace weir
