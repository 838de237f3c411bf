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

}  // namespace weir
