#include "stages/train/activation_plan.h"

#include <algorithm>
#include <vector>

namespace weir {
namespace {

using Kind = HeadLayer::Kind;

// What LibTorch allocates in passing, and pages that free blocks share with used ones.
constexpr std::size_t kSlackBytes = std::size_t{512} << 10;

class Peak {
 public:
  void Hold(std::size_t bytes) { most_ = std::max(most_, now_ += bytes); }
  void Release(std::size_t bytes) { now_ -= bytes; }
  void Touch(std::size_t bytes) {
    Hold(bytes);
    Release(bytes);
  }
  std::size_t most() const { return most_; }

 private:
  std::size_t now_ = 0, most_ = 0;
};

class Walk {
 public:
  Walk(const Model& model, int samples)
      : model_(model), network_(model.network()), layers_(network_.layers()), samples_(samples) {
    first_ = model.prefix_layers();
    while (first_ < count() && !model.learns(first_)) ++first_;
  }

  std::size_t Inference() {
    for (int i = model_.prefix_layers(); i < count(); ++i) {
      peak_.Touch(Padded(i));
      ForwardLayer(i);
      ReleaseReadBy(i, count());
    }
    std::size_t input = count() > model_.prefix_layers() ? Output(count() - 1) : 0;
    for (int i = model_.first_head_layer(); i < head_count(); ++i) {
      peak_.Hold(HeadOutput(i));
      peak_.Release(input);
      input = HeadOutput(i);
    }
    return peak_.most() + kSlackBytes;
  }

  std::size_t Learning() {
    for (int i = model_.prefix_layers(); i < count(); ++i) {
      if (i < first_) peak_.Touch(Padded(i));
      if (i >= first_ && Padded(i) > 0) {
        peak_.Hold(Padded(i));
        if (i > model_.prefix_layers()) peak_.Release(Output(i - 1));  // it lies in the padded one
      }
      ForwardLayer(i);
      if (i >= first_ && Normalises(i)) peak_.Hold(Output(i) + Statistics(i));
      ReleaseReadBy(i, first_);
    }
    WalkHead();
    // The head's tape lives on beside the backbone's way back.
    for (int i = count() - 1; i >= first_; --i) BackwardLayer(i);
    return peak_.most() + kSlackBytes;
  }

  std::size_t LearningRecomputed() {
    for (int i = model_.prefix_layers(); i < count(); ++i) {
      peak_.Hold(Padded(i));
      ForwardLayer(i);
      if (i >= first_ && Normalises(i)) peak_.Touch(Output(i) + Statistics(i));
      peak_.Release(Padded(i));
      for (int map = model_.prefix_layers(); map < i; ++map) {
        const bool is_kept = map + 1 >= first_ && BeginsSegment(network_, map + 1, first_);
        if (!is_kept && network_.last_reader(map) == i) peak_.Release(Output(map));
      }
    }
    WalkHead();
    for (int i = count() - 1; i >= first_; --i) {
      if (i + 1 == count() || BeginsSegment(network_, i + 1, first_)) RecomputeSegment(i);
      BackwardLayer(i);
    }
    return peak_.most() + kSlackBytes;
  }

  std::size_t Staging() {
    for (int i = model_.first_head_layer(); i < head_count(); ++i) {
      if (model_.head()[i].kind == Kind::kDropout) peak_.Touch(HeadInput(i));
    }
    peak_.Hold(HeadOutput(head_count() - 1));
    return peak_.most() + kSlackBytes;
  }

 private:
  int count() const { return static_cast<int>(layers_.size()); }
  int head_count() const { return static_cast<int>(model_.head().size()); }

  std::size_t Bytes(std::int64_t values) const {
    return static_cast<std::size_t>(values) * samples_ * sizeof(float);
  }
  std::size_t Output(int layer) const {
    const MapSize map = network_.output_size(layer);
    return Bytes(std::int64_t{map.height} * map.width * layers_[layer].out_channels);
  }
  std::size_t Input(int layer) const {
    const MapSize map = network_.input_size(layer);
    return Bytes(std::int64_t{map.height} * map.width * layers_[layer].in_channels);
  }
  std::size_t Padded(int layer) const {  // 0 where nothing is copied
    const MapSize map = network_.input_size(layer);
    const Pads pads = network_.pads(layer);
    if (pads.top == pads.bottom && pads.left == pads.right) return 0;
    return Bytes(std::int64_t{map.height + pads.top + pads.bottom} *
                 (map.width + pads.left + pads.right) * layers_[layer].in_channels);
  }
  std::size_t Kernel(int layer) const {
    const NetworkLayer& it = layers_[layer];
    return std::size_t(it.out_channels) * (it.in_channels / it.groups) * it.kernel * it.kernel *
           sizeof(float);
  }
  std::size_t Statistics(int layer) const {  // mean and deviation of the batch
    return 2 * std::size_t(layers_[layer].out_channels) * sizeof(float);
  }
  bool Normalises(int layer) const {
    return model_.learns(layer) && model_.config().backbone.batch_norm == BatchNormMode::kTrain;
  }

  std::size_t HeadInput(int layer) const {
    std::int64_t values = 1;
    for (std::int64_t size : model_.head_input_dims(layer)) values *= size;
    return Bytes(values);
  }
  std::size_t HeadOutput(int layer) const {
    const HeadLayer& it = model_.head()[layer];
    return it.kind == Kind::kDense ? Bytes(it.units) : HeadOutputOfShape(layer);
  }
  std::size_t HeadOutputOfShape(int layer) const {
    return layer + 1 < head_count() ? HeadInput(layer + 1) : HeadInput(layer);
  }
  std::size_t HeadKept(int layer) const {
    const Kind kind = model_.head()[layer].kind;
    if (kind == Kind::kDropout) return HeadInput(layer);
    if (kind == Kind::kGlobalMaxPooling) return 2 * HeadOutput(layer);  // places, in 8 bytes each
    return 0;
  }
  std::size_t HeadParameter(int layer) const {
    const HeadLayer& it = model_.head()[layer];
    if (it.kind != Kind::kDense) return 0;
    return HeadInput(layer) / samples_ * static_cast<std::size_t>(it.units);
  }

  void WalkHead() {
    const int head_begin = model_.first_head_layer();
    for (int i = head_begin; i < head_count(); ++i) peak_.Hold(HeadOutput(i) + HeadKept(i));
    peak_.Hold(HeadOutput(head_count() - 1));  // the gradient of the logits
    for (int i = head_count() - 1; i >= head_begin; --i) {
      peak_.Touch(HeadParameter(i));
      if (model_.head()[i].kind == Kind::kBatchNorm) peak_.Touch(2 * HeadInput(i));
      peak_.Hold(HeadInput(i));
      peak_.Release(HeadOutput(i));
    }
  }

  // The maps of the segment that ends with `last`, but for its output, which is kept.
  void RecomputeSegment(int last) {
    int begin = last;
    while (!BeginsSegment(network_, begin, first_)) --begin;
    for (int i = begin; i <= last; ++i) {
      if (Padded(i) > 0) {
        peak_.Hold(Padded(i));
        if (i > model_.prefix_layers()) peak_.Release(Output(i - 1));
      }
      if (i == last && !Normalises(i)) break;
      ForwardLayer(i);
      if (Normalises(i)) peak_.Hold(Output(i) + Statistics(i));
      if (i == last) peak_.Release(Output(i));
    }
  }

  void ForwardLayer(int layer) { peak_.Hold(Output(layer)); }

  // After `layer`, of those that lie in front of layer `end`'s input.
  void ReleaseReadBy(int layer, int end) {
    for (int map = model_.prefix_layers(); map < layer; ++map) {
      if (map + 1 >= end || network_.last_reader(map) != layer) continue;
      peak_.Release(Output(map));
    }
  }

  void BackwardLayer(int layer) {
    const bool of_input = layer > first_;
    peak_.Release(Output(layer));  // its map, read by the mask alone
    if (Normalises(layer)) {
      peak_.Hold(Output(layer));
      peak_.Touch(Output(layer));  // measured: LibTorch's batch norm takes a map of scratch
      peak_.Release(Output(layer));
      peak_.Release(Output(layer));
    }
    if (layers_[layer].added > first_ - 1) peak_.Hold(Output(layer));  // the gradient goes on
    if (model_.learns(layer)) peak_.Touch(Kernel(layer));
    if (of_input) {
      const std::size_t padded = Padded(layer);
      peak_.Hold(padded > 0 ? padded : Input(layer));
      if (padded > 0) peak_.Hold(Input(layer));
      if (padded > 0) peak_.Release(padded);
    }
    peak_.Release(Output(layer));  // its gradient
    for (int i = layer; i < count(); ++i) {
      if (layers_[i].added == layer - 1 && layer - 1 > first_ - 1) peak_.Release(Output(i));
    }
    if (Padded(layer) > 0) {
      peak_.Release(Padded(layer));
      if (layer > model_.prefix_layers()) peak_.Hold(Output(layer - 1));  // released as a map next
    }
  }

  const Model& model_;
  const Network& network_;
  const std::vector<NetworkLayer>& layers_;
  int samples_;
  int first_;
  Peak peak_;
};

}  // namespace

std::size_t InferenceBytes(const Model& model, int samples) {
  return Walk(model, samples).Inference();
}

std::size_t LearningBytes(const Model& model, int samples, Activations activations) {
  Walk walk(model, samples);
  return activations == Activations::kKept ? walk.Learning() : walk.LearningRecomputed();
}

bool BeginsSegment(const Network& network, int layer, int first_learning) {
  const auto& layers = network.layers();
  return layer == first_learning || layers[layer].segment != layers[layer - 1].segment;
}

std::size_t StagingBytes(const Model& model, int samples) { return Walk(model, samples).Staging(); }

}  // namespace weir
