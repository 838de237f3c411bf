#include "stages/device/cuda/depthwise_bodies.h"
#include "stages/device/cuda/depthwise_gradient_bodies.h"
#include "stages/device/cuda/kernel_bodies.h"
#include "stages/device/cuda/kernels.h"

namespace weir {
namespace {

template <class Body>
__global__ void Run(Body body) {
  body(static_cast<std::size_t>(blockIdx.x) * kernel::kThreadsOfBlock + threadIdx.x);
}

// Queues a kernel of one thread a call.
struct LaunchOn {
  cudaStream_t stream;

  template <class Body>
  void operator()(std::size_t threads, const Body& body) const {
    Run<<<kernel::BlocksFor(threads), kernel::kThreadsOfBlock, 0, stream>>>(body);
  }
};

}  // namespace

void LaunchNormalise(const std::uint8_t* from, std::size_t values, ChannelMap map, MapType type,
                     void* to, cudaStream_t stream) {
  kernel::NormaliseBy(LaunchOn{stream}, from, values, map, type, to);
}

void LaunchAveragePool(const void* from, MapType type, int n, int pixels, int channels, float* to,
                       cudaStream_t stream) {
  kernel::PoolBy<kernel::Mean>(LaunchOn{stream}, from, type, n, pixels, channels, to);
}

void LaunchMaxPool(const void* from, MapType type, int n, int pixels, int channels, float* to,
                   cudaStream_t stream) {
  kernel::PoolBy<kernel::Largest>(LaunchOn{stream}, from, type, n, pixels, channels, to);
}

void LaunchDepthwise(const DepthwiseMaps& maps, MapType type, const void* input, const void* kernel,
                     const void* bias, std::optional<float> ceiling, void* output,
                     cudaStream_t stream) {
  kernel::DepthwiseBy(LaunchOn{stream}, maps, type, input, kernel, bias, ceiling, output);
}

void LaunchDepthwiseInputGradient(const DepthwiseMaps& maps, const float* gradient,
                                  const float* kernel, float* of_input, cudaStream_t stream) {
  kernel::DepthwiseInputGradientBy(LaunchOn{stream}, maps, gradient, kernel, of_input);
}

void LaunchDepthwiseKernelGradient(const DepthwiseMaps& maps, const float* gradient,
                                   const float* input, float* scratch, float* of_kernel,
                                   cudaStream_t stream) {
  kernel::DepthwiseKernelGradientBy(LaunchOn{stream}, maps, gradient, input, scratch, of_kernel);
}

}  // namespace weir
