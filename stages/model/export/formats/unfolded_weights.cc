#include "stages/model/export/formats/unfolded_weights.h"

#include <cmath>
#include <cstddef>
#include <utility>
#include <variant>
#include <vector>

#include "framework/error.h"
#include "stages/model/export/formats/model_texts.h"
#include "stages/model/export/formats/preprocessing_text.h"

namespace weir {

bool IsPaddedAs(Padding padding, const Model& model) {
  const Network& network = model.network();
  Convention convention = network.convention();
  convention.padding = padding;
  const Network other(network.operations(), network.input(), convention);
  for (int i = 0; i < network.size(); ++i) {
    const NetworkLayer::Kind kind = network.layers()[i].kind;
    if (kind != NetworkLayer::Kind::kConv && kind != NetworkLayer::Kind::kMaxPool) continue;
    if (network.pads(i) != other.pads(i)) return false;
  }
  return true;
}

Naming NamingOf(std::string_view publisher, const Model& model) {
  for (Naming& naming : model.backbone().namings()) {
    if (naming.publisher != publisher || !naming.names_layers) continue;
    std::vector<LayerNames> with_weights;
    for (int i = 0; i < model.network().size(); ++i) {
      if (!model.network().layers()[i].has_weights()) continue;
      with_weights.push_back(std::move(naming.layers[i]));
    }
    naming.layers = std::move(with_weights);
    return std::move(naming);
  }
  throw Error(ErrorKind::kConfig,
              std::string(publisher) + " has no network " + model.config().backbone.name,
              "Export it with --to onnx.");
}

bool IsOfHead(const inference::Operation& operation) { return operation.name.starts_with("head."); }

ConstantValues ReadUnfolded(const InferenceGraph& graph, int operation, float epsilon) {
  const inference::Operation& it = graph.operations().at(operation);
  ConstantValues values = graph.ReadConstants(operation);
  const auto* norm = std::get_if<inference::BatchNorm>(&it.kind);
  if (!norm || IsOfHead(it) || norm->epsilon == epsilon) return values;
  std::vector<float>& gamma = values[0];
  for (std::size_t i = 0; i < gamma.size(); ++i) {
    const double variance = values[3][i];
    const double theirs = variance + epsilon, ours = variance + norm->epsilon;
    gamma[i] = static_cast<float>(gamma[i] * std::sqrt(theirs / ours));
  }
  return values;
}

std::map<std::string, std::string> DescribeWeights(const ExportJob& job, std::string program) {
  auto texts = ModelTexts(job, PreprocessingFormula(job.graph.model().preprocessing()));
  texts["program"] = std::move(program);
  return texts;
}

std::string FeedingComment(const ExportJob& job, const std::string& shape) {
  return "# It is fed RGB pictures, float32 " + shape + ", each byte x as " +
         PreprocessingFormula(job.graph.model().preprocessing()) + ".\n";
}

}  // namespace weir
