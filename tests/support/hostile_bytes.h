// Damage to files, the same in every run, and what it cost to read them.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "framework/error.h"
#include "stages/model/weights/weights_file.h"
#include "tests/support/sanitizer.h"

namespace weir {

// `bytes` with one to four places changed to what readers trip over: a bit, a byte, or a number of
// eight bytes that is huge; in one case of eight cut short instead.
inline std::string Damaged(std::string bytes, std::uint32_t seed) {
  std::mt19937 random(seed);
  if (random() % 8 == 0) return bytes.substr(0, random() % bytes.size());
  for (std::uint32_t places = 1 + random() % 4; places > 0; --places) {
    const std::size_t at = random() % bytes.size();
    switch (random() % 4) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
        break;
      case 1:
        bytes[at] = static_cast<char>(random());
        break;
      case 2:
        bytes[at] = static_cast<char>(0xFF);
        break;
      default:
        for (std::size_t i = at; i < at + 8 && i < bytes.size(); ++i) {
          bytes[i] = static_cast<char>(random() % 2 ? 0xFF : random());
        }
    }
  }
  return bytes;
}

// The most memory that this process has ever held, in bytes; 0 where the kernel does not say.
inline std::size_t PeakResidentBytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word != "VmHWM:") continue;
    std::size_t kilobytes = 0;
    status >> kilobytes;
    return kilobytes * 1024;
  }
  return 0;
}

struct HostileOutcome {
  int read = 0;
  int refused = 0;
  // How far the peak grew; 0 under a sanitizer, whose own memory would be counted.
  std::size_t grown_bytes = 0;
};

// Opens each and reads all its tensors. Anything but a result or an Error leaves by its own way.
inline HostileOutcome ReadAllOf(const std::vector<std::string>& files) {
  const int memory = ::memfd_create("weights", MFD_CLOEXEC);  // a file without a disk
  const std::string path = "/proc/self/fd/" + std::to_string(memory);
  HostileOutcome outcome;
  const std::size_t before = PeakResidentBytes();
  for (const std::string& bytes : files) {
    try {
      if (::ftruncate(memory, 0) != 0 ||
          ::pwrite(memory, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
        throw std::runtime_error("cannot write " + path);
      }
      const auto file = WeightsFile::Open(path);
      for (const TensorInfo& tensor : file->tensors()) {
        std::vector<float> values(static_cast<std::size_t>(tensor.values()));
        file->Read(tensor, values);
      }
      ++outcome.read;
    } catch (const Error&) {
      ++outcome.refused;
    }
  }
  ::close(memory);
  if (!kHasSanitizer) outcome.grown_bytes = PeakResidentBytes() - before;
  return outcome;
}

inline std::vector<std::string> DamagedCopies(const std::string& bytes, int count) {
  std::vector<std::string> copies;
  for (int seed = 0; seed < count; ++seed) {
    copies.push_back(Damaged(bytes, static_cast<std::uint32_t>(seed)));
  }
  return copies;
}

inline std::vector<std::string> AllTruncations(const std::string& bytes) {
  std::vector<std::string> copies;
  for (std::size_t size = 0; size < bytes.size(); ++size) copies.push_back(bytes.substr(0, size));
  return copies;
}

}  // namespace weir
