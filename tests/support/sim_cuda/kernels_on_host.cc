// weir's kernels on a stream of the simulation: the bodies that nvcc compiles, a thread after the
// other. Compiled without contraction of sums and products, as they say.
#include "stages/device/cuda/depthwise_bodies.h"
#include "stages/device/cuda/depthwise_gradient_bodies.h"
#include "stages/device/cuda/kernel_bodies.h"
#include "tests/support/sim_cuda/stream.h"

namespace weir {
namespace {

struct RunOn {
  cudaStream_t stream;

  template <class Body>
  void operator()(std::size_t threads, const Body& body) const {
    const std::size_t all = std::size_t{kernel::BlocksFor(threads)} * kernel::kThreadsOfBlock;
    reinterpret_cast<sim::Stream*>(stream)->Queue([all, body] {
      for (std::size_t thread = 0; thread < all; ++thread) body(thread);
    });
  }
};

}  // namespace

void LaunchNormalise(const std::uint8_t* from, std::size_t values, ChannelMap map, MapType type,
                     void* to, cudaStream_t stream) {
  kernel::NormaliseBy(RunOn{stream}, from, values, map, type, to);
}

void LaunchAveragePool(const void* from, MapType type, int n, int pixels, int channels, float* to,
                       cudaStream_t stream) {
  kernel::PoolBy<kernel::Mean>(RunOn{stream}, from, type, n, pixels, channels, to);
}

void LaunchMaxPool(const void* from, MapType type, int n, int pixels, int channels, float* to,
                   cudaStream_t stream) {
  kernel::PoolBy<kernel::Largest>(RunOn{stream}, from, type, n, pixels, channels, to);
}

void LaunchDepthwise(const DepthwiseMaps& maps, MapType type, const void* input, const void* kernel,
                     const void* bias, std::optional<float> ceiling, void* output,
                     cudaStream_t stream) {
  kernel::DepthwiseBy(RunOn{stream}, maps, type, input, kernel, bias, ceiling, output);
}

void LaunchDepthwiseInputGradient(const DepthwiseMaps& maps, const float* gradient,
                                  const float* kernel, float* of_input, cudaStream_t stream) {
  kernel::DepthwiseInputGradientBy(RunOn{stream}, maps, gradient, kernel, of_input);
}

void LaunchDepthwiseKernelGradient(const DepthwiseMaps& maps, const float* gradient,
                                   const float* input, float* scratch, float* of_kernel,
                                   cudaStream_t stream) {
  kernel::DepthwiseKernelGradientBy(RunOn{stream}, maps, gradient, input, scratch, of_kernel);
}

}  // namespace weir
