// A safetensors file: the bytes are its header and, behind the last brace, its values.
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/weights_read.h"
#include "tests/support/pth_bytes.h"

namespace weir {

std::vector<std::string> FuzzSeeds() {
  const std::string two =
      R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
      R"("b":{"dtype":"BF16","shape":[1,2],"data_offsets":[8,12]}})";
  return {two + std::string(12, '\2'),
          "{}",
          two,
          R"({"w":{"dtype":"F8_E4M3","shape":[],"data_offsets":[0,1]}}x)",
          R"({"w":{"shape":[0,18446744073709551615],"dtype":"I64","data_offsets":[0,0]}})",
          R"({"a":{"b":[[[{}]]]},"\u00e9\ud83d\ude00":[1e400,-0.5,true,null]})"};
}

void FuzzRead(std::string_view bytes) {
  const std::size_t end = bytes.rfind('}');
  const std::uint64_t header = end == bytes.npos ? bytes.size() : end + 1;
  ReadWeights(LittleEndian(header) + std::string(bytes));
}

}  // namespace weir
