// PyTorch's files: the bytes are the pickle in a zip, whose checksums are right.
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/weights_read.h"
#include "tests/support/pth_bytes.h"

namespace weir {
namespace {

const std::string kFloats(256, '\1');

std::string Tensor(const std::string& type, int count) {
  return pickle::Tensor(pickle::Storage(type, "0", count), 0, {count}, {1});
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  const std::string call =
      pickle::Global("os", "system") + pickle::Tuple({pickle::Text("true")}) + "R";
  const std::string object = pickle::Global("argparse", "Namespace") + ")\x81}(" +
                             pickle::Text("lr") + "G" + std::string(8, '\1') + "ub";
  std::vector<std::string> seeds;
  for (const std::string& value :
       {Tensor("FloatStorage", 4), Tensor("HalfStorage", 8), Tensor("QInt8Storage", 2), call,
        object, pickle::Dict({{"inner", Tensor("LongStorage", 1)}})}) {
    seeds.push_back(pickle::Whole(pickle::Dict({{"w", value}, {"b", Tensor("FloatStorage", 1)}})));
  }
  return seeds;
}

void FuzzRead(std::string_view bytes) {
  ReadWeights(ZipBytes({{"archive/data.pkl", std::string(bytes)},
                        {"archive/byteorder", "little"},
                        {"archive/data/0", kFloats},
                        {"archive/version", "3\n"}}));
}

}  // namespace weir
