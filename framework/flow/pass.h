// One run of the pipeline over one split of the data.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir {

enum class Split { kTrain, kValidation, kTest, kPredict };

constexpr std::string_view Name(Split split) {
  switch (split) {
    case Split::kTrain:
      return "train";
    case Split::kValidation:
      return "validation";
    case Split::kTest:
      return "test";
    case Split::kPredict:
      return "predict";
  }
  return "";
}

struct Pass {
  Split split = Split::kTrain;
  int epoch = 0;                   // from 0; with the seed, what randomness depends on
  std::uint64_t first_sample = 0;  // in the order of this pass: where a resumed pass goes on
};

}  // namespace weir
