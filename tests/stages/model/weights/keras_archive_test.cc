#include "stages/model/weights/keras_archive.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/support/caught_error.h"
#include "tests/support/file_text.h"
#include "tests/support/hostile_bytes.h"
#include "tests/support/keras_files.h"
#include "tests/support/pth_bytes.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

class KerasArchive : public testing::Test {
 protected:
  // As model.save("model.keras") writes it.
  std::string Bytes(const std::vector<KerasFileLayer>& layers, const ZipWriting& how = {}) {
    WriteWeightsH5(folder_ / "w.h5", layers);
    return ZipBytes({{"metadata.json", "{}"},
                     {"config.json", "{}"},
                     {"model.weights.h5", FileText(folder_ / "w.h5")}},
                    how);
  }

  const std::vector<KerasFileLayer> layers_ = {{"conv2d", {{"kernel", {1, 1, 1, 2}, {1, 2}}}}};
  ScratchFolder folder_;
};

TEST_F(KerasArchive, ItsWeightsAreReadWhereTheyLie) {
  const auto file = WeightsFile::Open(folder_.Write("model.keras", Bytes(layers_)));
  EXPECT_EQ(&file->format(), &kKerasArchiveFormat);
  ASSERT_EQ(file->tensors().size(), 1u);
  std::vector<float> values(2);
  file->Read(file->tensors()[0], values);
  EXPECT_EQ(values, (std::vector<float>{1, 2}));
}

// keras_reference.py wrote it.
TEST_F(KerasArchive, AModelInsideAnotherIsReadAsKerasSavedIt) {
  const auto file = WeightsFile::Open("tests/stages/model/weights/keras_files/nested.keras");
  std::vector<std::pair<std::string, std::vector<float>>> weights;
  for (const TensorInfo& tensor : file->tensors()) {
    std::vector<float> values(static_cast<std::size_t>(tensor.values()));
    file->Read(tensor, values);
    weights.emplace_back(tensor.name, values);
  }
  EXPECT_EQ(weights, (std::vector<std::pair<std::string, std::vector<float>>>{
                         {"base/conv/bias", {3, 4}},
                         {"base/conv/kernel", {1, 2}},
                         {"base/norm/beta", {7, 8}},
                         {"base/norm/gamma", {5, 6}},
                         {"base/norm/moving_mean", {9, 10}},
                         {"base/norm/moving_variance", {11, 12}},
                         {"classes/bias", {15}},
                         {"classes/kernel", {13, 14}}}));
}

TEST_F(KerasArchive, OneThatWasCompressedOrDamagedIsRefused) {
  const auto refusal = [&](const std::string& bytes) {
    const std::string path = folder_.Write("model.keras", bytes).string();
    return CaughtError([&] { WeightsFile::Open(path); }).substr(path.size());
  };
  EXPECT_EQ(refusal(Bytes(layers_, {.method = 8})),
            ": its model.weights.h5 is compressed\nunpack it, and give model.weights.h5");
  std::string damaged = Bytes(layers_);
  const std::size_t at = damaged.find(Values<float>({1, 2}));
  damaged[at] = static_cast<char>(damaged[at] ^ 1);
  EXPECT_EQ(refusal(damaged),
            ": its model.weights.h5 does not have the checksum that the file states\ncopy or "
            "download the file again, or save it again by model.save()");
}

TEST_F(KerasArchive, WhateverTheBytesAreTheOutcomeIsTensorsOrAnError) {
  const HostileOutcome outcome = ReadAllOf(DamagedCopies(Bytes(layers_), 2000));
  EXPECT_EQ(outcome.read + outcome.refused, 2000);
  EXPECT_LT(outcome.grown_bytes, std::size_t{64} << 20);
}

}  // namespace
}  // namespace weir
