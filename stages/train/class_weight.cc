#include "stages/train/class_weight.h"

#include <unordered_map>
#include <utility>

#include "framework/config/component.h"
#include "framework/error.h"
#include "stages/sources/listing/lookalikes.h"

namespace weir {
namespace {

constexpr const char* kNone = "none";
constexpr const char* kBalanced = "balanced";

FieldRules WeightRules() {
  FieldRules rules;
  rules.Add(MoreThan{0});
  return rules;
}

std::vector<double> Balanced(const std::vector<std::string>& classes, const ClassCounts* counts) {
  if (!counts) {
    throw Error(ErrorKind::kConfig,
                "training.class_weight: balanced needs to know how many pictures of each class "
                "there are to train on, which the source does not say",
                "Give the weights by name: class_weight: {ants: 2}.");
  }
  std::vector<double> weights;
  double pictures = 0;
  for (std::size_t label = 0; label < classes.size(); ++label) {
    const std::uint64_t of_class = counts->of(Split::kTrain, static_cast<int>(label));
    if (of_class == 0) {
      throw Error(ErrorKind::kConfig,
                  "training.class_weight: balanced has no weight for the class " +
                      Shown(classes[label]) + ", of which there is no picture to train on",
                  "Give the weights by name: class_weight: {ants: 2}.");
    }
    weights.push_back(static_cast<double>(of_class));
    pictures += static_cast<double>(of_class);
  }
  for (double& weight : weights) {
    weight = pictures / (static_cast<double>(classes.size()) * weight);
  }
  return weights;
}

}  // namespace

TypeWords ParamType<ClassWeight>::Words(const FieldRules&) {
  return {"none, balanced, or a map of weights by class", "weights of classes"};
}

std::optional<ClassWeight> ParamType<ClassWeight>::Read(const YamlNode& node,
                                                        const FieldRules& rules,
                                                        Problems& problems) {
  if (node.is_null() || (node.is_scalar() && node.scalar() == kNone)) return ClassWeight{};
  if (node.is_scalar() && node.scalar() == kBalanced) return ClassWeight{.is_balanced = true};
  if (!node.is_map()) {
    detail::AddWrongType(node, rules, Words(rules).one, problems);
    return std::nullopt;
  }
  ClassWeight weight;
  for (const YamlEntry& entry : node.entries()) {
    const auto one = ParamType<double>::Read(entry.value, WeightRules(), problems);
    const std::string why = one ? WhyNotFloat32(entry.key, *one) : "";
    if (!why.empty()) problems.Add(entry.value.position(), why);
    if (one) weight.named.push_back({entry.key, *one, entry.key_position});
  }
  return weight.named.size() == node.entries().size() ? std::optional(std::move(weight))
                                                      : std::nullopt;
}

YamlNode ParamType<ClassWeight>::Write(const ClassWeight& weight, const FieldRules&) {
  if (weight.is_balanced) return YamlNode::Scalar(kBalanced);
  if (weight.named.empty()) return YamlNode::Scalar(kNone);
  std::vector<YamlEntry> entries;
  for (const ClassWeight::Named& each : weight.named) {
    entries.push_back({each.name, detail::WriteNumber(each.weight)});
  }
  return YamlNode::Map(entries);
}

YamlNode ParamType<ClassWeight>::Schema(const FieldRules&) {
  const YamlNode by_name =
      schema::OfType("object").With({"additionalProperties", detail::NumberSchema(WeightRules())});
  return schema::AnyOf({schema::OneOf({kNone, kBalanced}), schema::OfType("null"), by_name});
}

std::vector<double> WeightsOf(const ClassWeight& weight, const std::vector<std::string>& classes,
                              const ClassCounts* counts) {
  if (weight.is_balanced) return Balanced(classes, counts);
  if (weight.named.empty()) return {};
  std::unordered_map<std::string, std::size_t> labels;
  for (std::size_t i = 0; i < classes.size(); ++i) labels.emplace(Composed(classes[i]), i);
  std::vector<double> weights(classes.size(), 1);
  for (const ClassWeight::Named& each : weight.named) {
    const auto found = labels.find(Composed(each.name));
    if (found == labels.end()) {
      const std::string remedy = RemedyForClass(each.name, classes);
      throw Error(ErrorKind::kConfig,
                  Format(each.position, "`class_weight` names " + Shown(each.name) +
                                            ", which is no class of the pictures"),
                  remedy.empty() ? "The classes are " + ShownList(classes) + "." : remedy);
    }
    weights[found->second] = each.weight;
  }
  return weights;
}

// A loss is linear in its target, so that of a mixture whose parts weigh otherwise is the sum of
// their weights times that of another mixture.
double WeightedGradient(const Loss& loss, std::span<const double> weights, std::span<float> logits,
                        const Sample& sample, double scale) {
  if (weights.empty()) return loss.Gradient(logits, sample, scale);
  if (sample.mixture.empty()) {
    const double weight = weights[sample.label];
    return weight * loss.Gradient(logits, sample, weight * scale);
  }
  Sample weighted{.label = sample.label, .path = "", .mixture = sample.mixture};
  double sum = 0;
  for (LabelPart& part : weighted.mixture) {
    part.part *= weights[part.label];
    sum += part.part;
  }
  for (LabelPart& part : weighted.mixture) part.part /= sum;
  return sum * loss.Gradient(logits, weighted, sum * scale);
}

}  // namespace weir
