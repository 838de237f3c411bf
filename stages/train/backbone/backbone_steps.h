// Writes the steps through the layers of the backbone that lie behind the frozen prefix, forward
// and backward. Made for one list and thrown away; one thread.
#pragma once

#include <vector>

#include "stages/model/model.h"
#include "stages/train/steps/step_list.h"

namespace weir {

class BackboneSteps {
 public:
  // What the maps of a pass are for: for its output alone, or for the way back too.
  enum class Use { kInference, kLearning };

  // `model` and `list` outlive this; `features` is the array that the first layer reads.
  BackboneSteps(const Model& model, Use use, int features, StepList& list);

  // Whether something learns behind the prefix, and so the gradient of the output is wanted.
  bool learns() const;

  // Writes the steps forward through all layers. Returns the array of the last map: the features
  // where there is no layer.
  int Forward(Activations activations);

  // Writes the steps backward, as far as something learns, from the array of the last map's
  // gradient.
  void Backward(int gradient, Activations activations);

 private:
  // The arrays that a layer has left so far.
  struct Made {
    int map = -1;
    int input = -1;  // what its convolution read: a map, or that with zeros around it
    int sum = -1;    // what its activation read, where that is a step of its own
    int product = -1, mean = -1, deviation = -1;  // on the statistics of the batch
    int indices = -1;                             // where the largest values are
  };
  // How a layer is run forward: whether Backward will read what it leaves, and whether it was
  // computed before.
  struct Keeping {
    bool keeps = false;
    bool is_recomputed = false;
  };

  int begin() const { return model_.prefix_layers(); }
  int end() const { return network_.size(); }
  const NetworkLayer& layer(int index) const { return network_.layers()[index]; }
  bool EndsSegment(int index) const;
  bool NormalisesTheBatch(int index) const;
  bool WantsGradient(int map) const { return map >= begin() && learns_[map]; }
  int MapOf(int index) const { return index < begin() ? features_ : made_[index].map; }
  FloatCount Output(int index) const;
  FloatCount Input(int index) const;
  FloatCount PaddedInput(int index) const;
  FloatCount Kernel(int index, std::int64_t copies) const;
  FloatCount Patches(int index) const;

  void ForwardLayer(int index, const Keeping& keeping);
  void ForwardConvolution(int index, const Keeping& keeping);
  void ForwardMaxPool(int index);
  void ForwardActivation(int index, bool keeps);
  TrainingStep& Write(int index, TrainingStep::Kind kind, std::vector<int> reads);
  void RecomputeSegment(int last);

  void BackwardLayer(int index, int gradient);
  void BackwardActivation(int index, int gradient);
  void BackwardConvolution(int index, int gradient);
  void BackwardDense(int index, int gradient);
  void BackwardAdd(int index, int gradient);
  void BackwardScale(int index, int gradient);
  void BackwardPool(int index, TrainingStep::Kind kind, std::vector<int> reads);
  // `gradient` is a part of the gradient of the layer's map; nothing else reads it any more.
  void PassOn(int map, int gradient);

  const Model& model_;
  const Network& network_;
  Use use_;
  int features_;
  StepList& list_;
  std::vector<Made> made_;      // by layer
  std::vector<int> readers_;    // [i]: how many layers behind the prefix read the map of layer i
  std::vector<bool> learns_;    // [i]: whether layer i learns, or one that its map is made from
  std::vector<int> gradients_;  // [i]: the array of what is summed up of its map's gradient
};

}  // namespace weir
