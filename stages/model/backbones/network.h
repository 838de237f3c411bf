// A backbone's network: its operations in the order in which they run, each with stated semantics
// and its inputs by index. The oneDNN plan, the LibTorch reference, the layers that learn, the
// device's network, the weights and the plan of memory are all made from this one description.
//
// Cheap: no weights are held here. Immutable after construction, so any thread may read it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "stages/model/backbones/convention.h"

namespace weir {

// The sizes of a map, in pixels.
struct MapSize {
  int height = 0;
  int width = 0;
  bool operator==(const MapSize&) const = default;
};

// The rows and columns of zeros around a map.
struct Pads {
  int top = 0, left = 0, bottom = 0, right = 0;
  bool operator==(const Pads&) const = default;
  bool is_symmetric() const { return top == bottom && left == right; }
};

enum class Nonlinearity {
  kRelu,         // max(x, 0)
  kRelu6,        // min(max(x, 0), 6)
  kHardSigmoid,  // min(max(x / 6 + 1/2, 0), 1)
  kHardSwish,    // x times hard sigmoid of x
  kSigmoid,      // 1 / (1 + exp(-x))
  kSilu,         // x times sigmoid of x
};
std::string_view Name(Nonlinearity function);  // "relu6"
// The value that a ReLU (infinity) or ReLU6 (6) clips at; nothing for a function that does more
// than clip.
std::optional<float> CeilingOf(Nonlinearity function);

// Cross-correlation over zeros around the map, with as many as the network's convention says, then
// the batch norm: gamma (x - mean) / sqrt(variance + epsilon) + beta. There is no bias.
struct Conv {
  int out_channels = 0;
  int kernel = 1;  // square
  int stride = 1;
  int groups = 1;    // equal parts of the channels, each read by its own part of the outputs
  int dilation = 1;  // distance of two taps of the kernel
};
// Changes each value for itself.
struct Activate {
  Nonlinearity function = Nonlinearity::kRelu;
};
// The sum of two maps of the same shape.
struct Add {
  int from = -1;  // the operation whose map is added to the one that is read
};
// Each channel of a map times its number (squeeze-and-excitation; Hu et al., 2018).
struct Scale {
  int from = -1;  // the operation whose map [C, 1, 1] has the numbers
};
// The mean of each channel: [C, h, w] to [C, 1, 1].
struct GlobalPool {};
// The largest value under a window; what lies around the map is never the largest.
struct MaxPool {
  int kernel = 2;
  int stride = 2;
};
// A matrix product with a bias and no batch norm: [C, 1, 1] to [units, 1, 1].
struct Dense {
  int units = 0;
};

struct Operation {
  std::string name{};   // Keras' where Keras has the network: "block_1_expand"
  std::string block{};  // what holds it: "block_1"; its own name where it stands alone
  int input = -1;       // the operation whose map it reads; -1: the picture, for the first alone
  // Which of the runs it is in that are computed once more as one in the low-memory mode; numbers
  // only rise, and what a segment reads of another is that one's last map.
  int segment = 0;
  std::variant<Conv, Activate, Add, Scale, GlobalPool, MaxPool, Dense> kind{};
};

// What every reader computes as one: a convolution or a dense layer, the Add behind it and the
// Activate behind that, in this order, each where it follows at once and nothing else reads the
// map between; an Add likewise with its Activate. Any other operation is a layer by itself. This
// is what weights, freezing and the plans count in.
struct NetworkLayer {
  enum class Kind { kConv, kDense, kAdd, kScale, kActivation, kGlobalPool, kMaxPool };

  Kind kind = Kind::kConv;
  std::string name{};   // what its first operation is called
  std::string block{};  // likewise
  int operation = 0;    // the index of its last
  int input = -1;       // the layer whose map it reads; -1: the picture
  int in_channels = 0;
  int out_channels = 0;
  int kernel = 1;
  int stride = 1;
  int groups = 1;
  int dilation = 1;
  int scaled_by = -1;  // kScale: the layer whose map has the numbers
  int added = -1;      // the layer whose map is added to what the first operation gives; -1: none
  std::optional<Nonlinearity> activation{};  // applied to what came of that
  int segment = 0;

  bool has_weights() const { return kind == Kind::kConv || kind == Kind::kDense; }
  bool is_pointwise() const { return kernel == 1 && stride == 1 && groups == 1; }
  bool is_depthwise() const {
    return groups > 1 && groups == in_channels && groups == out_channels;
  }
};
std::string_view Name(NetworkLayer::Kind kind);  // "convolution"

class Network {
 public:
  // Throws Error(kInternal) where the operations do not fit together: an input that does not lie
  // before its reader, maps of different shapes that are added, groups that do not divide...
  Network(std::vector<Operation> operations, MapSize input, const Convention& convention);

  MapSize input() const { return input_; }
  const Convention& convention() const { return convention_; }
  const std::vector<Operation>& operations() const { return operations_; }

  const std::vector<NetworkLayer>& layers() const { return layers_; }
  int size() const { return static_cast<int>(layers_.size()); }  // how many layers
  // The sizes of the map that a layer reads, and of the one that it writes.
  MapSize input_size(int layer) const;
  MapSize output_size(int layer) const { return output_sizes_[layer]; }
  int out_channels() const { return layers_.back().out_channels; }

  // The zeros around the map that a convolution or a pool reads.
  Pads pads(int layer) const;

  // The last layer that reads the map of `layer`; `layer` itself where none does.
  int last_reader(int layer) const { return last_readers_[layer]; }

  // The layer that `operation` became a part of.
  int layer_of(int operation) const { return layer_of_[operation]; }

 private:
  void CheckSegments(int index) const;  // throws Error(kInternal) where Operation's rule is broken

  MapSize input_;
  Convention convention_;
  std::vector<Operation> operations_;
  std::vector<NetworkLayer> layers_;
  std::vector<MapSize> output_sizes_;
  std::vector<int> last_readers_;
  std::vector<int> layer_of_;
};

}  // namespace weir
