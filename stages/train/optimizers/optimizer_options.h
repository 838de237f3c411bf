// What may be asked of every optimizer beside its own numbers: weight decay, limits of the
// gradients, and which parameters are treated differently. An optimizer's Params hold them and
// append FieldsOf(&Params::options) to their own fields, so that the keys stand side by side. What
// is done about them is in optimizer_step.h and stages/train/parameter_groups.h, so that no
// optimizer knows of them.
//
// Values; any thread.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "framework/config/component.h"
#include "framework/config/params.h"

namespace weir {

enum class WeightDecayIn { kStep, kLoss };
template <>
struct EnumNames<WeightDecayIn> {
  static constexpr std::array kNames{std::pair{"step", WeightDecayIn::kStep},
                                     std::pair{"loss", WeightDecayIn::kLoss}};
};

enum class NoDecay { kNothing, kNormsAndBiases };
template <>
struct EnumNames<NoDecay> {
  static constexpr std::array kNames{std::pair{"nothing", NoDecay::kNothing},
                                     std::pair{"norms_and_biases", NoDecay::kNormsAndBiases}};
};

// One pattern or a list of them; never empty once read.
struct NamePatterns {
  std::vector<std::string> list{};
};
template <>
struct ParamType<NamePatterns> {
  static TypeWords Words(const FieldRules&) {
    return {"a pattern or a list of patterns", "patterns"};
  }
  static std::optional<NamePatterns> Read(const YamlNode&, const FieldRules&, Problems&);
  static YamlNode Write(const NamePatterns&, const FieldRules&);
  static YamlNode Schema(const FieldRules&);
};

// Parameters with a rate or a weight decay of their own.
struct ParameterGroup {
  NamePatterns parameters{};
  std::optional<double> learning_rate{};
  std::optional<double> weight_decay{};

  static auto Fields() {
    return std::tuple{
        Field{"parameters", &ParameterGroup::parameters,
              "Which: patterns with * and ? over a parameter's own name (features.18.0.weight, "
              "head.1.bias) and its layer's, as in model.frozen.",
              Required{}},
        Field{"learning_rate", &ParameterGroup::learning_rate,
              "Their rate in place of the optimizer's, without layer_decay; the schedule changes "
              "it in proportion.",
              MoreThan{0}},
        Field{"weight_decay", &ParameterGroup::weight_decay,
              "Their weight decay in place of the optimizer's; no_decay still holds.", AtLeast{0}}};
  }
  void Check(const Blame& blame) const;
};

struct OptimizerOptions {
  double weight_decay = 0;
  WeightDecayIn weight_decay_in = WeightDecayIn::kStep;
  NoDecay no_decay = NoDecay::kNothing;
  double layer_decay = 1;
  std::optional<double> clip_norm{};
  std::optional<double> clip_value{};
  std::vector<ParameterGroup> groups{};

  static auto Fields() {
    using Options = OptimizerOptions;
    return std::tuple{
        Field{"weight_decay", &Options::weight_decay,
              "How much of the weights each step takes off (PyTorch's AdamW: 0.01).", AtLeast{0},
              ElsewhereCalled{"wd", "l2"}},
        Field{"weight_decay_in", &Options::weight_decay_in,
              "step: weight_decay times the rate is taken off the weights before the step, as "
              "Keras 3 does; loss: weight_decay times the weights is added to the gradient, as "
              "PyTorch's sgd, adam and rmsprop do."},
        Field{"no_decay", &Options::no_decay,
              "What weight decay leaves alone: norms_and_biases are the parameters of one "
              "dimension, as in timm."},
        Field{"layer_decay", &Options::layer_decay,
              "The rate of a block of the backbone is times layer_decay to the power of its "
              "distance from the head, which the last block has as 1; more than 0 (timm: "
              "layer_decay).",
              Range{0, 1}},
        Field{
            "clip_norm", &Options::clip_norm,
            "The most that the norm of all gradients together may be: longer ones are scaled "
            "down (Keras: global_clipnorm; its clipnorm limits each parameter by itself). ~ is no "
            "limit.",
            MoreThan{0}, ElsewhereCalled{"global_clipnorm", "max_grad_norm"}},
        Field{
            "clip_value", &Options::clip_value,
            "The most that each element of the gradients may be, either way (Keras: clipvalue). ~ "
            "is no limit.",
            MoreThan{0}, ElsewhereCalled{"clipvalue"}},
        Field{"groups", &Options::groups,
              "Parameters with a rate or a weight decay of their own; none may be in two."}};
  }

  // What each Params' Check calls; `learning_rate` is the optimizer's.
  void CheckAt(const Blame& blame, double learning_rate) const;
};

// What other programs call the parameters that most optimizers have.
inline ElsewhereCalled LearningRateElsewhere() { return {"lr", "lr0", "base_lr", "init_lr"}; }
inline ElsewhereCalled Beta1Elsewhere() { return {"beta1", "b1"}; }
inline ElsewhereCalled Beta2Elsewhere() { return {"beta2", "b2"}; }
inline ElsewhereCalled EpsilonElsewhere() { return {"eps", "opt_eps"}; }

}  // namespace weir
