// PNMs in their six forms, and PAM and PFM, which are not read.
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/picture_read.h"

namespace weir {

std::vector<std::string> FuzzSeeds() {
  return {"P1 4 2\n1 0 1 0\n# comment\n0 1 0 1",
          "P2\n4 2 255\n1 2 3 4 5 6 7 255",
          "P3 2 1 15 1 2 3 4 5 15",
          "P4 9 2\n" + std::string("\x55\x80\xaa\0", 4),
          "P5 4 2 255\n12345678",
          "P5 2 2 65535\n12345678",
          "P6 # a\n 2 2 255\n123456789abc",
          "P7\nWIDTH 2\nHEIGHT 1\nDEPTH 1\nMAXVAL 255\nTUPLTYPE GRAYSCALE\nENDHDR\n12",
          "Pf\n2 1\n-1.0\n12345678"};
}

void FuzzRead(std::string_view bytes) { ReadPicture(bytes); }

}  // namespace weir
