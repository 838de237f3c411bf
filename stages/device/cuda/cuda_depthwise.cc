#include "stages/device/cuda/cuda_depthwise.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/cuda/CUDAStream.h>

#include <cstdint>

#include "stages/device/cuda/cuda_error.h"
#include "stages/device/cuda/depthwise_slices.h"
#include "stages/device/cuda/kernels.h"

namespace weir {
namespace {

at::Tensor Empty(at::IntArrayRef shape, const at::Tensor& like) {
  return at::empty(shape, like.options());
}

cudaStream_t StreamOf(const at::Tensor& map) {
  return c10::cuda::getCurrentCUDAStream(map.device().index());
}

// The kernels take addresses as they are, and count positions in 32 bits.
void CheckMap(const at::Tensor& map, std::int64_t count, std::int64_t height, std::int64_t width,
              std::int64_t channels) {
  TORCH_CHECK(
      map.is_contiguous() && map.sizes() == at::IntArrayRef({count, height, width, channels}),
      "a depthwise map is not as it was said to be");
  TORCH_CHECK(map.numel() < std::int64_t{1} << 32, "a depthwise map has more than 2^32 values");
}

void CheckInput(const DepthwiseMaps& maps, const at::Tensor& input) {
  CheckMap(input, maps.count, maps.in_height, maps.in_width, maps.channels);
}

void CheckOutput(const DepthwiseMaps& maps, const at::Tensor& output) {
  CheckMap(output, maps.count, maps.out_height, maps.out_width, maps.channels);
}

void CheckKernel(const DepthwiseMaps& maps, const at::Tensor& kernel) {
  TORCH_CHECK(kernel.is_contiguous() && kernel.numel() == 9 * maps.channels,
              "a depthwise kernel is not as it was said to be");
}

}  // namespace

at::Tensor CudaDepthwise::Forward(const DepthwiseMaps& maps, const at::Tensor& input,
                                  const at::Tensor& kernel, const at::Tensor& bias,
                                  std::optional<float> ceiling) const {
  at::Tensor output = Empty({maps.count, maps.out_height, maps.out_width, maps.channels}, input);
  CheckInput(maps, input);
  CheckOutput(maps, output);
  CheckKernel(maps, kernel);
  const MapType type = input.scalar_type() == at::kFloat ? MapType::kFloat32 : MapType::kBfloat16;
  LaunchDepthwise(maps, type, input.const_data_ptr(), kernel.const_data_ptr(),
                  bias.defined() ? bias.const_data_ptr() : nullptr, ceiling,
                  output.mutable_data_ptr(), StreamOf(input));
  Check(cudaGetLastError(), "run a depthwise convolution");
  return output;
}

at::Tensor CudaDepthwise::InputGradient(const DepthwiseMaps& maps, const at::Tensor& gradient,
                                        const at::Tensor& kernel) const {
  at::Tensor of_input = Empty({maps.count, maps.in_height, maps.in_width, maps.channels}, gradient);
  CheckInput(maps, of_input);
  CheckOutput(maps, gradient);
  CheckKernel(maps, kernel);
  LaunchDepthwiseInputGradient(maps, gradient.const_data_ptr<float>(),
                               kernel.const_data_ptr<float>(), of_input.mutable_data_ptr<float>(),
                               StreamOf(gradient));
  Check(cudaGetLastError(), "run a depthwise convolution backward");
  return of_input;
}

at::Tensor CudaDepthwise::KernelGradient(const DepthwiseMaps& maps, const at::Tensor& gradient,
                                         const at::Tensor& input) const {
  CheckInput(maps, input);
  CheckOutput(maps, gradient);
  at::Tensor of_kernel = Empty({maps.channels, 1, 3, 3}, gradient);
  const at::Tensor scratch =
      Empty({static_cast<std::int64_t>(DepthwiseSlices(maps).scratch_floats())}, gradient);
  LaunchDepthwiseKernelGradient(maps, gradient.const_data_ptr<float>(),
                                input.const_data_ptr<float>(), scratch.mutable_data_ptr<float>(),
                                of_kernel.mutable_data_ptr<float>(), StreamOf(gradient));
  Check(cudaGetLastError(), "find the gradient of a depthwise kernel");
  return of_kernel;
}

}  // namespace weir
