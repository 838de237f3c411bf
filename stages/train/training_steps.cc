#include "stages/train/training_steps.h"

#include <algorithm>
#include <utility>

#include "stages/train/backbone/backbone_steps.h"
#include "stages/train/head/head_operations.h"
#include "stages/train/steps/step_list.h"

namespace weir {
namespace {

using Kind = TrainingStep::Kind;

class HeadSteps {
 public:
  HeadSteps(const Model& model, bool learning, StepList& list)
      : model_(model), learning_(learning), list_(list) {}

  // Returns the array of the logits.
  int Forward(int input) {
    for (int i = begin(); i < end(); ++i) {
      const HeadPlan plan = PlanOfHead(model_, i, learning_);
      Layer layer{.input = input};
      layer.output =
          plan.gives_a_view ? list_.ArrayInside(input) : list_.Array(HeadOutput(model_, i));
      for (const FloatCount& size : plan.kept) layer.kept.push_back(list_.Array(size));
      std::vector<int> writes = {layer.output};
      if (learning_) writes.insert(writes.end(), layer.kept.begin(), layer.kept.end());
      list_.Step(Kind::kHead, i, {input}, std::move(writes)).scratch = plan.forward_scratch;
      input = layer.output;
      layers_.push_back(std::move(layer));
    }
    return input;
  }

  // As far as something learns: the layers in front of it too where `backbone_learns`. Returns the
  // gradient of what the head reads, where that is wanted.
  int Backward(int gradient, bool backbone_learns) {
    const int first_learning = FirstLearning();
    for (int i = end() - 1; i >= begin(); --i) {
      const Layer& layer = layers_[i - begin()];
      const HeadPlan plan = PlanOfHead(model_, i, learning_);
      std::vector<int> reads = {gradient};
      if (plan.reads_input) reads.push_back(layer.input);
      if (plan.reads_output) reads.push_back(layer.output);
      reads.insert(reads.end(), layer.kept.begin(), layer.kept.end());
      const bool of_input = backbone_learns || i > first_learning;
      std::vector<int> writes;
      if (of_input) {
        writes.push_back(plan.gives_a_gradient_view ? list_.ArrayInside(gradient)
                                                    : list_.Array(HeadInput(model_, i)));
        gradient = writes.front();
      }
      list_.Step(Kind::kHeadBackward, i, std::move(reads), std::move(writes)).scratch =
          plan.backward_scratch;
      if (!of_input) break;
    }
    return gradient;
  }

 private:
  struct Layer {
    int input = -1, output = -1;
    std::vector<int> kept{};
  };

  int begin() const { return model_.first_head_layer(); }
  int end() const { return static_cast<int>(model_.head().size()); }
  bool Learns(int layer) const {
    return std::ranges::any_of(model_.head_arrays(layer), &HeadArray::learns);
  }
  int FirstLearning() const {
    int first = begin();
    while (first < end() && !Learns(first)) ++first;
    return first;
  }

  const Model& model_;
  bool learning_;
  StepList& list_;
  std::vector<Layer> layers_;
};

}  // namespace

TrainingSteps InferenceSteps(const Model& model) {
  StepList list;
  const int features = list.Array({});
  BackboneSteps backbone(model, BackboneSteps::Use::kInference, features, list);
  HeadSteps head(model, false, list);
  const int logits = head.Forward(backbone.Forward(Activations::kKept));
  return std::move(list).Finish(logits);
}

TrainingSteps LearningSteps(const Model& model, Activations activations) {
  StepList list;
  const int features = list.Array({});
  BackboneSteps backbone(model, BackboneSteps::Use::kLearning, features, list);
  HeadSteps head(model, true, list);
  const int logits = head.Forward(backbone.Forward(activations));
  int gradient = list.Array(HeadOutput(model, static_cast<int>(model.head().size()) - 1));
  list.Step(Kind::kLoss, -1, {logits}, {gradient});
  gradient = head.Backward(gradient, backbone.learns());
  if (backbone.learns()) backbone.Backward(gradient, activations);
  return std::move(list).Finish(-1);
}

}  // namespace weir
