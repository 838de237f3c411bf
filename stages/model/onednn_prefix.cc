#include <cassert>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "framework/error.h"
#include "stages/model/buffer_plan.h"
#include "stages/model/frozen_prefix.h"
#include "stages/model/one_open_mp_thread.h"
#include "stages/model/onednn_maps.h"
#include "stages/model/onednn_plan.h"

namespace weir {
namespace {

using dnnl::memory;

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

// A want of memory in oneDNN is one like any other.
template <class Work>
auto OrBadAlloc(const Work& work) {
  try {
    return work();
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_out_of_memory) throw std::bad_alloc();
    throw;
  }
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
  std::vector<std::vector<dnnl_exec_arg_t>> arguments_;  // of each step; they point into the above
};

class OneDnnPrefix final : public FrozenPrefix {
 public:
  OneDnnPrefix(const MobileNetV2& model, const LayerReader& weights, const PrefixOptions& options)
      : engine_(dnnl::engine::kind::cpu, 0),
        plan_(model, options, engine_),
        pooling_(options.pooling),
        pixel_table_(MakePixelTable(options.preprocessing)),
        input_(plan_.buffers[0].desc),
        output_(plan_.buffers[plan_.convolutions.back().destination].desc),
        weights_(AllocateAligned(plan_.weights_bytes)) {
    const OneOpenMpThread one_thread;
    std::byte* next = weights_.get();
    for (const PlannedConvolution& planned : plan_.convolutions) {
      Step step{dnnl::convolution_forward(planned.descriptor), {}};
      for (const PackedParameter& parameter : PackedParameters(planned)) {
        memory packed(parameter.desc, engine_, next);
        Pack(model, weights, parameter, packed);
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
    return OrBadAlloc([this] { return std::make_unique<OneDnnWorkspace>(plan_, steps_, engine_); });
  }

  void Run(const std::uint8_t* pixels, Workspace& workspace, float* output) const override {
    const auto& mine = static_cast<const OneDnnWorkspace&>(workspace);
    const OneOpenMpThread one_thread;
    WritePixels(pixels, pixel_table_, input_, mine.map(0));
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      // oneDNN's C++ call would copy the arguments into a new vector each time.
      const auto& arguments = mine.arguments(i);
      const dnnl_status_t status =
          dnnl_primitive_execute(steps_[i].primitive.get(), mine.stream(),
                                 static_cast<int>(arguments.size()), arguments.data());
      if (status != dnnl_success) {
        throw Error(ErrorKind::kInternal, "oneDNN could not run convolution " + std::to_string(i) +
                                              " of the frozen prefix: status " +
                                              std::to_string(status));
      }
    }
    ReadMap(mine.map(plan_.convolutions.back().destination), output_, pooling_, output);
  }

 private:
  void Pack(const MobileNetV2& model, const LayerReader& weights, const PackedParameter& parameter,
            memory& packed) const {
    const ConvLayer& layer = model.layers()[parameter.layer];
    FoldedConv folded =
        Fold(layer, weights(parameter.layer), model.convention().batch_norm_epsilon);
    const memory::desc plain =
        parameter.bias
            ? memory::desc({layer.out_channels}, memory::data_type::f32, memory::format_tag::x)
            : memory::desc(
                  KernelShape(layer), memory::data_type::f32,
                  layer.groups == 1 ? memory::format_tag::oihw : memory::format_tag::goihw);
    memory from(plain, engine_, parameter.bias ? folded.bias.data() : folded.kernel.data());
    dnnl::stream stream(engine_);
    dnnl::reorder(from, packed).execute(stream, from, packed);
    stream.wait();
  }

  dnnl::engine engine_;
  OneDnnPlan plan_;
  Pooling pooling_;
  PixelTable pixel_table_;
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

std::unique_ptr<FrozenPrefix> MakeOneDnnPrefix(const MobileNetV2& model, const LayerReader& weights,
                                               const PrefixOptions& options) {
  // Its cache would keep kernels alive that no prefix of ours uses any more.
  dnnl::set_primitive_cache_capacity(0);
  return OrBadAlloc([&] { return std::make_unique<OneDnnPrefix>(model, weights, options); });
}

PrefixFootprint OneDnnPrefixFootprint(const MobileNetV2& model, const PrefixOptions& options) {
  return OrBadAlloc([&] {
    const OneDnnPlan plan(model, options, dnnl::engine(dnnl::engine::kind::cpu, 0));
    return PrefixFootprint{plan.weights_bytes, plan.workspace_bytes};
  });
}

}  // namespace weir
