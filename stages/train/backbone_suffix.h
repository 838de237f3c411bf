// The layers of the backbone behind the frozen prefix, forward and backward, over [n, h, w, C].
//
// The gradients are written out by hand: a MobileNetV2 is a chain with residuals, so that every
// array that is kept has its place in the plan (activation_plan.h), and LibTorch's autograd, which
// starts threads of its own where there is a GPU, is not needed.
//
// A batch norm on stored statistics is folded into its convolution once a batch. The micro-batches
// learn the gradients of the folded kernel and bias, and Unfold carries their sum over to kernel,
// gamma and beta, which is exact, as the derivative is linear:
//   K' = K s, b' = beta - mean s, s = gamma / sqrt(variance + epsilon)
//   dK = s dK', ds = sum(dK' K) - mean db', dgamma = ds / sqrt(variance + epsilon), dbeta = db'
// On the statistics of the batch (BatchNormMode::kTrain) the convolution and its batch norm are two
// steps, and the running statistics follow with the convention's momentum.
//
// Forward and Backward may run on many threads at once, each with a Tape and a sink of its own (one
// at a time under kTrain); not beside Fold, Unfold or Load. Where the arrays are on a device, so
// are all maps, and nothing is done in other threads than the calling one.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <optional>
#include <vector>

#include "stages/model/backbones/backbone_weights.h"
#include "stages/model/model.h"
#include "stages/train/activation_plan.h"
#include "stages/train/gradient_sink.h"
#include "stages/train/parameter_arrays.h"

namespace weir {

class BackboneSuffix {
 public:
  // What Backward needs of Forward.
  struct Tape {
    Activations activations = Activations::kKept;
    // [i] is what layer i reads, from the first that learns on; of a segment's only its input and
    // output where they are recomputed.
    std::vector<at::Tensor> maps{};
    std::vector<at::Tensor> padded{};  // [i]: the same with zeros around it, where Pad copies
    struct Normalised {
      at::Tensor input, mean, inverse_deviation;
    };
    std::vector<Normalised> normalised{};  // under kTrain
  };

  // `arrays` outlives this.
  BackboneSuffix(const Model& model, const ParameterArrays& arrays);

  bool empty() const { return layers_.empty(); }
  bool learns() const { return first_learning_ < size(); }

  // Copies what learns to the arrays and folds what is frozen.
  void Load(const LayerReader& weights);

  // For predictions, and for learning on stored statistics. Between micro-batches.
  void Fold() const;
  void Unfold(const at::Tensor& gradients) const;  // in place, in tables.learning's layout

  // `features` is [n, h, w, C]. Without a tape: in inference, on stored statistics.
  at::Tensor Forward(const at::Tensor& features, Tape* tape) const;

  // `gradient` is of Forward's output and is written over.
  void Backward(at::Tensor gradient, Tape& tape, const GradientSink& sink) const;

 private:
  struct Layer {
    NetworkLayer shape;
    Pads pads{};
    std::optional<float> ceiling{};  // what its activation clips at
    bool learns = false;
    bool begins_segment = false;  // among the segments that may be recomputed
    int added = -1;               // index of the map that is added; -1 where none is
    std::vector<int> done_with;   // maps that no later layer reads, in inference
    at::Tensor folded_kernel, folded_bias;
    at::Tensor kernel, gamma, beta, mean, variance;  // where it learns
    const Parameter* kernel_parameter = nullptr;
    const Parameter* gamma_parameter = nullptr;
    const Parameter* beta_parameter = nullptr;
  };

  int size() const { return static_cast<int>(layers_.size()); }
  void ForEachThatLearns(const std::function<void(const Layer&)>& work) const;
  bool OnBatchStatistics(const Layer& layer) const { return train_statistics_ && layer.learns; }
  // Whether Backward will read what the layers leave on the tape; whether they run for the first
  // time, when running statistics follow.
  struct Keeping {
    Tape* tape = nullptr;
    bool keeps = false;
    bool is_first = true;
  };
  // What layer `index` makes of maps[index].
  at::Tensor Output(int index, std::vector<at::Tensor>& maps, const Keeping& keeping) const;
  void RecomputeSegment(int last, Tape& tape) const;
  at::Tensor Normalise(const Layer& layer, const at::Tensor& map, Tape::Normalised& kept,
                       bool is_first) const;
  at::Tensor NormaliseBackward(const Layer& layer, at::Tensor gradient, Tape::Normalised& kept,
                               const GradientSink& sink) const;
  // Through the layer's activation, and the gradient of its folded bias.
  at::Tensor OutputBackward(const Layer& layer, at::Tensor gradient, const at::Tensor& output,
                            const GradientSink& sink) const;
  at::Tensor LayerBackward(int index, at::Tensor gradient, Tape& tape,
                           const GradientSink& sink) const;

  int first_backbone_layer_;
  double epsilon_;
  bool train_statistics_;
  bool keras_;  // whose rule running statistics follow
  bool is_issued_;
  int first_learning_ = 0;
  std::vector<Layer> layers_;
};

}  // namespace weir
