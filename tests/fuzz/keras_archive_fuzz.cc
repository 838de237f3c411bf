// Keras 3's .keras: the bytes of a whole archive, and where they are none, as the weights in one.
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/weights_read.h"
#include "tests/support/file_text.h"
#include "tests/support/keras_files.h"
#include "tests/support/pth_bytes.h"

namespace weir {
namespace {

std::string Archive(const std::string& weights) {
  return ZipBytes({{"metadata.json", "{\"keras_version\": \"3.15.1\"}"},
                   {"config.json", "{\"class_name\": \"Functional\"}"},
                   {"model.weights.h5", weights}});
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  const ScratchFolder folder;
  const std::filesystem::path path = folder / "w.h5";
  WriteWeightsH5(path, {{"conv2d", {{"kernel", {1, 1, 1, 2}, {1, 2}}}}});
  const std::string weights = FileText(path);
  return {Archive(weights), Archive(weights.substr(0, 900)), Archive(""), weights};
}

void FuzzRead(std::string_view bytes) {
  ReadWeights(bytes.starts_with("PK") ? std::string(bytes) : Archive(std::string(bytes)));
}

}  // namespace weir
