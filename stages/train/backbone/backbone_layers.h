// The numbers of the layers of the backbone behind the frozen prefix.
//
// A batch norm on stored statistics is folded into its convolution once a batch. The micro-batches
// learn the gradients of the folded kernel and bias, and Unfold carries their sum over to kernel,
// gamma and beta, which is exact, as the derivative is linear:
//   K' = K s, b' = beta - mean s, s = gamma / sqrt(variance + epsilon)
//   dK = s dK', ds = sum(dK' K) - mean db', dgamma = ds / sqrt(variance + epsilon), dbeta = db'
// On the statistics of the batch (BatchNormMode::kTrain) the convolution and its batch norm are two
// steps, and the running statistics follow with the convention's momentum.
//
// Load, Fold and Unfold: one thread at a time, not beside steps that read the layers.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <optional>
#include <vector>

#include "stages/device/depthwise_kernels.h"
#include "stages/model/backbones/backbone_weights.h"
#include "stages/model/model.h"
#include "stages/train/steps/parameter_arrays.h"

namespace weir {

struct BackboneLayer {
  NetworkLayer shape;
  MapSize input_size{};
  Pads pads{};
  const DepthwiseKernels* depthwise = nullptr;  // the device's; null: LibTorch's or the host's
  std::optional<float> ceiling{};  // the largest value behind its ReLU: infinity, or 6 for ReLU6
  bool learns = false;
  bool normalises_the_batch = false;  // where it learns and BatchNormMode::kTrain holds
  double epsilon = 0;
  bool follows_keras = false;  // whether the running statistics follow as in Keras
  // A convolution has both sets where it learns, a dense layer one tensor for both.
  at::Tensor folded_kernel, folded_bias;
  at::Tensor kernel, gamma, beta, mean, variance;
  const Parameter* kernel_parameter = nullptr;
  const Parameter* gamma_parameter = nullptr;
  const Parameter* beta_parameter = nullptr;

  bool is_convolution() const { return shape.kind == NetworkLayer::Kind::kConv; }
};

class BackboneLayers {
 public:
  // `arrays` outlives this, and so does `depthwise`: kernels of the device where they are.
  BackboneLayers(const Model& model, const ParameterArrays& arrays,
                 const DepthwiseKernels* depthwise = nullptr);

  bool empty() const { return layers_.empty(); }
  // By the layer's place in the network; those in the prefix are not here.
  const BackboneLayer& operator[](int index) const { return layers_[index - begin_]; }

  // Copies what learns to the arrays and folds what is frozen.
  void Load(const LayerReader& weights);

  // For predictions, and for learning on stored statistics. Between micro-batches.
  void Fold() const;
  void Unfold(const at::Tensor& gradients) const;  // in place, in tables.learning's layout

 private:
  void Bind(const LayerNames& names, const ParameterArrays& arrays, BackboneLayer& layer) const;
  void ForEachBatchNormThatLearns(const std::function<void(const BackboneLayer&)>& work) const;

  int begin_;
  bool is_issued_;
  std::vector<BackboneLayer> layers_;
};

}  // namespace weir
