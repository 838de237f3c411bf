#include "stages/model/head_config.h"

#include <tuple>

#include "framework/config/component.h"

namespace weir {

// A number, or `classes`.
struct Units {
  int value = 0;
};

template <>
struct ParamType<Units> {
  static TypeWords Words(const FieldRules&) {
    return {"a whole number or `classes`", "whole numbers or `classes`"};
  }
  static std::optional<Units> Read(const YamlNode& node, const FieldRules& rules,
                                   Problems& problems) {
    if (node.is_scalar() && node.scalar() == "classes") return Units{kUnitsOfClasses};
    if (!node.is_scalar() || node.scalar().find_first_not_of("0123456789") != std::string::npos) {
      detail::AddWrongType(node, rules, Words(rules).one, problems);
      return std::nullopt;
    }
    const std::optional<int> value = ParamType<int>::Read(node, rules, problems);
    return value ? std::optional(Units{*value}) : std::nullopt;
  }
  static YamlNode Write(Units units, const FieldRules& rules) {
    if (units.value == kUnitsOfClasses) return YamlNode::Scalar("classes");
    return ParamType<int>::Write(units.value, rules);
  }
  static YamlNode Schema(const FieldRules& rules) {
    return schema::AnyOf({detail::WholeSchema(rules), schema::OneOf({"classes"})});
  }
};

namespace {

using Kind = HeadLayer::Kind;

struct NoParams {
  static auto Fields() { return std::tuple{}; }
};

struct DropoutParams {
  double rate = HeadLayer{}.rate;

  static auto Fields() {
    return std::tuple{Field{"rate", &DropoutParams::rate,
                            "The fraction of values that a train pass sets to 0; less than 1.",
                            Range{0, 1}}};
  }
  void Check(const Blame& blame) const { CheckLessThanOne(blame, "rate", rate); }
};

struct BatchNormParams {
  double momentum = HeadLayer{}.momentum;
  double epsilon = HeadLayer{}.epsilon;

  static auto Fields() {
    return std::tuple{
        Field{"momentum", &BatchNormParams::momentum,
              "How much of the moving statistics a step keeps (Keras' meaning; "
              "PyTorch's momentum is 1 - this).",
              Range{0, 1}},
        Field{"epsilon", &BatchNormParams::epsilon, "Added to the variance.", MoreThan{0}}};
  }
  void Check(const Blame& blame) const { CheckLessThanOne(blame, "momentum", momentum); }
};

struct DenseParams {
  Units units;
  Activation activation = Activation::kLinear;

  static auto Fields() {
    return std::tuple{Field{"units", &DenseParams::units,
                            "How many values it gives; `classes` is as many as the data has.",
                            Range{1, 1'000'000}, Required{}},
                      Field{"activation", &DenseParams::activation,
                            "What follows it. softmax is for the last layer."}};
  }
};

}  // namespace

std::string_view Name(Activation activation) { return NameIn(activation); }
std::string_view Name(HeadLayer::Kind kind) { return NameIn(kind); }

std::optional<HeadLayer> ParamType<HeadLayer>::Read(const YamlNode& node, const FieldRules&,
                                                    Problems& problems) {
  const std::size_t before = problems.size();
  const auto written = ReadNamedParams(node, "head layer", ChoicesOf<Kind>(), problems);
  if (!written) return std::nullopt;
  HeadLayer layer{.kind = static_cast<Kind>(written->kind)};
  if (layer.kind == Kind::kDropout) {
    layer.rate = Parse<DropoutParams>(written->params, problems).rate;
  } else if (layer.kind == Kind::kBatchNorm) {
    const auto params = Parse<BatchNormParams>(written->params, problems);
    layer.momentum = params.momentum;
    layer.epsilon = params.epsilon;
  } else if (layer.kind == Kind::kDense) {
    const auto params = Parse<DenseParams>(written->params, problems);
    layer.units = params.units.value;
    layer.activation = params.activation;
  } else {
    Parse<NoParams>(written->params, problems);
  }
  return problems.size() == before ? std::optional(layer) : std::nullopt;
}

YamlNode ParamType<HeadLayer>::Write(const HeadLayer& layer, const FieldRules&) {
  YamlNode params = YamlNode::Map({});
  if (layer.kind == Kind::kDropout) params = ToYaml(DropoutParams{layer.rate});
  if (layer.kind == Kind::kBatchNorm) {
    params = ToYaml(BatchNormParams{layer.momentum, layer.epsilon});
  }
  if (layer.kind == Kind::kDense) params = ToYaml(DenseParams{{layer.units}, layer.activation});
  return WriteNamedParams(Name(layer.kind), params);
}

YamlNode ParamType<HeadLayer>::Schema(const FieldRules&) {
  const auto of = []<class P>(Kind kind) {
    return schema::Property{std::string(Name(kind)), SchemaOf<P>()};
  };
  return schema::NamedOf(
      {of.operator()<NoParams>(Kind::kGlobalAveragePooling),
       of.operator()<NoParams>(Kind::kGlobalMaxPooling), of.operator()<NoParams>(Kind::kFlatten),
       of.operator()<DropoutParams>(Kind::kDropout),
       of.operator()<BatchNormParams>(Kind::kBatchNorm), of.operator()<DenseParams>(Kind::kDense)});
}

std::vector<FieldDoc> DescribeHeadLayers() {
  return {DescribeNamed<NoParams>(Name(Kind::kGlobalAveragePooling), "The mean over the map."),
          DescribeNamed<NoParams>(Name(Kind::kGlobalMaxPooling), "The largest over the map."),
          DescribeNamed<NoParams>(Name(Kind::kFlatten), "The map as one vector, channels last."),
          DescribeNamed<DropoutParams>(Name(Kind::kDropout),
                                       "Sets some values to 0 and scales the rest up, in train "
                                       "passes."),
          DescribeNamed<BatchNormParams>(Name(Kind::kBatchNorm), "Normalises each channel."),
          DescribeNamed<DenseParams>(Name(Kind::kDense),
                                     "Every output from every input; Glorot uniform, zero bias.")};
}

}  // namespace weir
