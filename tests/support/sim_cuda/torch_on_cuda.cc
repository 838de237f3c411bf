// LibTorch's CUDA half without libtorch_cuda.so: tensors come from its real caching allocator
// (libc10_cuda.so), and an operator waits for the current stream and runs LibTorch's own CPU kernel
// on the card's memory, which is the host's. So shapes, types, memory and the order of work are
// LibTorch's; what cuBLAS would take or choose is not there.
#include <ATen/Context.h>
#include <ATen/EmptyTensor.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_strided.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/view_native.h>
#include <c10/core/CPUAllocator.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <torch/library.h>

#include <array>
#include <optional>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "tests/support/sim_cuda/operators.h"
#include "tests/support/sim_cuda/sim_cuda.h"

// Declared where it is defined alone: libtorch_cuda.so tells by it which card has a context.
namespace c10::cuda::_internal {
void setHasPrimaryContext(bool (*has)(DeviceIndex));
}

namespace at {

struct SimulatedCudaHooks final : CUDAHooksInterface {
  explicit SimulatedCudaHooks(CUDAHooksArgs) {}
  void init() const override { c10::cuda::CUDACachingAllocator::init(c10::cuda::device_count()); }
  bool hasCUDA() const override { return true; }
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(DeviceIndex card) const override { return weir::sim::HasContext(card); }
  DeviceIndex deviceCount() const override { return c10::cuda::device_count(); }
  DeviceIndex current_device() const override { return c10::cuda::current_device(); }
};
C10_REGISTER_CLASS(CUDAHooksRegistry, CUDAHooks, SimulatedCudaHooks);

}  // namespace at

namespace weir::sim {
namespace {

// What the simulation computes with on the host is not the program's: it comes from LibTorch's own
// allocator, ahead of the one that weir keeps to a grant.
constexpr std::uint8_t kAboveWeirs = 101;

const bool is_set_up = [] {
  c10::cuda::_internal::setHasPrimaryContext(
      [](c10::DeviceIndex card) { return HasContext(card); });
  c10::SetAllocator(c10::DeviceType::CPU, c10::GetDefaultCPUAllocator(), kAboveWeirs);
  return true;
}();

void WaitForCurrentStream() { c10::cuda::getCurrentCUDAStream().synchronize(); }

// A message that a test wants becomes LibTorch's error.
void BeginOn(const c10::Device& card, const std::string& name, const std::string& shapes) {
  const std::string message = BeginOperator(card.index(), name, shapes);
  TORCH_CHECK(message.empty(), message);
}

std::string ShapeOf(const at::Tensor& tensor) {
  if (!tensor.defined()) return "-";
  std::ostringstream text;
  text << tensor.sizes() << tensor.strides();
  return text.str();
}

bool IsOnCard(const at::Tensor& tensor) { return tensor.defined() && tensor.is_cuda(); }

// A tensor of the host on the same memory, or one without any, which may be resized.
at::Tensor OnHost(const at::Tensor& tensor) {
  if (!IsOnCard(tensor)) return tensor;
  const auto options = at::TensorOptions().dtype(tensor.scalar_type()).device(at::kCPU);
  if (tensor.numel() == 0) return at::empty(tensor.sizes(), options);
  return at::from_blob(
      tensor.data_ptr(), tensor.sizes(), tensor.strides(), [](void*) {}, options, at::kCPU);
}

at::Tensor OnCard(const at::Tensor& tensor, c10::Device card) {
  if (!tensor.defined() || tensor.is_cuda()) return tensor;
  at::Tensor made =
      at::empty_strided(tensor.sizes(), tensor.strides(), tensor.options().device(card));
  if (tensor.numel() > 0) OnHost(made).copy_(tensor);
  return made;
}

// A call's tensors on the card, and what stood for them on the host.
class StandIns {
 public:
  // Puts a stand-in of the host in the place of every tensor and device of the card.
  void Replace(c10::IValue& value) {
    if (value.isTensor()) {
      if (IsOnCard(value.toTensor())) value = StandIn(value.toTensor());
    } else if (value.isTensorList()) {
      c10::List<at::Tensor> list;
      for (const at::Tensor& given : value.toTensorVector()) list.push_back(StandIn(given));
      value = list;
    } else if (value.isDevice()) {
      value = c10::Device(at::kCPU);
    }
  }

  // What the call gave: a tensor that it was given, which it may have made larger if it was empty,
  // or a new one, which moves to the card.
  void PutBack(c10::IValue& value) const {
    if (!value.isTensor()) return;
    const at::Tensor made = value.toTensor();
    for (const auto& [given, on_host] : pairs_) {
      if (!made.is_same(on_host)) continue;
      if (made.sizes() != given.sizes()) {
        given.unsafeGetTensorImpl()->shallow_copy_from(OnCard(made, card_).getIntrusivePtr());
      }
      value = given;
      return;
    }
    value = OnCard(made, card_);
  }

 private:
  at::Tensor StandIn(const at::Tensor& given) {
    if (!IsOnCard(given)) return given;
    card_ = given.device();
    return pairs_.emplace_back(given, OnHost(given)).second;
  }

  c10::Device card_{c10::DeviceType::CUDA, c10::cuda::current_device()};
  std::vector<std::pair<at::Tensor, at::Tensor>> pairs_;  // on the card, on the host
};

bool IsProduct(const std::string& name) {
  return name.starts_with("aten::mm") || name.starts_with("aten::addmm");
}

bool MayRoundProducts() {
  return at::globalContext().float32Precision(at::Float32Backend::CUDA, at::Float32Op::MATMUL) ==
         at::Float32Precision::TF32;
}

void RunOnHost(const c10::OperatorHandle& called, torch::jit::Stack* stack) {
  WaitForCurrentStream();
  std::string shapes;
  for (auto value = stack->end() - static_cast<std::ptrdiff_t>(called.schema().arguments().size());
       value != stack->end(); ++value) {
    if (value->isTensor()) shapes += ShapeOf(value->toTensor());
  }
  const c10::Device card(c10::DeviceType::CUDA, c10::cuda::current_device());
  const std::string name = toString(called.operator_name());
  BeginOn(card, name, shapes);
  if (IsProduct(name) && MayRoundProducts()) BeginOn(card, "tf32", shapes);
  StandIns stand_ins;
  for (auto value = stack->end() - static_cast<std::ptrdiff_t>(called.schema().arguments().size());
       value != stack->end(); ++value) {
    stand_ins.Replace(*value);
  }
  called.callBoxed(stack);
  for (auto value = stack->end() - static_cast<std::ptrdiff_t>(called.schema().returns().size());
       value != stack->end(); ++value) {
    stand_ins.PutBack(*value);
  }
}

const c10::DispatchKeySet kCuda(c10::DispatchKey::CUDA);

using MaybeType = std::optional<at::ScalarType>;
using MaybeLayout = std::optional<at::Layout>;
using MaybeDevice = std::optional<at::Device>;
using MaybeBool = std::optional<bool>;

at::Tensor Empty(at::IntArrayRef size, MaybeType type, MaybeLayout, MaybeDevice device, MaybeBool,
                 std::optional<at::MemoryFormat> format) {
  const c10::cuda::OptionalCUDAGuard on_card(device);
  return at::detail::empty_generic(size, c10::cuda::CUDACachingAllocator::get(), kCuda,
                                   type.value_or(at::kFloat), format);
}

at::Tensor EmptyStrided(at::IntArrayRef size, at::IntArrayRef stride, MaybeType type, MaybeLayout,
                        MaybeDevice device, MaybeBool) {
  const c10::cuda::OptionalCUDAGuard on_card(device);
  return at::detail::empty_strided_generic(size, stride, c10::cuda::CUDACachingAllocator::get(),
                                           kCuda, type.value_or(at::kFloat));
}

at::Tensor AsStrided(const at::Tensor& tensor, at::IntArrayRef size, at::IntArrayRef stride,
                     std::optional<std::int64_t> offset) {
  return at::native::as_strided_tensorimpl(tensor, size, stride, offset);
}

at::Tensor& Copy(at::Tensor& to, const at::Tensor& from, bool) {
  WaitForCurrentStream();
  OnHost(to).copy_(OnHost(from));
  return to;
}

// LibTorch chooses a convolution by the device of its input, before the fallback could.
at::Tensor Convolution(const at::Tensor& input, const at::Tensor& weight,
                       const std::optional<at::Tensor>& bias, at::IntArrayRef stride,
                       at::IntArrayRef padding, at::IntArrayRef dilation, bool transposed,
                       at::IntArrayRef output_padding, std::int64_t groups) {
  WaitForCurrentStream();
  BeginOn(input.device(), "aten::convolution", ShapeOf(input) + ShapeOf(weight));
  const at::Tensor made =
      at::convolution(OnHost(input), OnHost(weight), bias ? OnHost(*bias) : at::Tensor(), stride,
                      padding, dilation, transposed, output_padding, groups);
  return OnCard(made, input.device());
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> ConvolutionBackward(
    const at::Tensor& gradient, const at::Tensor& input, const at::Tensor& weight,
    at::OptionalIntArrayRef bias_sizes, at::IntArrayRef stride, at::IntArrayRef padding,
    at::IntArrayRef dilation, bool transposed, at::IntArrayRef output_padding, std::int64_t groups,
    std::array<bool, 3> wanted) {
  WaitForCurrentStream();
  BeginOn(input.device(), "aten::convolution_backward", ShapeOf(input) + ShapeOf(weight));
  const auto [of_input, of_weight, of_bias] =
      at::convolution_backward(OnHost(gradient), OnHost(input), OnHost(weight), bias_sizes, stride,
                               padding, dilation, transposed, output_padding, groups, wanted);
  const c10::Device card = input.device();
  return {OnCard(of_input, card), OnCard(of_weight, card), OnCard(of_bias, card)};
}

TORCH_LIBRARY_IMPL(_, CUDA, every) {
  every.fallback(torch::CppFunction::makeFromBoxedFunction<&RunOnHost>());
}

TORCH_LIBRARY_IMPL(aten, CUDA, aten) {
  aten.impl("empty.memory_format", Empty);
  aten.impl("empty_strided", EmptyStrided);
  aten.impl("as_strided", AsStrided);
  aten.impl("view", at::native::view);
  aten.impl("_reshape_alias", at::native::_reshape_alias);
  aten.impl("copy_", Copy);
  aten.impl("convolution", Convolution);
  aten.impl("convolution_backward", ConvolutionBackward);
}

}  // namespace
}  // namespace weir::sim
