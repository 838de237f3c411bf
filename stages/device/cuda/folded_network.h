// The frozen layers in LibTorch, a micro-batch at a time, on any of its devices: batch norms folded
// into the convolutions, maps [N, h, w, C]. It runs every operation of a Network.
//
// Convolutions in one group are matrix products over patches of pixels; depthwise ones of 3x3 are
// the device's own where it has kernels for them; what is left is LibTorch's, without cuDNN.
//
// Immutable: any thread may Run one. Holds the layers' weights on the device. Run takes from
// LibTorch's allocator there what the widest layer and a residual need.
//
// cuBLAS chooses its products by shape, so a sample's bits are the same in every batch as long as
// the size of the micro-batch is, on one device and build. With another size they may differ in the
// last places, unlike the host's (frozen_prefix.h).
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "stages/device/depthwise_kernels.h"
#include "stages/model/backbones/backbone_weights.h"
#include "stages/model/backbones/network.h"
#include "stages/model/frozen_prefix.h"

namespace weir {

class FoldedNetwork {
 public:
  // Layers 0 to `last_layer`; `weights` may be dropped afterwards. Maps are bfloat16 or float32:
  // for tf32 who calls Run tells LibTorch (torch_arithmetic.h). `depthwise`, the device's, is null
  // where LibTorch is to compute these layers, too; it outlives this.
  FoldedNetwork(const Network& network, const LayerReader& weights, int last_layer,
                Precision precision, at::Device device,
                const DepthwiseKernels* depthwise = nullptr);

  at::ScalarType type() const { return type_; }

  // `map` is preprocessed: [N, H, W, 3], of type(). It may be written to. Gives [N, h, w, C]; both
  // are contiguous.
  at::Tensor Run(at::Tensor map) const;

 private:
  struct Layer {
    NetworkLayer shape;
    Pads pads;
    MapSize output;
    bool is_own = false;           // whether depthwise_ computes it
    bool clips_itself = false;     // and its ReLU or ReLU6 with it
    std::vector<int> done_with{};  // the maps that no later layer reads
    at::Tensor kernel{}, bias{};   // the kernel of a product is PatchKernel's, transposed
  };
  // What the layer's first operation makes of its map, in a tensor that may be written to.
  at::Tensor First(const Layer& layer, const at::Tensor& map,
                   const std::vector<at::Tensor>& maps) const;
  at::Tensor Depthwise(const Layer& layer, const at::Tensor& map) const;

  at::ScalarType type_;
  const DepthwiseKernels* depthwise_;
  std::vector<Layer> layers_;
};

}  // namespace weir
