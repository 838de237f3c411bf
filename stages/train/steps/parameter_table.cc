#include "stages/train/steps/parameter_table.h"

#include <algorithm>
#include <utility>

#include "framework/error.h"
#include "framework/shape.h"

namespace weir {
namespace {

constexpr std::size_t kFloatsOfACacheLine = 16;

// A dense layer has no batch norm to be folded: where it learns, it is used as it is.
void DeclareLayer(const NetworkLayer& layer, const LayerNames& names, bool learns,
                  ModelParameters& parameters) {
  const std::int64_t out = layer.out_channels;
  const Shape kernel = {out, layer.in_channels / layer.groups, layer.kernel, layer.kernel};
  const bool has_batch_norm = layer.kind == NetworkLayer::Kind::kConv;
  if (has_batch_norm || !learns) {
    parameters.folded.Add(names.kernel, kernel);
    parameters.folded.Add(names.beta, {out});
  }
  if (!learns) return;
  parameters.learning.Add(names.kernel, kernel);
  if (has_batch_norm) parameters.learning.Add(names.gamma, {out});
  parameters.learning.Add(names.beta, {out});
  if (!has_batch_norm) return;
  parameters.statistics.Add(names.mean, {out});
  parameters.statistics.Add(names.variance, {out});
}

}  // namespace

void ParameterTable::Add(std::string name, Shape shape) {
  const auto values = static_cast<std::size_t>(ValuesIn(shape));
  all_.push_back({std::move(name), std::move(shape), values_, values});
  values_ += (values + kFloatsOfACacheLine - 1) / kFloatsOfACacheLine * kFloatsOfACacheLine;
}

const Parameter& ParameterTable::at(std::string_view name) const {
  const auto found = std::find_if(all_.begin(), all_.end(),
                                  [&](const Parameter& each) { return each.name == name; });
  if (found == all_.end()) {
    throw Error(ErrorKind::kInternal, "the model has no parameter " + std::string(name));
  }
  return *found;
}

ModelParameters DeclareParameters(const Model& model) {
  ModelParameters parameters;
  const std::vector<NetworkLayer>& layers = model.network().layers();
  for (int i = model.prefix_layers(); i < model.network().size(); ++i) {
    if (!layers[i].has_weights()) continue;
    DeclareLayer(layers[i], model.backbone().names(i), model.learns(i), parameters);
  }
  for (int i = model.first_head_layer(); i < static_cast<int>(model.head().size()); ++i) {
    for (HeadArray& array : model.head_arrays(i)) {
      ParameterTable& table = array.learns ? parameters.learning : parameters.statistics;
      table.Add(HeadArrayName(i, array.name), std::move(array.shape));
    }
  }
  return parameters;
}

}  // namespace weir
