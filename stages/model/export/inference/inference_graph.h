// A saved model as what it computes in inference, from the preprocessed picture to the classes'
// probabilities: what every format of export is written from.
//
//   const InferenceGraph graph = OpenInferenceGraph(LoadSavedModel("first/model"), {});
//   for (const inference::Operation& operation : graph.operations()) ...
//   const ConstantValues values = graph.ReadConstants(0);
//
// Batch norms are folded, the backbone's into the convolutions before them, the head's into a dense
// layer behind them; dropout is left out; a head that ends in logits gets the softmax that `weir
// predict` takes of them. Holds no weights: they are read an operation at a time. One thread at a
// time.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "stages/model/backbones/backbone_weights.h"
#include "stages/model/export/inference/head_operations.h"
#include "stages/model/export/inference/inference_options.h"
#include "stages/model/export/inference/operation_list.h"
#include "stages/model/export/saved_model.h"
#include "stages/model/model.h"

namespace weir {

class InferenceGraph {
 public:
  // Throws Error(kConfig) where the head is not a classifier's, or the backbone has what int8 does
  // not know.
  InferenceGraph(std::shared_ptr<const Model> model, const LayerReader& backbone,
                 const HeadReader& head, const InferenceOptions& options);

  const Model& model() const { return *model_; }
  // Where the backbone computes in int8: what is taken off the bytes of a picture, a channel,
  // before it reads them. Empty: it reads what the preprocessing makes of them.
  const std::optional<std::array<std::uint8_t, 3>>& picture_zero() const { return picture_zero_; }

  // In the order in which they run; the last one gives the probabilities, [classes].
  const std::vector<inference::Operation>& operations() const { return list_.operations(); }

  // Reads them anew at each call, in float32, and holds them, those of a folded layer twice. Throws
  // Error(kData) where the file of weights proves to be damaged.
  ConstantValues ReadConstants(int operation) const { return list_.ReadConstants(operation); }

 private:
  std::shared_ptr<const Model> model_;
  std::optional<std::array<std::uint8_t, 3>> picture_zero_;
  OperationList list_;
};

// In int8 where the options have `maps`. Throws Error(kData) where the weights of the backbone do
// not fit.
InferenceGraph OpenInferenceGraph(SavedModel saved, const InferenceOptions& options);

}  // namespace weir
