// A failure in oneDNN, or in the one inside LibTorch, as weir's: what it could not do for want of
// memory is no fault of anybody's.
//
//   const at::Tensor map = InOneDnn("a convolution", [&] { return at::convolution(...); });
#pragma once

#include <oneapi/dnnl/dnnl.hpp>
#include <string>

namespace weir {

// Throws std::bad_alloc, or Error(kMemory) where it got no memory for the code that it makes of
// `what`: it calls that a failure while it runs. Else Error(kInternal).
[[noreturn]] void ThrowOneDnnFailure(dnnl_status_t status, const std::string& what);

template <class Work>
auto InOneDnn(const char* what, const Work& work) {
  try {
    return work();
  } catch (const dnnl::error& error) {
    ThrowOneDnnFailure(error.status, what);
  }
}

}  // namespace weir
