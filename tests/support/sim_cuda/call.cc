#include "tests/support/sim_cuda/call.h"

#include <map>
#include <mutex>
#include <string>

#include "tests/support/sim_cuda/sim_cuda.h"

namespace weir::sim {
namespace {

struct Failure {
  int at_call = 0;  // as it is counted
  cudaError_t error = cudaSuccess;
};

struct AllCalls {
  std::mutex mutex;
  std::map<std::string, int> counts;
  std::map<std::string, Failure> failures;
};

AllCalls& All() {
  static auto* const all = new AllCalls;
  return *all;
}

thread_local cudaError_t last_error = cudaSuccess;

}  // namespace

cudaError_t Begin(const char* function) {
  std::lock_guard lock(All().mutex);
  const int call = ++All().counts[function];
  const auto failure = All().failures.find(function);
  if (failure == All().failures.end() || failure->second.at_call != call) return cudaSuccess;
  return End(failure->second.error);
}

cudaError_t End(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}

cudaError_t LastError(bool forget) {
  const cudaError_t error = last_error;
  if (forget) last_error = cudaSuccess;
  return error;
}

int Calls(const std::string& function) {
  std::lock_guard lock(All().mutex);
  const auto count = All().counts.find(function);
  return count == All().counts.end() ? 0 : count->second;
}

void FailCall(const std::string& function, int nth, cudaError_t error) {
  const int before = Calls(function);
  std::lock_guard lock(All().mutex);
  All().failures[function] = {before + nth, error};
}

}  // namespace weir::sim
