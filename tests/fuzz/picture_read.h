// A picture as the stage decode reads it: looked at, admitted, decoded in full and shrunk.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

#include "tests/fuzz/memory_file.h"
#include "tests/stages/decode/decode_probe.h"

namespace weir {

inline void ReadPicture(std::string_view bytes) {
  // Larger ones take long, and are read in the same way.
  constexpr int kMegapixels = 1;
  constexpr std::size_t kMostAdmitted = std::size_t{32} << 20;
  static const MemoryFile memory("picture");
  static DecodeProbe full(0, 0, kMegapixels);
  static DecodeProbe small(16, 16, kMegapixels);
  const std::string path = memory.With(bytes);
  for (DecodeProbe* probe : {&full, &small}) {
    const Outcome<std::size_t> admitted = probe->Admit(path);
    const std::size_t* ticket = std::get_if<std::size_t>(&admitted);
    if (ticket && *ticket <= kMostAdmitted) probe->Map(path);
  }
}

}  // namespace weir
