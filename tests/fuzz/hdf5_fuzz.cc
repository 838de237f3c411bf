// Keras' HDF5 files, in each of its layouts.
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/weights_read.h"
#include "tests/support/file_text.h"
#include "tests/support/keras_files.h"

namespace weir {

std::vector<std::string> FuzzSeeds() {
  const std::vector<KerasFileLayer> layers = {
      {"conv2d", {{"kernel", {1, 1, 3, 2}, {1, 2, 3, 4, 5, 6}}}},
      {"re_lu", {}},
      {"batch_normalization", {{"gamma", {2}, {7, 8}}, {"beta", {2}, {9, 10}}}}};
  const ScratchFolder folder;
  const std::filesystem::path path = folder / "w.h5";
  std::vector<std::string> seeds;
  for (const KerasText text : {KerasText::kFixed, KerasText::kVariable}) {
    WriteLegacyH5(path, layers, text);
    seeds.push_back(FileText(path));
  }
  WriteLegacyH5(path, layers, KerasText::kFixed, "/model_weights", /*chunked=*/true);
  seeds.push_back(FileText(path));
  WriteWeightsH5(path, layers);
  seeds.push_back(FileText(path));
  WriteWeightsH5(path, layers, {"Conv1", "Conv1_relu", "bn_Conv1"});
  seeds.push_back(FileText(path));
  return seeds;
}

void FuzzRead(std::string_view bytes) { ReadWeights(bytes); }

}  // namespace weir
