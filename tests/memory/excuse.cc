#include "tests/memory/excuse.h"

#include <csignal>

namespace weir {
namespace {

constexpr Excuse kExcuses[] = {
    {SIGSEGV, "libdnnl.so", "oneDNN 3.2 copies descriptions into memory that it did not get"},
    {SIGSEGV, "libtorch_cpu.so", "the oneDNN inside it does the same"},
    {SIGSEGV, "libc10.so",
     "LibTorch's cpuinfo looks into its list of processors where it could not open /proc/cpuinfo"},
    {SIGSEGV, "liborc-0.4.so", "it fills its tables of rules without a look; libvips starts it"},
    {SIGABRT, "libglib-2.0.so",
     "g_slice_alloc aborts by its contract, and asks no handler of ours"},
    {SIGSEGV, "libvips.so.42(vips_sink_disc",
     "libvips 8.16 writes a picture without the thread that it could not start"},
    {SIGSEGV, "libhdf5_serial.so",
     "HDF5 1.10 copies names and frees tables without a look; export to Keras calls it"},
    {SIGSEGV, "libglib-2.0.so", "g_log needs memory to say that there is none, and calls itself"},
};

}  // namespace

const Excuse* ExcuseFor(const FailedRun& run) {
  for (const Excuse& excuse : kExcuses) {
    if (run.outcome.status == 128 + excuse.signal &&
        Place(run.signal_stack).starts_with(excuse.frame)) {
      return &excuse;
    }
  }
  return nullptr;
}

}  // namespace weir
