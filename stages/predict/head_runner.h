// The head of a saved model in inference: features in, probabilities out, a sample at a time,
// without LibTorch.
//
//   const HeadRunner head(model, read);
//   std::vector<float> workspace(head.workspace_values());
//   head.Run(features, workspace, probabilities);
//
// Immutable: any number of threads may Run it, each with a workspace of its own. The bits are the
// same on every instruction set, as far as the C library's exp and tanh are.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "stages/model/export/inference/head_operations.h"
#include "stages/model/export/inference/inference_operation.h"
#include "stages/model/model.h"

namespace weir {

class HeadRunner {
 public:
  // Reads what the layers behind the model's prefix keep, which is all of the backbone.
  HeadRunner(const std::shared_ptr<const Model>& model, const HeadReader& read);

  // What one will hold, told without reading.
  static std::size_t WeightsBytes(const std::shared_ptr<const Model>& model);
  static std::size_t WorkspaceValues(const std::shared_ptr<const Model>& model);

  std::size_t workspace_values() const { return workspace_values_; }

  // `features` is one sample's, of Model::feature_dims(); `probabilities` has a value a class.
  void Run(const float* features, std::span<float> workspace, std::span<float> probabilities) const;

 private:
  struct Step {
    inference::Kind kind;
    Shape input, output;
    ConstantValues constants;
  };

  std::vector<Step> steps_;
  std::size_t workspace_values_ = 0;
};

}  // namespace weir
