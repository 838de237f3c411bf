#include <ATen/core/Tensor.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/mean.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cstring>

#include "framework/error.h"
#include "stages/model/frozen_prefix.h"

namespace weir {
namespace {

at::Tensor Copy(const std::vector<float>& values, at::IntArrayRef shape) {
  return at::from_blob(const_cast<float*>(values.data()), shape, at::kFloat).clone();
}

struct Layer {
  ConvLayer shape;
  MobileNetV2::Pads pads;
  at::Tensor kernel, gamma, beta, mean, variance;
};

// LibTorch allocates in Run itself, so a workspace holds nothing; its bytes are those of the
// largest layer's padded input, convolution, normalised and clamped output.
class TorchPrefix final : public FrozenPrefix {
 public:
  TorchPrefix(const MobileNetV2& model, const LayerReader& weights, const PrefixOptions& options)
      : options_(options),
        input_(model.input()),
        output_(model.output_size(options.last_layer)),
        epsilon_(model.convention().batch_norm_epsilon) {
    const c10::InferenceMode no_gradients;
    for (int i = 0; i <= options.last_layer; ++i) {
      const ConvLayer& layer = model.layers()[i];
      const ConvWeights from = weights(i);
      is_residual_.push_back(false);
      if (layer.residual >= 0) is_residual_[layer.residual] = true;
      const std::int64_t channels = layer.out_channels;
      layers_.push_back({layer, model.pads(i),
                         Copy(from.kernel, {channels, layer.in_channels / layer.groups,
                                            layer.kernel, layer.kernel}),
                         Copy(from.gamma, {channels}), Copy(from.beta, {channels}),
                         Copy(from.mean, {channels}), Copy(from.variance, {channels})});
      weights_bytes_ += (from.kernel.size() + 4 * from.gamma.size()) * sizeof(float);
      const MapSize in = model.input_size(i), out = model.output_size(i);
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
    const at::Tensor picture = at::from_blob(const_cast<std::uint8_t*>(pixels),
                                             {1, input_.height, input_.width, 3}, at::kByte);
    std::vector<at::Tensor> maps(layers_.size());  // those that a residual will need
    at::Tensor map = picture.permute({0, 3, 1, 2}).to(at::kFloat).mul(scale_).add(offset_);
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      map = Convolve(layers_[i], map);
      const int residual = layers_[i].shape.residual;
      if (residual >= 0) {
        map = map.add(maps[residual]);
        maps[residual].reset();
      }
      if (is_residual_[i]) maps[i] = map;
    }
    if (options_.pooling == Pooling::kAverage) map = at::mean(map, {2, 3});
    if (options_.pooling == Pooling::kMax) map = at::amax(map, {2, 3});
    if (options_.pooling == Pooling::kNone) map = map.permute({0, 2, 3, 1});
    map = map.contiguous();
    std::memcpy(output, map.const_data_ptr<float>(), map.nbytes());
  }

 private:
  at::Tensor Convolve(const Layer& layer, const at::Tensor& map) const {
    const auto [top, left, bottom, right] = layer.pads;
    const at::Tensor padded = at::constant_pad_nd(map, {left, right, top, bottom}, 0);
    const at::Tensor convolved = at::conv2d(padded, layer.kernel, {}, layer.shape.stride,
                                            at::IntArrayRef{0}, 1, layer.shape.groups);
    const at::Tensor normalised =
        at::batch_norm(convolved, layer.gamma, layer.beta, layer.mean, layer.variance,
                       /*training=*/false, /*momentum=*/0, epsilon_, /*cudnn_enabled=*/false);
    return layer.shape.relu6 ? at::clamp(normalised, 0, 6) : normalised;
  }

  PrefixOptions options_;
  const MapSize input_;
  const MapSize output_;
  const double epsilon_;
  std::vector<Layer> layers_;
  std::vector<bool> is_residual_;  // whether a later layer adds this one's output
  at::Tensor scale_, offset_;      // of options_.preprocessing
  std::size_t weights_bytes_ = 0;
  std::size_t workspace_bytes_ = 0;
};

}  // namespace

std::unique_ptr<FrozenPrefix> MakeTorchPrefix(const MobileNetV2& model, const LayerReader& weights,
                                              const PrefixOptions& options) {
  if (options.precision != Precision::kFloat32) {
    throw Error(ErrorKind::kConfig, "precision: the LibTorch backbone runs in float32 only",
                "Set precision: float32.");
  }
  return std::make_unique<TorchPrefix>(model, weights, options);
}

}  // namespace weir
