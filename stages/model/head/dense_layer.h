// Every output from every input, then an activation that is known from its output alone.
#pragma once

#include <array>
#include <optional>
#include <tuple>
#include <utility>

#include "framework/shape.h"
#include "stages/model/head/head_layer.h"

namespace weir {

enum class Activation { kLinear, kRelu, kRelu6, kSigmoid, kTanh, kSoftmax };

template <>
struct EnumNames<Activation> {
  static constexpr std::array kNames{
      std::pair{"linear", Activation::kLinear}, std::pair{"relu", Activation::kRelu},
      std::pair{"relu6", Activation::kRelu6},   std::pair{"sigmoid", Activation::kSigmoid},
      std::pair{"tanh", Activation::kTanh},     std::pair{"softmax", Activation::kSoftmax}};
};

// How many values a layer gives: a number, or as many as there are classes.
class Units {
 public:
  Units(int count) : count_(count) {}  // implicit: a number is what it mostly is
  static Units OfClasses() { return Units(kOfClasses); }

  bool are_of_classes() const { return count_ == kOfClasses; }
  int count() const { return count_; }

 private:
  static constexpr int kOfClasses = -1;
  int count_;
};

template <>
struct ParamType<Units> {
  static TypeWords Words(const FieldRules&) {
    return {"a whole number or `classes`", "whole numbers or `classes`"};
  }
  static std::optional<Units> Read(const YamlNode& node, const FieldRules& rules,
                                   Problems& problems);
  static YamlNode Write(Units units, const FieldRules& rules);
  static YamlNode Schema(const FieldRules& rules);
};

class DenseLayer final : public HeadLayer {
 public:
  static constexpr std::array<std::string_view, 1> kNames{"dense"};
  static constexpr std::string_view kDoc =
      "Every output from every input; Glorot uniform, zero bias.";

  struct Params {
    Units units = 0;
    Activation activation = Activation::kLinear;

    static auto Fields() {
      return std::tuple{Field{"units", &Params::units,
                              "How many values it gives; `classes` is as many as the data has.",
                              Range{1, 1'000'000}, Required{},
                              ElsewhereCalled{"out_features", "num_units", "output_size",
                                              "output_dim", "neurons"}},
                        Field{"activation", &Params::activation,
                              "What follows it. softmax is for the last layer.",
                              ElsewhereCalled{"act", "activation_fn", "nonlinearity"}}};
    }
  };

  // Throws Error(kConfig) where the units are out of their range.
  explicit DenseLayer(const Params& params) : params_(Checked(params)) {}

  int units() const { return params_.units.count(); }  // once the classes are known
  Activation activation() const { return params_.activation; }

  std::string_view name() const override { return kNames.front(); }
  YamlNode ToYaml() const override { return WriteNamedParams(name(), weir::ToYaml(params_)); }
  std::string declaration() const override;
  std::shared_ptr<const HeadLayer> WithClasses(int classes) const override;
  bool needs_classes() const override { return params_.units.are_of_classes(); }
  Shape OutputDims(const Shape& input, const HeadPlace& place) const override;
  std::vector<HeadArray> Arrays(const Shape& input) const override;
  void CheckLast() const override;

 private:
  Params params_;
};

}  // namespace weir
