// Where 50 steps go, against Keras', PyTorch's and timm's optimizers (optimizers_reference.py).
#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "framework/config/yaml_reader.h"
#include "stages/train/optimizers/on_device/optimizer_step_on_device.h"
#include "stages/train/optimizers/optimizer.h"
#include "stages/train/optimizers/optimizer_step.h"
#include "tests/support/reference_tensors.h"

namespace weir {
namespace {

constexpr int kSteps = 50;
// The kernel, the bias and gamma: their values, which lie 16 apart as in a ParameterTable.
constexpr std::array kValues = {12, 4, 3};
constexpr int kAllValues = 12 + 4 + 3, kRun = 3 * 16;

// Both compute in float32, in another order here and there: a few units in the last place of values
// that are up to 5 large. PyTorch's limit of the norm adds 1e-6 to it. Keras takes beta_2 as a
// float32, whose 1 - beta_2^t is 1.3e-5 of itself smaller, and so its step 6.4e-6 of itself: 3.2e-6
// where 50 steps of 0.01 go one way. LAMB's step is scaled to the same length all the same.
double ToleranceOf(const std::string& optimizer) {
  const bool is_unbiased = optimizer == "adam" || optimizer == "adamw" || optimizer == "nadam";
  return is_unbiased ? 4e-6 : 2e-6;
}

std::shared_ptr<const Optimizer> ReadOptimizer(const nlohmann::json& words) {
  Problems problems;
  const YamlNode node = ParseYaml(YamlSource::File("case", words.dump(), "/"), problems);
  const auto read = ParamType<std::shared_ptr<const Optimizer>>::Read(node, {}, problems);
  EXPECT_EQ(problems.text(), "");
  return read.value_or(nullptr);
}

std::vector<StepSpan> SpansOf(const OptimizerOptions& options) {
  std::vector<StepSpan> spans;
  for (std::size_t i = 0; i < kValues.size(); ++i) {
    const bool decays = i == 0 || options.no_decay == NoDecay::kNothing;
    spans.push_back(
        {.begin = i * 16, .count = 16, .weight_decay = decays ? options.weight_decay : 0});
  }
  return spans;
}

using Floats = std::vector<float>;

// 19 values to their places in a run, and back.
Floats Spread(const float* values) {
  Floats run(kRun);
  for (std::size_t i = 0; i < kValues.size(); ++i) {
    std::copy_n(values, kValues[i], run.begin() + i * 16);
    values += kValues[i];
  }
  return run;
}
Floats Gather(const Floats& run) {
  Floats values;
  for (std::size_t i = 0; i < kValues.size(); ++i) {
    values.insert(values.end(), run.begin() + i * 16, run.begin() + i * 16 + kValues[i]);
  }
  return values;
}

at::Tensor TensorOf(Floats& run) {
  return at::from_blob(run.data(), {static_cast<std::int64_t>(run.size())}, at::kFloat);
}

// The largest difference from `path`, [kSteps, 19], after any step.
double Difference(const Optimizer& optimizer, const Floats& start, const Floats& gradients,
                  const Floats& path, bool in_torch) {
  const c10::InferenceMode inference;
  const OptimizerStep step(optimizer, SpansOf(optimizer.options()));
  Floats values = Spread(start.data());
  std::vector<Floats> slots(optimizer.slot_names().size(),
                            Floats(kRun, static_cast<float>(optimizer.slot_start())));
  double difference = 0;
  for (int t = 1; t <= kSteps; ++t) {
    const std::size_t row = static_cast<std::size_t>(t - 1) * kAllValues;
    Floats gradient = Spread(gradients.data() + row);
    if (in_torch) {
      std::vector<at::Tensor> tensors;
      for (Floats& slot : slots) tensors.push_back(TensorOf(slot));
      ApplyOnDevice(step, {TensorOf(values), TensorOf(gradient), tensors}, t,
                    optimizer.learning_rate());
    } else {
      const std::vector<std::span<float>> spans(slots.begin(), slots.end());
      step.Apply(values, gradient, spans, t, optimizer.learning_rate());
    }
    const Floats now = Gather(values);
    for (int i = 0; i < kAllValues; ++i) {
      const double apart = std::abs(double{now[i]} - path[row + i]);
      difference = apart <= difference ? difference : apart;  // also what is not a number
    }
  }
  return difference;
}

class OptimizerReferences : public testing::TestWithParam<Part<Optimizer>> {};

TEST_P(OptimizerReferences, GoesWhereThePeersGo) {
  const ReferenceTensors file("tests/stages/train/optimizers/optimizers_reference.safetensors");
  const Floats start = file.Values<float>("start"), gradients = file.Values<float>("gradients");
  const nlohmann::json cases = nlohmann::json::parse(file.Metadata("reference")).at("cases");
  const std::string name(GetParam().names.front());
  std::map<std::string, double> largest;
  int of_keras = 0;
  for (const auto& [key, words] : cases.items()) {
    if (!words.contains(name)) continue;
    const auto optimizer = ReadOptimizer(words);
    ASSERT_NE(optimizer, nullptr) << key;
    const Floats path = file.Values<float>(key);
    const std::string peer = key.substr(0, key.find(':'));
    for (const bool in_torch : {false, true}) {
      const double difference = Difference(*optimizer, start, gradients, path, in_torch);
      EXPECT_LE(difference, ToleranceOf(name)) << key << (in_torch ? ", in LibTorch" : "");
      largest[peer] = std::max(largest[peer], difference);
    }
    of_keras += peer == "Keras" ? 1 : 0;
  }
  EXPECT_GE(of_keras, 5);  // of defaults, with decay, without for norms, both limits
  for (const auto& [peer, difference] : largest) {
    std::printf("%s: at most %.1e from %s\n", name.c_str(), difference, peer.c_str());
  }
}

INSTANTIATE_TEST_SUITE_P(List, OptimizerReferences, testing::ValuesIn(Optimizer::All()),
                         [](const auto& info) { return std::string(info.param.names.front()); });

}  // namespace
}  // namespace weir
