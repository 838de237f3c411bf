// What libFuzzer calls. Before it begins, the seeds of the reader and damaged copies of them are
// written into the first folder of its command line, its corpus.
#include "tests/fuzz/fuzz_target.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "framework/error.h"
#include "tests/support/hostile_bytes.h"

namespace weir {
namespace {

constexpr std::uint32_t kDamagedCopies = 8;  // damaged copies that are made of each seed

void WriteSeeds(const std::filesystem::path& corpus) {
  const auto write = [&](const std::string& name, const std::string& bytes) {
    std::ofstream file(corpus / name, std::ios::binary);
    file << bytes;
    if (!file.flush()) throw std::runtime_error("cannot be written to " + corpus.string());
  };
  const std::vector<std::string> seeds = FuzzSeeds();
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    const std::string name = "seed-" + std::to_string(i);
    if (seeds[i].empty()) throw std::runtime_error(name + " is empty");
    write(name, seeds[i]);
    for (std::uint32_t copy = 0; copy < kDamagedCopies; ++copy) {
      write(name + "-damaged-" + std::to_string(copy), Damaged(seeds[i], copy));
    }
  }
}

}  // namespace
}  // namespace weir

extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments) {
  for (int i = 1; i < *count; ++i) {
    const std::string_view argument = (*arguments)[i];
    if (argument.starts_with('-') || !std::filesystem::is_directory(argument)) continue;
    try {
      weir::WriteSeeds(argument);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "the seeds cannot be made: %s\n", error.what());
      std::_Exit(1);  // libFuzzer does not look at what this function returns
    }
    break;
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  try {
    weir::FuzzRead({reinterpret_cast<const char*>(bytes), count});
  } catch (const weir::Error&) {
  }
  return 0;
}
