#include "stages/features/onednn/onednn_prefix.h"

#include <cassert>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "stages/features/onednn/buffer_plan.h"
#include "stages/features/onednn/onednn_failure.h"
#include "stages/features/onednn/onednn_maps.h"
#include "stages/features/onednn/onednn_plan.h"
#include "stages/kernels/one_open_mp_thread.h"
#include "stages/model/quantized_conv.h"

namespace weir {
namespace {

using dnnl::memory;

constexpr const char* kWhat = "the frozen prefix";

struct AlignedDelete {
  void operator()(std::byte* bytes) const {
    ::operator delete (bytes, std::align_val_t{kBufferAlignment});
  }
};
using AlignedBytes = std::unique_ptr<std::byte, AlignedDelete>;

AlignedBytes AllocateAligned(std::size_t bytes) {
  return AlignedBytes(
      static_cast<std::byte*>(::operator new (bytes, std::align_val_t{kBufferAlignment})));
}

// A convolution that is ready to run but for the maps.
struct Step {
  dnnl::convolution_forward primitive;
  std::vector<std::pair<int, memory>> parameters;
};

class OneDnnWorkspace final : public FrozenPrefix::Workspace {
 public:
  OneDnnWorkspace(const OneDnnPlan& plan, const std::vector<Step>& steps,
                  const dnnl::engine& engine)
      : bytes_(AllocateAligned(plan.workspace_bytes)), stream_(engine) {
    for (const PlannedBuffer& buffer : plan.buffers) {
      maps_.emplace_back(buffer.desc, engine, bytes_.get() + buffer.offset);
    }
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const PlannedConvolution& planned = plan.convolutions[i];
      scratchpads_.emplace_back(planned.descriptor.scratchpad_desc(), engine,
                                bytes_.get() + plan.scratchpad_offset);
      std::vector<dnnl_exec_arg_t> arguments = {{DNNL_ARG_SRC, maps_[planned.source].get()},
                                                {DNNL_ARG_DST, maps_[planned.destination].get()},
                                                {DNNL_ARG_SCRATCHPAD, scratchpads_.back().get()}};
      if (planned.added >= 0) {
        arguments.push_back(
            {DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1, maps_[planned.added].get()});
      }
      for (const auto& [argument, parameter] : steps[i].parameters) {
        arguments.push_back({argument, parameter.get()});
      }
      arguments_.push_back(std::move(arguments));
    }
  }

  void* map(int buffer) const { return maps_[buffer].get_data_handle(); }
  dnnl_stream_t stream() const { return stream_.get(); }
  const std::vector<dnnl_exec_arg_t>& arguments(std::size_t step) const { return arguments_[step]; }

 private:
  AlignedBytes bytes_;
  dnnl::stream stream_;
  std::vector<memory> maps_;
  std::vector<memory> scratchpads_;
  std::vector<std::vector<dnnl_exec_arg_t>> arguments_;  // one list a step, pointing into the above
};

// Brings a layer's numbers to where and how oneDNN wants them.
class Packer {
 public:
  Packer(const Network& network, const LayerReader& weights, const PrefixOptions& options,
         const dnnl::engine& engine)
      : network_(network),
        weights_(weights),
        preprocessing_(options.preprocessing),
        engine_(engine),
        maps_(options.precision == Precision::kInt8 ? options.maps.get() : nullptr) {}

  // A layer's parameters come one after another: it is read with the first.
  void Pack(const PackedParameter& parameter, memory& packed) {
    const NetworkLayer& layer = network_.layers()[parameter.layer];
    if (std::exchange(layer_, parameter.layer) != parameter.layer) Read(layer);
    if (parameter.kind == ParameterKind::kKernel) {
      PackKernel(layer, packed);
    } else {
      const bool is_bias = parameter.kind == ParameterKind::kBias;
      std::vector<float>& channels = !maps_    ? folded_.bias
                                     : is_bias ? quantized_.bias
                                               : quantized_.scales;
      Reorder(memory::desc({layer.out_channels}, memory::data_type::f32, memory::format_tag::x),
              channels.data(), packed);
    }
  }

 private:
  void Read(const NetworkLayer& layer) {
    folded_ = Fold(layer, weights_(layer_), network_.convention().batch_norm_epsilon);
    if (!maps_) return;
    quantized_ =
        QuantizeLayer(network_, layer_, std::exchange(folded_, {}), preprocessing_, *maps_);
  }

  void PackKernel(const NetworkLayer& layer, memory& packed) {
    using Tag = memory::format_tag;
    const Tag tag = layer.groups == 1 ? Tag::oihw : Tag::goihw;
    const auto plain = [&](memory::data_type type) {
      return memory::desc(KernelShape(layer), type, tag);
    };
    if (maps_) {
      Reorder(plain(memory::data_type::s8), quantized_.kernel.data(), packed);
    } else {
      Reorder(plain(memory::data_type::f32), folded_.kernel.data(), packed);
    }
  }

  void Reorder(const memory::desc& plain, void* values, memory& packed) const {
    memory from(plain, engine_, values);
    dnnl::stream stream(engine_);
    dnnl::reorder(from, packed).execute(stream, from, packed);
    stream.wait();
  }

  const Network& network_;
  const LayerReader& weights_;
  const Preprocessing preprocessing_;
  const dnnl::engine& engine_;
  const std::vector<MapStatistics>* const maps_;  // null where they have floats
  int layer_ = -1;                                // the one that was read last
  FoldedConv folded_;                             // that layer, where maps have floats
  QuantizedConv quantized_;                       // that layer, where they have bytes
};

class OneDnnPrefix final : public FrozenPrefix {
 public:
  OneDnnPrefix(const Network& network, const LayerReader& weights, const PrefixOptions& options)
      : engine_(dnnl::engine::kind::cpu, 0),
        plan_(network, options, engine_),
        pooling_(options.pooling),
        watch_(options.watch),
        picture_size_(network.input()),
        input_(plan_.buffers[0].desc),
        output_(plan_.buffers[plan_.convolutions.back().destination].desc),
        weights_(AllocateAligned(plan_.weights_bytes)) {
    assert(!options.watch || options.precision == Precision::kFloat32);
    const OneOpenMpThread one_thread;
    if (options.precision == Precision::kInt8) {
      assert(options.maps);
      zero_pixel_ = ZeroPixel(options.preprocessing);
      output_scale_ = options.maps->at(options.last_layer).scale;
    } else {
      pixel_table_ = MakePixelTable(options.preprocessing);
    }
    Packer packer(network, weights, options, engine_);
    std::byte* next = weights_.get();
    for (const PlannedConvolution& planned : plan_.convolutions) {
      Step step{dnnl::convolution_forward(planned.descriptor), {}};
      for (const PackedParameter& parameter : PackedParameters(planned)) {
        memory packed(parameter.desc, engine_, next);
        packer.Pack(parameter, packed);
        next += AlignedSize(parameter.desc.get_size());
        step.parameters.emplace_back(parameter.argument, std::move(packed));
      }
      steps_.push_back(std::move(step));
    }
  }

  std::size_t weights_bytes() const override { return plan_.weights_bytes; }
  std::size_t workspace_bytes() const override { return plan_.workspace_bytes; }
  std::size_t output_values() const override {
    return (pooling_ == Pooling::kNone ? output_.pixels : 1) * output_.channels;
  }

  std::unique_ptr<Workspace> MakeWorkspace() const override {
    return InOneDnn(kWhat,
                    [this] { return std::make_unique<OneDnnWorkspace>(plan_, steps_, engine_); });
  }

  void Run(const std::uint8_t* pixels, Workspace& workspace, float* output) const override {
    const auto& mine = static_cast<const OneDnnWorkspace&>(workspace);
    const OneOpenMpThread one_thread;
    if (input_.type == memory::data_type::u8) {
      WritePadded(pixels, picture_size_, plan_.picture_pads, zero_pixel_,
                  static_cast<std::uint8_t*>(mine.map(0)));
    } else {
      WritePixels(pixels, pixel_table_, input_, mine.map(0));
    }
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      // oneDNN's C++ call would copy the arguments into a new vector each time.
      const auto& arguments = mine.arguments(i);
      const dnnl_status_t status =
          dnnl_primitive_execute(steps_[i].primitive.get(), mine.stream(),
                                 static_cast<int>(arguments.size()), arguments.data());
      if (status != dnnl_success) {
        ThrowOneDnnFailure(status, "convolution " + std::to_string(i) + " of the frozen prefix");
      }
      if (watch_) {
        const PlannedConvolution& planned = plan_.convolutions[i];
        watch_(planned.layer, static_cast<const float*>(mine.map(planned.destination)));
      }
    }
    ReadMap(mine.map(plan_.convolutions.back().destination), output_, pooling_, output_scale_,
            output);
  }

 private:
  dnnl::engine engine_;
  OneDnnPlan plan_;
  Pooling pooling_;
  MapWatcher watch_;
  MapSize picture_size_;
  PixelTable pixel_table_{};                  // for maps of floats
  std::array<std::uint8_t, 3> zero_pixel_{};  // for maps of bytes
  float output_scale_ = 1;                    // what 1 stands for in a last map of bytes
  MapShape input_;
  MapShape output_;
  AlignedBytes weights_;
  std::vector<Step> steps_;
};

}  // namespace

std::string OneDnnVersion() {
  const dnnl_version_t& version = *dnnl_version();
  return "oneDNN " + std::to_string(version.major) + "." + std::to_string(version.minor) + "." +
         std::to_string(version.patch) + " (" + version.hash + "), isa " +
         std::to_string(static_cast<int>(dnnl::get_effective_cpu_isa()));
}

std::unique_ptr<FrozenPrefix> MakeOneDnnPrefix(const Network& network, const LayerReader& weights,
                                               const PrefixOptions& options) {
  // Its cache would keep kernels alive that no prefix of ours uses any more.
  dnnl::set_primitive_cache_capacity(0);
  return InOneDnn(kWhat, [&] { return std::make_unique<OneDnnPrefix>(network, weights, options); });
}

PrefixFootprint OneDnnPrefixFootprint(const Network& network, const PrefixOptions& options) {
  return InOneDnn(kWhat, [&] {
    const OneDnnPlan plan(network, options, dnnl::engine(dnnl::engine::kind::cpu, 0));
    return PrefixFootprint{plan.weights_bytes, plan.workspace_bytes};
  });
}

}  // namespace weir
