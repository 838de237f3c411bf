// What the driver knows of a GPU without a CUDA context, by its management library: how much of it
// is in use, and by this process.
//
// The library comes with the driver; where it is missing, or does not tell (in some containers and
// on WSL), figures are empty. So they are where it knows another GPU by that name: of a card that
// is cut in slices (MIG) a process sees one, and the card's own figures are not the slice's. Any
// thread. Costs a megabyte or two of host memory, no memory of the GPU.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace weir {

// A GPU as the CUDA runtime knows it.
struct GpuAddress {
  std::string uuid;    // "f8e5d2c1-0011-2233-4455-66778899aabb", of the slice where it is one
  std::string bus_id;  // "0000:01:00.0", of the card
  std::size_t total_bytes = 0;  // to a program
};

class Nvml {
 public:
  struct Memory {
    std::size_t total_bytes = 0;
    std::size_t free_bytes = 0;
    std::size_t used_bytes = 0;  // what all processes use
  };

  // `library` is its name or path.
  explicit Nvml(const std::string& library = "libnvidia-ml.so.1");
  ~Nvml();

  std::optional<std::string> driver_version() const;  // "580.65.06"

  std::optional<Memory> MemoryOf(const GpuAddress& gpu) const;
  std::optional<std::size_t> ProcessBytes(const GpuAddress& gpu, unsigned pid) const;

 private:
  struct Library;
  std::unique_ptr<Library> library_;  // null where it cannot be used
};

}  // namespace weir
