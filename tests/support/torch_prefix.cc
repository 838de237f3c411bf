#include "tests/support/torch_prefix.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/hardsigmoid.h>
#include <ATen/ops/hardswish.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/silu.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "framework/error.h"

namespace weir {
namespace {

at::Tensor Copy(const std::vector<float>& values, at::IntArrayRef shape) {
  return at::from_blob(const_cast<float*>(values.data()), shape, at::kFloat).clone();
}

struct Layer {
  NetworkLayer shape;
  Pads pads;
  int last_reader = 0;
  at::Tensor kernel{}, gamma{}, beta{}, mean{}, variance{};
};

at::Tensor Apply(Nonlinearity function, const at::Tensor& map) {
  switch (function) {
    case Nonlinearity::kRelu:
      return at::relu(map);
    case Nonlinearity::kRelu6:
      return at::clamp(map, 0, 6);
    case Nonlinearity::kHardSigmoid:
      return at::hardsigmoid(map);
    case Nonlinearity::kHardSwish:
      return at::hardswish(map);
    case Nonlinearity::kSigmoid:
      return at::sigmoid(map);
    case Nonlinearity::kSilu:
      return at::silu(map);
  }
  return map;
}

// LibTorch allocates in Run itself, so a workspace holds nothing; its bytes are those of the
// largest layer's padded input, convolution, normalised and clamped output.
class TorchPrefix final : public FrozenPrefix {
 public:
  TorchPrefix(const Network& network, const LayerReader& weights, const PrefixOptions& options)
      : options_(options),
        input_(network.input()),
        output_(network.output_size(options.last_layer)),
        epsilon_(network.convention().batch_norm_epsilon) {
    const c10::InferenceMode no_gradients;
    for (int i = 0; i <= options.last_layer; ++i) {
      const NetworkLayer& layer = network.layers()[i];
      Layer mine{.shape = layer, .pads = network.pads(i), .last_reader = network.last_reader(i)};
      if (layer.has_weights()) ReadWeights(weights(i), mine);
      layers_.push_back(std::move(mine));
      const MapSize in = network.input_size(i), out = network.output_size(i);
      const std::size_t in_values = std::size_t(in.height) * in.width * layer.in_channels;
      const std::size_t out_values = std::size_t(out.height) * out.width * layer.out_channels;
      workspace_bytes_ =
          std::max(workspace_bytes_, (2 * in_values + 3 * out_values) * sizeof(float));
    }
    scale_ = at::from_blob(options_.preprocessing.scale.data(), {1, 3, 1, 1}, at::kFloat);
    offset_ = at::from_blob(options_.preprocessing.offset.data(), {1, 3, 1, 1}, at::kFloat);
  }

  std::size_t weights_bytes() const override { return weights_bytes_; }
  std::size_t workspace_bytes() const override { return workspace_bytes_; }
  std::size_t output_values() const override {
    const std::size_t pixels =
        options_.pooling == Pooling::kNone ? std::size_t(output_.height) * output_.width : 1;
    return pixels * layers_.back().shape.out_channels;
  }
  std::unique_ptr<Workspace> MakeWorkspace() const override {
    return std::make_unique<Workspace>();
  }

  void Run(const std::uint8_t* pixels, Workspace&, float* output) const override {
    const c10::InferenceMode no_gradients;
    const at::Tensor bytes = at::from_blob(const_cast<std::uint8_t*>(pixels),
                                           {1, input_.height, input_.width, 3}, at::kByte);
    const at::Tensor picture = bytes.permute({0, 3, 1, 2}).to(at::kFloat).mul(scale_).add(offset_);
    std::vector<at::Tensor> maps(layers_.size());
    for (int i = 0; i < static_cast<int>(layers_.size()); ++i) {
      maps[i] = RunLayer(layers_[i], picture, maps);
      for (int map = 0; map < i; ++map) {
        if (layers_[map].last_reader == i) maps[map].reset();
      }
    }
    at::Tensor map = maps.back();
    if (options_.pooling == Pooling::kAverage) map = at::mean(map, {2, 3});
    if (options_.pooling == Pooling::kMax) map = at::amax(map, {2, 3});
    if (options_.pooling == Pooling::kNone) map = map.permute({0, 2, 3, 1});
    map = map.contiguous();
    std::memcpy(output, map.const_data_ptr<float>(), map.nbytes());
  }

 private:
  void ReadWeights(const ConvWeights& from, Layer& layer) {
    const NetworkLayer& shape = layer.shape;
    const std::int64_t channels = shape.out_channels;
    layer.kernel =
        Copy(from.kernel, {channels, shape.in_channels / shape.groups, shape.kernel, shape.kernel});
    layer.beta = Copy(from.beta, {channels});
    weights_bytes_ += (from.kernel.size() + 4 * from.beta.size()) * sizeof(float);
    if (shape.kind == NetworkLayer::Kind::kDense) return;
    layer.gamma = Copy(from.gamma, {channels});
    layer.mean = Copy(from.mean, {channels});
    layer.variance = Copy(from.variance, {channels});
  }

  at::Tensor RunLayer(const Layer& layer, const at::Tensor& picture,
                      const std::vector<at::Tensor>& maps) const {
    const NetworkLayer& shape = layer.shape;
    const at::Tensor& input = shape.input < 0 ? picture : maps[shape.input];
    at::Tensor map = First(layer, input, maps);
    if (shape.added >= 0) map = map.add(maps[shape.added]);
    return shape.activation ? Apply(*shape.activation, map) : map;
  }

  // What the layer's first operation makes of its map.
  at::Tensor First(const Layer& layer, const at::Tensor& input,
                   const std::vector<at::Tensor>& maps) const {
    using Kind = NetworkLayer::Kind;
    const NetworkLayer& shape = layer.shape;
    switch (shape.kind) {
      case Kind::kConv:
        return Convolve(layer, input);
      case Kind::kDense:
        return at::conv2d(input, layer.kernel, layer.beta);
      case Kind::kScale:
        return input.mul(maps[shape.scaled_by]);
      case Kind::kGlobalPool:
        return at::mean(input, {2, 3}, /*keepdim=*/true);
      case Kind::kMaxPool:
        return at::max_pool2d(Padded(layer, input, -std::numeric_limits<float>::infinity()),
                              shape.kernel, shape.stride);
      case Kind::kAdd:
      case Kind::kActivation:
        break;
    }
    return input;
  }

  static at::Tensor Padded(const Layer& layer, const at::Tensor& map, float value) {
    const auto [top, left, bottom, right] = layer.pads;
    return at::constant_pad_nd(map, {left, right, top, bottom}, value);
  }

  at::Tensor Convolve(const Layer& layer, const at::Tensor& map) const {
    const NetworkLayer& shape = layer.shape;
    const at::Tensor convolved = at::conv2d(Padded(layer, map, 0), layer.kernel, {}, shape.stride,
                                            at::IntArrayRef{0}, shape.dilation, shape.groups);
    return at::batch_norm(convolved, layer.gamma, layer.beta, layer.mean, layer.variance,
                          /*training=*/false, /*momentum=*/0, epsilon_, /*cudnn_enabled=*/false);
  }

  PrefixOptions options_;
  const MapSize input_;
  const MapSize output_;
  const double epsilon_;
  std::vector<Layer> layers_;
  at::Tensor scale_, offset_;  // from options_.preprocessing
  std::size_t weights_bytes_ = 0;
  std::size_t workspace_bytes_ = 0;
};

}  // namespace

std::unique_ptr<FrozenPrefix> MakeTorchPrefix(const Network& network, const LayerReader& weights,
                                              const PrefixOptions& options) {
  if (options.precision != Precision::kFloat32) {
    throw Error(ErrorKind::kConfig, "precision: the LibTorch backbone runs in float32 only",
                "Set precision: float32.");
  }
  return std::make_unique<TorchPrefix>(network, weights, options);
}

}  // namespace weir
