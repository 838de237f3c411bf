#include "stages/features/onednn/onednn_failure.h"

#include <new>

#include "framework/error.h"

namespace weir {

void ThrowOneDnnFailure(dnnl_status_t status, const std::string& what) {
  if (status == dnnl_out_of_memory) throw std::bad_alloc();
  const std::string number = ": status " + std::to_string(status);
  if (status == dnnl_runtime_error) {
    throw Error(ErrorKind::kMemory, "oneDNN got no memory for the code of " + what + number,
                "Free memory on this machine, raise this process' limits (`ulimit -v`, `ulimit "
                "-d`), or let it make memory that can be executed.");
  }
  throw Error(ErrorKind::kInternal, "oneDNN could not do " + what + number);
}

}  // namespace weir
