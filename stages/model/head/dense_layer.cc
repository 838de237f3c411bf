#include "stages/model/head/dense_layer.h"

#include "framework/error.h"
#include "framework/shape.h"

namespace weir {
namespace {

constexpr std::int64_t kMostWeights = std::int64_t{1} << 30;  // 4 GiB of float32

}  // namespace

std::optional<Units> ParamType<Units>::Read(const YamlNode& node, const FieldRules& rules,
                                            Problems& problems) {
  if (node.is_scalar() && node.scalar() == "classes") return Units::OfClasses();
  if (!node.is_scalar() || node.scalar().find_first_not_of("0123456789") != std::string::npos) {
    detail::AddWrongType(node, rules, Words(rules).one, problems);
    return std::nullopt;
  }
  const std::optional<int> count = ParamType<int>::Read(node, rules, problems);
  return count ? std::optional(Units(*count)) : std::nullopt;
}

YamlNode ParamType<Units>::Write(Units units, const FieldRules& rules) {
  if (units.are_of_classes()) return YamlNode::Scalar("classes");
  return ParamType<int>::Write(units.count(), rules);
}

YamlNode ParamType<Units>::Schema(const FieldRules& rules) {
  return schema::AnyOf({detail::WholeSchema(rules), schema::OneOf({"classes"})});
}

std::string DenseLayer::declaration() const {
  return std::string(name()) + " " + std::to_string(params_.units.count()) + " " +
         std::string(NameIn(params_.activation));
}

std::shared_ptr<const HeadLayer> DenseLayer::WithClasses(int classes) const {
  Params params = params_;
  params.units = classes;
  return std::make_shared<const DenseLayer>(params);
}

Shape DenseLayer::OutputDims(const Shape& input, const HeadPlace& place) const {
  const int units = params_.units.count();
  if (input.size() > 1) {
    throw Error(ErrorKind::kConfig,
                place.text + ": a dense layer reads a vector, but a map of " + ToText(input) +
                    " arrives here",
                "Add global_average_pooling or flatten before it.");
  }
  if (input[0] > kMostWeights / units) {
    throw Error(ErrorKind::kConfig,
                place.text + ": " + std::to_string(input[0]) + " inputs times " +
                    std::to_string(units) + " units are more than 2^30 weights",
                "Pool before it, or give it fewer units.");
  }
  if (params_.activation == Activation::kSoftmax && !place.is_last) {
    throw Error(ErrorKind::kConfig, place.text + ": softmax before the last layer",
                "Keep softmax for the last layer; relu is usual before it.");
  }
  return {units};
}

std::vector<HeadArray> DenseLayer::Arrays(const Shape& input) const {
  const std::int64_t units = params_.units.count();
  return {{.name = "weight",
           .shape = {units, input.back()},
           .initializer = HeadArray::Initializer::kGlorotUniform},
          {.name = "bias", .shape = {units}}};
}

void DenseLayer::CheckLast() const {
  if (params_.activation == Activation::kSoftmax || params_.activation == Activation::kLinear) {
    return;
  }
  throw Error(ErrorKind::kConfig,
              "model.head: the activation of its last layer is " +
                  std::string(NameIn(params_.activation)) + ", which gives no class probabilities",
              "Use softmax, or linear (logits), which learns the same.");
}

}  // namespace weir
