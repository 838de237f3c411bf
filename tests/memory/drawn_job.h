// A training job drawn by chance, and a ceiling for it: what the promise about the ceiling is tried
// with. The same for the same state of `random` on every machine.
#pragma once

#include <cstddef>
#include <filesystem>
#include <random>
#include <string>

namespace weir {

struct DrawnJob {
  std::string yaml;  // the whole configuration
  std::size_t ceiling_bytes = 0;
  bool is_tight = false;  // to be run in the smallest ceiling that its plan says is enough instead
};

// A MobileNetV2 of width 0.35 without weights on pictures of 32 to 160 pixels, in batches of 1 to
// 32: any part of it frozen, any kind of head and optimizer, 1 to 3 threads, one epoch; in 20 to
// 400 MiB.
// There are to be 24 pictures or more to train on, after 30% are set aside.
DrawnJob DrawJob(std::mt19937& random, const std::filesystem::path& pictures);

}  // namespace weir
