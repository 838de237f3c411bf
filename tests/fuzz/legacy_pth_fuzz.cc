// PyTorch's files from before they were zips: pickles one behind the other, then the storages.
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/weights_read.h"
#include "tests/support/file_text.h"

namespace weir {

std::vector<std::string> FuzzSeeds() {
  return {FileText("tests/stages/model/weights/torch_files/old.pth")};
}

void FuzzRead(std::string_view bytes) { ReadWeights(bytes); }

}  // namespace weir
