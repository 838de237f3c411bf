// weir's kernels on a stream of the simulation: the bodies that nvcc compiles, a thread after the
// other. Compiled without contraction of sums and products, as they say.
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

}  // namespace weir
