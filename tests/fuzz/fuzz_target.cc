// What libFuzzer calls. Before it begins, the seeds of the reader and damaged copies of them are
// written into the first folder of its command line, its corpus.
#include "tests/fuzz/fuzz_target.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>

#include "framework/error.h"
#include "tests/support/hostile_bytes.h"

namespace weir {
namespace {

constexpr std::uint32_t kDamagedCopies = 8;  // of each seed

void WriteSeeds(const std::filesystem::path& corpus) {
  const auto write = [&](const std::string& name, const std::string& bytes) {
    std::ofstream(corpus / name, std::ios::binary) << bytes;
  };
  const std::vector<std::string> seeds = FuzzSeeds();
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    const std::string name = "seed-" + std::to_string(i);
    write(name, seeds[i]);
    for (std::uint32_t copy = 0; copy < kDamagedCopies && !seeds[i].empty(); ++copy) {
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
      return 1;
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
