// The frozen layers in LibTorch, a micro-batch at a time, on any of its devices: batch norms folded
// into the convolutions, channels last. It runs every operation of a Network.
//
// Immutable: any thread may Run one. Holds the layers' weights on the device. Run takes from
// LibTorch's allocator there what the widest layer and a residual need.
//
// LibTorch chooses its convolutions by shape, so a sample's bits are the same in every batch as
// long as the size of the micro-batch is, on one device and build. With another size they may
// differ in the last places, unlike the host's (frozen_prefix.h).
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "stages/model/backbones/backbone_weights.h"
#include "stages/model/backbones/network.h"
#include "stages/model/frozen_prefix.h"

namespace weir {

// LibTorch's arithmetic on GPUs for the whole process: float32 is float32 (no TF32), algorithms are
// deterministic and chosen by shape, not by timing them.
void UseExactTorchArithmetic();

class FoldedNetwork {
 public:
  // Layers 0 to `last_layer`; `weights` may be dropped afterwards.
  FoldedNetwork(const Network& network, const LayerReader& weights, int last_layer,
                Precision precision, at::Device device);

  at::ScalarType type() const { return type_; }

  // `map` is preprocessed: [N, 3, H, W] in channels last, of type(). It may be written to. Gives
  // [N, C, h, w] in channels last.
  at::Tensor Run(at::Tensor map) const;

 private:
  struct Layer {
    NetworkLayer shape;
    Pads pads;
    std::vector<int> done_with{};  // the maps that no later layer reads
    at::Tensor kernel{}, bias{};
  };
  // What the layer's first operation makes of its map, in a tensor that may be written to.
  static at::Tensor First(const Layer& layer, const at::Tensor& map,
                          const std::vector<at::Tensor>& maps);

  at::ScalarType type_;
  std::vector<Layer> layers_;
};

}  // namespace weir
