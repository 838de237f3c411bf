#include "stages/features/onednn/onednn_plan.h"

#include <algorithm>
#include <cassert>
#include <optional>
#include <string>
#include <utility>

#include "framework/error.h"
#include "stages/features/onednn/buffer_plan.h"
#include "stages/features/onednn/onednn_maps.h"
#include "stages/kernels/one_open_mp_thread.h"

namespace weir {
namespace {

using dnnl::memory;
using Convolution = dnnl::convolution_forward::primitive_desc;

using DataType = memory::data_type;

std::string CpuName() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::sse41:
      return "SSE4.1";
    case dnnl::cpu_isa::avx:
      return "AVX";
    case dnnl::cpu_isa::avx2:
    case dnnl::cpu_isa::avx2_vnni:
    case dnnl::cpu_isa::avx2_vnni_2:
      return "AVX2";
    case dnnl::cpu_isa::avx512_core:
      return "AVX-512";
    case dnnl::cpu_isa::avx512_core_vnni:
      return "AVX-512 and VNNI";
    default:
      return "no vector instructions known to oneDNN";
  }
}

bool CpuHas(dnnl::cpu_isa needed) {
  const int isa = static_cast<int>(dnnl::get_effective_cpu_isa());
  return (isa & static_cast<int>(needed)) == static_cast<int>(needed);
}

// oneDNN would emulate bfloat16 on plain AVX-512, slower than float32; and without VNNI its sums of
// 8-bit products saturate at 16 bits.
void CheckPrecision(Precision precision) {
  if (precision == Precision::kTf32) {
    throw Error(ErrorKind::kConfig, "precision: tf32 is a GPU's", "Set precision: float32.");
  }
  const auto refuse = [](const std::string& what) {
    throw Error(ErrorKind::kConfig,
                "precision: " + what + " instructions; this one has " + CpuName(),
                "Set precision: float32.");
  };
  if (precision == Precision::kBfloat16 && !CpuHas(dnnl::cpu_isa::avx512_core_bf16)) {
    refuse("bfloat16 needs a CPU with AVX-512 BF16");
  }
  if (precision == Precision::kInt8 && !CpuHas(dnnl::cpu_isa::avx512_core_vnni) &&
      !CpuHas(dnnl::cpu_isa::avx2_vnni)) {
    refuse("int8 needs a CPU with VNNI");
  }
}

memory::dims DimsOf(int channels, MapSize size) { return {1, channels, size.height, size.width}; }

// Writes the plan, one convolution after another.
class Planner {
 public:
  Planner(const Network& network, const PrefixOptions& options, const dnnl::engine& engine,
          OneDnnPlan& plan)
      : network_(network),
        last_layer_(options.last_layer),
        precision_(options.precision),
        may_fuse_(options.precision != Precision::kInt8 && !options.watch),
        engine_(engine),
        plan_(plan),
        buffer_of_layer_(network.layers().size(), -1) {}

  void Run() {
    if (precision_ == Precision::kInt8) plan_.picture_pads = network_.pads(0);
    for (int layer = 0; layer <= last_layer_;) layer = Add(layer) + 1;
    PlaceBuffers();
    for (const PlannedConvolution& convolution : plan_.convolutions) {
      for (const PackedParameter& parameter : PackedParameters(convolution)) {
        plan_.weights_bytes += AlignedSize(parameter.desc.get_size());
      }
    }
  }

 private:
  // Adds `layer` and returns the last layer that is computed with it.
  int Add(int layer) {
    const NetworkLayer& it = network_.layers()[layer];
    CheckKnown(it);
    PlannedConvolution planned{.layer = layer,
                               .source = it.input < 0 ? 0 : buffer_of_layer_[it.input]};
    if (std::optional<Convolution> fused = TryFuse(layer)) {
      planned.descriptor = *std::move(fused);
      planned.depthwise = layer + 1;
    } else {
      planned.descriptor = DescribeAlone(layer);
    }
    if (layer == 0) AddBuffer(planned.descriptor.src_desc());
    planned.destination =
        AddsInPlace(layer) ? buffer_of_layer_[it.added] : AddBuffer(planned.descriptor.dst_desc());
    if (it.added >= 0 && !AddsInPlace(layer)) planned.added = buffer_of_layer_[it.added];
    const int last = std::max(layer, planned.depthwise);
    buffer_of_layer_[last] = planned.destination;
    Touch(planned.source);
    Touch(planned.destination);
    if (planned.added >= 0) Touch(planned.added);
    scratchpad_bytes_ =
        std::max(scratchpad_bytes_, planned.descriptor.scratchpad_desc().get_size());
    plan_.convolutions.push_back(std::move(planned));
    return last;
  }

  // What bytes cannot do is refused here as well: another activation than a clip is not the same
  // function of a map's bytes, and the two maps of a sum have one scale, which only maps of one
  // sign's type can share.
  void CheckKnown(const NetworkLayer& layer) const {
    const auto refuse = [&](const std::string& what) {
      throw Error(ErrorKind::kInternal, "the oneDNN prefix cannot run " + layer.name + ": " + what);
    };
    if (layer.kind != NetworkLayer::Kind::kConv) {
      refuse("it is no convolution but a " + std::string(Name(layer.kind)));
    }
    if (precision_ != Precision::kInt8) return;
    if (layer.activation && *layer.activation != Nonlinearity::kRelu &&
        *layer.activation != Nonlinearity::kRelu6) {
      refuse("it ends in " + std::string(Name(*layer.activation)) +
             ", and precision: int8 knows relu and relu6");
    }
    if (layer.added >= 0 && (layer.activation || network_.layers()[layer.added].activation)) {
      refuse("precision: int8 adds maps without activations");
    }
  }

  // Whether a layer writes its sum over the map that it adds, which nothing then reads any more.
  bool AddsInPlace(int layer) const {
    const NetworkLayer& it = network_.layers()[layer];
    return it.added >= 0 && it.added != it.input && network_.last_reader(it.added) == layer;
  }

  // The depthwise layer behind its 1x1, so that the expanded map stays in the cache; one of bytes
  // does so by itself. oneDNN takes one padding for both axes and derives the other side's.
  std::optional<Convolution> TryFuse(int layer) const {
    if (layer + 1 > last_layer_ || !may_fuse_) return std::nullopt;
    const NetworkLayer &it = network_.layers()[layer], &next = network_.layers()[layer + 1];
    const Pads pads = network_.pads(layer + 1);
    const bool is_pair = it.is_pointwise() && it.added < 0 && next.is_depthwise() &&
                         next.dilation == 1 && next.added < 0 && next.input == layer &&
                         network_.last_reader(layer) == layer + 1;
    if (!is_pair || pads.top != pads.left) return std::nullopt;
    CheckKnown(next);
    try {
      Convolution fused = Describe(layer, true);
      return IsReference(fused) ? std::nullopt : std::optional(std::move(fused));
    } catch (const dnnl::error& error) {
      if (error.status == dnnl_out_of_memory) throw;
      return std::nullopt;
    }
  }

  DataType KernelType() const {
    return precision_ == Precision::kInt8       ? DataType::s8
           : precision_ == Precision::kBfloat16 ? DataType::bf16
                                                : DataType::f32;
  }

  // The type of the map behind `layer`; -1 is the picture.
  DataType MapType(int layer) const {
    if (precision_ != Precision::kInt8) return KernelType();
    return layer < 0 || network_.layers()[layer].activation ? DataType::u8 : DataType::s8;
  }

  // A byte saturates where a ReLU or ReLU6 cuts off.
  void AppendActivation(int layer, dnnl::post_ops& post_ops) const {
    const std::optional<Nonlinearity> activation = network_.layers()[layer].activation;
    if (!activation || precision_ == Precision::kInt8) return;
    using dnnl::algorithm;
    switch (*activation) {
      case Nonlinearity::kRelu:
        return post_ops.append_eltwise(algorithm::eltwise_relu, 0, 0);
      case Nonlinearity::kRelu6:
        return post_ops.append_eltwise(algorithm::eltwise_clip, 0, 6);
      case Nonlinearity::kHardSigmoid:
        return post_ops.append_eltwise(algorithm::eltwise_hardsigmoid, 1.0f / 6, 0.5f);
      case Nonlinearity::kHardSwish:
        return post_ops.append_eltwise(algorithm::eltwise_hardswish, 1.0f / 6, 0.5f);
      case Nonlinearity::kSigmoid:
        return post_ops.append_eltwise(algorithm::eltwise_logistic, 0, 0);
      case Nonlinearity::kSilu:
        return post_ops.append_eltwise(algorithm::eltwise_swish, 1, 0);
    }
  }

  memory::desc MapDesc(int layer) const {
    return memory::desc(DimsOf(network_.layers()[layer].out_channels, network_.output_size(layer)),
                        MapType(layer), memory::format_tag::nhwc);
  }

  dnnl::primitive_attr Attributes(int layer, bool fuse) const {
    const NetworkLayer& it = network_.layers()[layer];
    dnnl::post_ops post_ops;
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    if (AddsInPlace(layer)) {
      post_ops.append_sum(1);
    } else if (it.added >= 0) {
      post_ops.append_binary(dnnl::algorithm::binary_add, MapDesc(it.added));
    }
    AppendActivation(layer, post_ops);
    if (precision_ == Precision::kInt8) {  // one for each channel of the layer's map
      attributes.set_scales_mask(DNNL_ARG_WEIGHTS, it.groups > 1 ? 3 : 1);
    }
    if (fuse) {
      const NetworkLayer& depthwise = network_.layers()[layer + 1];
      post_ops.append_dw(KernelType(), DataType::f32, MapType(layer + 1), depthwise.kernel,
                         depthwise.stride, network_.pads(layer + 1).top);
      AppendActivation(layer + 1, post_ops);
    }
    attributes.set_post_ops(post_ops);
    return attributes;
  }

  // All maps are NHWC, for which oneDNN has kernels on every instruction set: left to choose, it
  // mixes layouts, of which a depthwise layer may have the reference alone (on AVX-512 it did), a
  // thousand times slower. The layout of the weights is its choice.
  Convolution Describe(int layer, bool fuse) const {
    using Tag = memory::format_tag;
    const NetworkLayer& it = network_.layers()[layer];
    Pads pads = network_.pads(layer);
    MapSize input = network_.input_size(layer);
    if (layer == 0 && precision_ == Precision::kInt8) {
      input.height += pads.top + pads.bottom;
      input.width += pads.left + pads.right;
      pads = {};
    }
    const memory::desc kernel(KernelShape(it), KernelType(), Tag::any);
    const memory::desc bias({it.out_channels}, DataType::f32, Tag::x);
    const memory::desc from(DimsOf(it.in_channels, input), MapType(it.input), Tag::nhwc);
    const int apart = it.dilation - 1;  // pixels between two taps, as oneDNN counts
    return Convolution(engine_, dnnl::prop_kind::forward_inference,
                       dnnl::algorithm::convolution_direct, from, kernel, bias, MapDesc(layer),
                       {it.stride, it.stride}, {apart, apart}, {pads.top, pads.left},
                       {pads.bottom, pads.right}, Attributes(layer, fuse));
  }

  Convolution DescribeAlone(int layer) const {
    try {
      return Describe(layer, false);
    } catch (const dnnl::error& error) {
      if (error.status == dnnl_out_of_memory) throw;
      throw Error(ErrorKind::kInternal, "oneDNN has no convolution for " +
                                            network_.layers()[layer].name + " on this CPU (" +
                                            error.what() + ")");
    }
  }

  int AddBuffer(const memory::desc& desc) {
    if (!IsNhwc(desc)) throw Error(ErrorKind::kInternal, "oneDNN chose a layout by itself");
    const int step = static_cast<int>(plan_.convolutions.size());
    plan_.buffers.push_back({desc});
    lives_.push_back({desc.get_size(), step, step});
    return static_cast<int>(plan_.buffers.size()) - 1;
  }

  void Touch(int buffer) { lives_[buffer].last_step = static_cast<int>(plan_.convolutions.size()); }

  void PlaceBuffers() {
    const BufferPlan placed = PlanBuffers(lives_);
    for (std::size_t i = 0; i < plan_.buffers.size(); ++i) {
      plan_.buffers[i].offset = placed.offsets[i];
    }
    plan_.scratchpad_offset = placed.bytes;
    plan_.workspace_bytes = placed.bytes + AlignedSize(scratchpad_bytes_);
  }

  const Network& network_;
  const int last_layer_;
  const Precision precision_;
  const bool may_fuse_;
  const dnnl::engine& engine_;
  OneDnnPlan& plan_;
  std::vector<int> buffer_of_layer_;  // -1 where the layer's output is never in memory
  std::vector<BufferLife> lives_;
  std::size_t scratchpad_bytes_ = 0;
};

}  // namespace

OneDnnPlan::OneDnnPlan(const Network& network, const PrefixOptions& options,
                       const dnnl::engine& engine) {
  assert(options.last_layer >= 0 && options.last_layer < network.size());
  CheckPrecision(options.precision);
  const OneOpenMpThread one_thread;
  Planner(network, options, engine, *this).Run();
}

bool IsReference(const Convolution& convolution) {
  const std::string name = convolution.impl_info_str();
  return name.starts_with("ref:") || name.find(":ref:") != std::string::npos;
}

std::vector<PackedParameter> PackedParameters(const PlannedConvolution& convolution) {
  const auto& descriptor = convolution.descriptor;
  const memory::desc channels = descriptor.bias_desc();
  std::vector<PackedParameter> parameters = {
      {DNNL_ARG_WEIGHTS, convolution.layer, ParameterKind::kKernel, descriptor.weights_desc()},
      {DNNL_ARG_BIAS, convolution.layer, ParameterKind::kBias, channels}};
  if (descriptor.weights_desc().get_data_type() == DataType::s8) {
    parameters.push_back({DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS, convolution.layer,
                          ParameterKind::kScales, channels});
  }
  if (convolution.depthwise >= 0) {
    for (const auto& [argument, kind] : {std::pair{DNNL_ARG_WEIGHTS, ParameterKind::kKernel},
                                         std::pair{DNNL_ARG_BIAS, ParameterKind::kBias}}) {
      const int whole = DNNL_ARG_ATTR_POST_OP_DW | argument;
      parameters.push_back({whole, convolution.depthwise, kind,
                            descriptor.query_md(dnnl::query::exec_arg_md, whole)});
    }
  }
  return parameters;
}

memory::dims KernelShape(const NetworkLayer& layer) {
  if (layer.groups == 1) {
    return {layer.out_channels, layer.in_channels, layer.kernel, layer.kernel};
  }
  return {layer.groups, layer.out_channels / layer.groups, layer.in_channels / layer.groups,
          layer.kernel, layer.kernel};
}

}  // namespace weir
