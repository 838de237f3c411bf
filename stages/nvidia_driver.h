// Whether there is an NVIDIA driver, asked of the file system alone: nothing of it is loaded, and
// no card is woken. Any thread, before main() too.
#pragma once

#include <unistd.h>

namespace weir {

// `exists` tells whether a file is there, by its path as a C string.
template <class Exists>
bool HasNvidiaDriver(const Exists& exists) {
  if (exists("/dev/nvidiactl")) return true;
  // Under Windows' WSL every maker's GPU has that file, and NVIDIA's alone this library: there, or
  // in a container where the system's are.
  if (exists("/dev/dxg")) {
    return exists("/usr/lib/wsl/lib/libcuda.so.1") ||
           exists("/usr/lib/x86_64-linux-gnu/libcuda.so.1") ||
           exists("/usr/lib/aarch64-linux-gnu/libcuda.so.1") || exists("/usr/lib64/libcuda.so.1");
  }
  // The device file is made when it is first wanted, by nvidia-modprobe: after a start of the
  // machine there may be the driver alone. A container that was given no GPU sees that, too, but
  // has no such program.
  return exists("/proc/driver/nvidia/version") && exists("/usr/bin/nvidia-modprobe");
}

// On this machine.
inline bool HasNvidiaDriver() {
  return HasNvidiaDriver([](const char* path) { return access(path, F_OK) == 0; });
}

}  // namespace weir
