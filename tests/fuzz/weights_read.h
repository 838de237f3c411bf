// A file of weights, opened and read to its end.
#pragma once

#include <string_view>
#include <vector>

#include "framework/error.h"
#include "stages/model/weights/weights_file.h"
#include "tests/fuzz/memory_file.h"

namespace weir {

inline void ReadWeights(std::string_view bytes) {
  static const MemoryFile memory("weights");
  const auto file = WeightsFile::Open(memory.With(bytes));
  for (const TensorInfo& tensor : file->tensors()) {
    if (!tensor.unread.empty()) continue;
    std::vector<float> values(static_cast<std::size_t>(tensor.values()));
    try {
      file->Read(tensor, values);
    } catch (const Error&) {  // this tensor alone is refused; the next may be whole
    }
  }
}

}  // namespace weir
