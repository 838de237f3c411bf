// GPUs that are not there, for tests of the device side: what can be set of them, and asked.
//
// The simulation is a CUDA runtime and an NVML by the names that NVIDIA's have (libcudart.so.13 and
// libnvidia-ml.so.1), so that a program that is linked to them runs LibTorch's own caching
// allocator and weir's own device side on them, unchanged. Beside them stands a libweir_cuda.so
// whose LibTorch computes with its CPU kernels in the cards' memory (torch_on_cuda.cc) and whose
// own kernels are those that nvcc compiles, run on the host (kernels_on_host.cc).
//
// True to a card: how much memory there is and who holds it, in what grains it is given and what
// lies in it; the order of streams and events, in threads of their own; when a copy reads and when
// it returns; contexts, one a card; an error of any call; that kernels are loaded by and by. Not
// simulated: cuBLAS, cuDNN, how fast kernels are.
//
// Any thread may call any function. Memory of a card is the host's, once it is written to.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <string>

namespace weir::sim {

inline constexpr int kCards = 2;
inline constexpr std::size_t kCardBytes = std::size_t{8} << 30;
inline constexpr std::size_t kContextBytes = std::size_t{300} << 20;
inline constexpr std::size_t kGrainBytes = std::size_t{2} << 20;  // cudaMalloc rounds up to it

// What this process holds on a card, its context included: now, and at most since the peak was
// reset.
std::size_t HeldBytes(int card);
std::size_t HeldPeakBytes(int card);
void ResetHeldPeak(int card);

// What other processes hold there: 100 MiB at first.
std::size_t OthersBytes(int card);
void SetOthersBytes(int card, std::size_t bytes);

bool HasContext(int card);
unsigned ContextFlags(int card);  // as cudaInitDevice was given them; 0 where it was not called

// All cards have it: 9.0 at first.
void SetComputeCapability(int major, int minor);

// From now on each piece of a stream's work may begin up to a millisecond late, by chances of this
// seed; 0: none does.
void SetDelays(unsigned seed);

// From now on as in a process that has not used a card yet. Memory stays where it is.
void ForgetContexts();

// How often this process has called a function of the runtime: "cudaMalloc".
int Calls(const std::string& function);

// The n-th call from now on, counted from 1, does nothing but return `error`. 0: no call does.
void FailCall(const std::string& function, int nth, cudaError_t error);

// Kernels are loaded where they are first wanted, and stay: from now on an operator of LibTorch
// takes so many bytes of its card, beside what is allocated, whenever it is given shapes that it
// has not been given since this was called. What was taken before is given back. None at first.
void SetModuleBytes(std::size_t least, std::size_t most);

// How often an operator of LibTorch was given shapes that were new to it then.
int NewLaunches();

// From now on an operator, "aten::convolution", throws this as LibTorch's error; empty: it does
// not. "tf32" stands for every matrix product whose factors cuBLAS may round.
void FailOperator(const std::string& name, const std::string& message);

// As long as this is there, no copy is carried out that a stream comes to: what a test does
// meanwhile is done before it.
class HeldCopies {
 public:
  HeldCopies();
  HeldCopies(const HeldCopies&) = delete;
  HeldCopies& operator=(const HeldCopies&) = delete;
  ~HeldCopies();
};

// Copies to a card that the runtime had to stage, as their source was not pinned.
int PageableUploads();

// What NVML says of this process' memory.
enum class NvmlTemper {
  kTells,
  kListsNothing,  // the process is listed with 0 bytes, as in a container
  kDoesNotList,   // the process is not listed, as in other containers
  kNotAvailable,  // the process is listed, but its bytes are "not available", as on Windows
  kRefuses,       // there is no permission to ask for anything, as in a container with a slice
  kKnowsSlices,   // the GPU is a seventh of a card: its own name gives its own figures
  kKnowsTheCard,  // the same, but only the card is known, by its place
};
NvmlTemper Temper();  // kTells at first
void SetTemper(NvmlTemper temper);

}  // namespace weir::sim
