// What this process holds on a GPU, measured, and LibTorch's allocator held to its part.
//
// The figure of the process is the driver's own where it tells it (Nvml) and it can be true: in a
// container the driver lists the process, and finds no memory for it. Else it is what is in use now
// beyond what was in use when this process made its first meter of the card, before there was a
// context; where there is no Nvml at all, everything in use, other processes' included: never too
// little of our own, unless others have given back what they held.
//
// Called under the ledger's lock. Figures are of the moment.
#pragma once

#include <string>

#include "stages/device/cuda/device_ledger.h"
#include "stages/device/cuda/nvml.h"

namespace weir {

class CudaMeter final : public DeviceMeter {
 public:
  // Makes no context; the other members are called once LibTorch has made one. `nvml` outlives
  // this.
  CudaMeter(int device, GpuAddress gpu, const Nvml& nvml);

  Held process_bytes(std::size_t known_bytes) override;
  std::size_t torch_bytes() override;
  std::size_t torch_peak_bytes() override;
  void ForgetTorchPeak() override;
  void AllowTorch(std::size_t bytes) override;

 private:
  const int device_;
  const GpuAddress gpu_;
  const Nvml& nvml_;
  const std::size_t used_before_bytes_;
};

}  // namespace weir
