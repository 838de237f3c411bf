#include "stages/train/training_config.h"

#include <algorithm>
#include <array>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "framework/config/component.h"
#include "framework/config/params.h"

namespace weir {

using OptimizerKind = OptimizerConfig::Kind;

template <>
struct EnumNames<OptimizerKind> {
  static constexpr std::array kNames{
      std::pair{"adam", OptimizerKind::kAdam}, std::pair{"adamw", OptimizerKind::kAdamW},
      std::pair{"sgd", OptimizerKind::kSgd}, std::pair{"rmsprop", OptimizerKind::kRmsprop}};
};

template <>
struct EnumNames<Schedule> {
  static constexpr std::array kNames{std::pair{"constant", Schedule::kConstant},
                                     std::pair{"cosine", Schedule::kCosine}};
};

namespace {

// Defaults are Keras'.
template <OptimizerKind kKind>
struct AdamParams {
  double learning_rate = 0.001;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  double weight_decay = kKind == OptimizerKind::kAdamW ? 0.004 : 0;

  static auto Fields() {
    return std::tuple{
        Field{"learning_rate", &AdamParams::learning_rate, "The size of a step.", MoreThan{0}},
        Field{"beta_1", &AdamParams::beta_1,
              "How much of the mean gradient a step keeps; less than 1.", Range{0, 1}},
        Field{"beta_2", &AdamParams::beta_2,
              "How much of the mean squared gradient a step keeps; less than 1.", Range{0, 1}},
        Field{"epsilon", &AdamParams::epsilon,
              "Added to the root of the mean squared gradient (PyTorch's default is 1e-8).",
              MoreThan{0}},
        Field{"weight_decay", &AdamParams::weight_decay,
              kKind == OptimizerKind::kAdamW
                  ? "Taken off the weights in each step, times the learning rate (PyTorch's "
                    "default is 0.01)."
                  : "Times the weights, added to the gradient.",
              AtLeast{0}}};
  }
  void Check(const Blame& blame) const {
    CheckLessThanOne(blame, "beta_1", beta_1);
    CheckLessThanOne(blame, "beta_2", beta_2);
  }
  static AdamParams From(const OptimizerConfig& it) {
    return {it.learning_rate, it.beta_1, it.beta_2, it.epsilon, it.weight_decay};
  }
  OptimizerConfig Config() const {
    return {.kind = kKind,
            .learning_rate = learning_rate,
            .beta_1 = beta_1,
            .beta_2 = beta_2,
            .epsilon = epsilon,
            .weight_decay = weight_decay};
  }
};

struct SgdParams {
  double learning_rate = 0.01;
  double momentum = 0;
  bool nesterov = false;
  double weight_decay = 0;

  static auto Fields() {
    return std::tuple{
        Field{"learning_rate", &SgdParams::learning_rate,
              "The size of a step (PyTorch's default is 0.001).", MoreThan{0}},
        Field{"momentum", &SgdParams::momentum,
              "How much of the last step goes into the next; less than 1.", Range{0, 1}},
        Field{"nesterov", &SgdParams::nesterov, "Nesterov's momentum."},
        Field{"weight_decay", &SgdParams::weight_decay, "Times the weights, added to the gradient.",
              AtLeast{0}}};
  }
  void Check(const Blame& blame) const {
    CheckLessThanOne(blame, "momentum", momentum);
    if (nesterov && momentum == 0) blame("nesterov", "`nesterov` needs a `momentum` above 0");
  }
  static SgdParams From(const OptimizerConfig& it) {
    return {it.learning_rate, it.momentum, it.nesterov, it.weight_decay};
  }
  OptimizerConfig Config() const {
    return {.kind = OptimizerKind::kSgd,
            .learning_rate = learning_rate,
            .momentum = momentum,
            .nesterov = nesterov,
            .weight_decay = weight_decay};
  }
};

struct RmspropParams {
  double learning_rate = 0.001;
  double rho = 0.9;
  double momentum = 0;
  double epsilon = 1e-7;
  double weight_decay = 0;

  static auto Fields() {
    return std::tuple{
        Field{"learning_rate", &RmspropParams::learning_rate,
              "The size of a step (PyTorch's default is 0.01).", MoreThan{0}},
        Field{"rho", &RmspropParams::rho,
              "How much of the mean squared gradient a step keeps; less than 1 (PyTorch calls it "
              "alpha, by default 0.99).",
              Range{0, 1}},
        Field{"momentum", &RmspropParams::momentum,
              "How much of the last step goes into the next; less than 1.", Range{0, 1}},
        Field{"epsilon", &RmspropParams::epsilon,
              "Added to the mean squared gradient (PyTorch's default is 1e-8).", MoreThan{0}},
        Field{"weight_decay", &RmspropParams::weight_decay,
              "Times the weights, added to the gradient.", AtLeast{0}}};
  }
  void Check(const Blame& blame) const {
    CheckLessThanOne(blame, "rho", rho);
    CheckLessThanOne(blame, "momentum", momentum);
  }
  static RmspropParams From(const OptimizerConfig& it) {
    return {it.learning_rate, it.rho, it.momentum, it.epsilon, it.weight_decay};
  }
  OptimizerConfig Config() const {
    return {.kind = OptimizerKind::kRmsprop,
            .learning_rate = learning_rate,
            .epsilon = epsilon,
            .rho = rho,
            .momentum = momentum,
            .weight_decay = weight_decay};
  }
};

// Calls visit.template operator()<Params>() for the parameters of `kind`.
template <class Visit>
auto WithParamsOf(OptimizerKind kind, const Visit& visit) {
  switch (kind) {
    case OptimizerKind::kAdamW:
      return visit.template operator()<AdamParams<OptimizerKind::kAdamW>>();
    case OptimizerKind::kSgd:
      return visit.template operator()<SgdParams>();
    case OptimizerKind::kRmsprop:
      return visit.template operator()<RmspropParams>();
    case OptimizerKind::kAdam:
      break;
  }
  return visit.template operator()<AdamParams<OptimizerKind::kAdam>>();
}

}  // namespace

template <>
struct ParamType<OptimizerConfig> {
  static TypeWords Words(const FieldRules&) { return {"an optimizer", "optimizers"}; }

  static std::optional<OptimizerConfig> Read(const YamlNode& node, const FieldRules&,
                                             Problems& problems) {
    const std::size_t before = problems.size();
    const auto written = ReadNamedParams(node, "optimizer", ChoicesOf<OptimizerKind>(), problems);
    if (!written) return std::nullopt;
    const OptimizerConfig config =
        WithParamsOf(static_cast<OptimizerKind>(written->kind),
                     [&]<class P>() { return Parse<P>(written->params, problems).Config(); });
    return problems.size() == before ? std::optional(config) : std::nullopt;
  }

  static YamlNode Write(const OptimizerConfig& config, const FieldRules&) {
    return WithParamsOf(config.kind, [&]<class P>() {
      return WriteNamedParams(NameIn(config.kind), weir::ToYaml(P::From(config)));
    });
  }

  static YamlNode Schema(const FieldRules&) {
    std::vector<schema::Property> optimizers;
    for (const Choice& choice : ChoicesOf<OptimizerKind>()) {
      optimizers.push_back({choice.text, WithParamsOf(static_cast<OptimizerKind>(choice.value),
                                                      []<class P>() { return SchemaOf<P>(); })});
    }
    return schema::NamedOf(optimizers);
  }
};

namespace {

struct LossParams {
  double label_smoothing = 0;

  static auto Fields() {
    return std::tuple{Field{"label_smoothing", &LossParams::label_smoothing,
                            "The part of each label that is spread over all classes; less than 1.",
                            Range{0, 1}}};
  }
  void Check(const Blame& blame) const {
    CheckLessThanOne(blame, "label_smoothing", label_smoothing);
  }
};

struct Loss {
  LossParams params;
};

}  // namespace

// One loss under three names: labels are indices here, so Keras' two are the same.
template <>
struct ParamType<Loss> {
  static TypeWords Words(const FieldRules&) { return {"a loss", "losses"}; }

  static std::optional<Loss> Read(const YamlNode& node, const FieldRules&, Problems& problems) {
    const std::size_t before = problems.size();
    const auto written = ReadNamedParams(node, "loss", Names(), problems);
    if (!written) return std::nullopt;
    const Loss loss{Parse<LossParams>(written->params, problems)};
    return problems.size() == before ? std::optional(loss) : std::nullopt;
  }

  static YamlNode Write(const Loss& loss, const FieldRules&) {
    const bool plain = loss.params.label_smoothing == 0;
    return WriteNamedParams("categorical_crossentropy",
                            plain ? YamlNode::Map({}) : weir::ToYaml(loss.params));
  }

  static YamlNode Schema(const FieldRules&) {
    std::vector<schema::Property> losses;
    for (const Choice& name : Names()) losses.push_back({name.text, SchemaOf<LossParams>()});
    return schema::NamedOf(losses);
  }

 private:
  static std::vector<Choice> Names() {
    return {"categorical_crossentropy", "sparse_categorical_crossentropy", "cross_entropy"};
  }
};

namespace {

struct TrainingParams {
  int epochs = TrainingConfig{}.epochs;
  OptimizerConfig optimizer;
  Schedule schedule = Schedule::kConstant;
  Loss loss;
  std::vector<std::string> metrics = {"accuracy"};
  Auto<int> micro_batch;
  Duration checkpoint_interval{TrainingConfig{}.checkpoint_seconds};

  static auto Fields() {
    return std::tuple{
        Field{"epochs", &TrainingParams::epochs, "How often all of the data is learnt from.",
              AtLeast{1}},
        Field{"optimizer", &TrainingParams::optimizer, "How a gradient becomes a step."},
        Field{"schedule", &TrainingParams::schedule,
              "How the learning rate falls: not at all, or along a half cosine to 0 at the end."},
        Field{"loss", &TrainingParams::loss, "What is made small."},
        Field{"metrics", &TrainingParams::metrics, "What is reported beside the loss.",
              Choices{"accuracy"}},
        Field{"micro_batch", &TrainingParams::micro_batch,
              "Samples whose gradients are computed at once; a batch is learnt from whole. auto "
              "follows the model alone, never the memory there is; on a GPU it is the largest that "
              "fits.",
              AtLeast{1}},
        Field{"checkpoint_interval", &TrainingParams::checkpoint_interval,
              "How often it is saved, beside the end of every epoch.",
              WasCalled{"checkpoint_seconds"}}};
  }
};

}  // namespace

TrainingConfig ParseTraining(const YamlNode& node, Problems& problems) {
  const auto params = Parse<TrainingParams>(node, problems);
  return {.epochs = params.epochs,
          .optimizer = params.optimizer,
          .schedule = params.schedule,
          .label_smoothing = params.loss.params.label_smoothing,
          .micro_batch = params.micro_batch.value_or(0),
          .checkpoint_seconds = params.checkpoint_interval.seconds};
}

YamlNode ToYaml(const TrainingConfig& config) {
  TrainingParams params;
  params.epochs = config.epochs;
  params.optimizer = config.optimizer;
  params.schedule = config.schedule;
  params.loss.params.label_smoothing = config.label_smoothing;
  if (config.micro_batch > 0) params.micro_batch = config.micro_batch;
  params.checkpoint_interval.seconds = config.checkpoint_seconds;
  return ToYaml(params);
}

YamlNode TrainingSchema() { return SchemaOf<TrainingParams>(); }

std::vector<FieldDoc> DescribeTraining() {
  std::vector<FieldDoc> docs = Describe<TrainingParams>();
  const auto optimizer = std::find_if(docs.begin(), docs.end(),
                                      [](const FieldDoc& doc) { return doc.name == "optimizer"; });
  for (const Choice& choice : ChoicesOf<OptimizerKind>()) {
    optimizer->nested.push_back(
        WithParamsOf(static_cast<OptimizerKind>(choice.value),
                     [&]<class P>() { return DescribeNamed<P>(choice.text, ""); }));
  }
  return docs;
}

}  // namespace weir
