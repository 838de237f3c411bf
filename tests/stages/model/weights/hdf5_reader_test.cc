#include "stages/model/weights/hdf5_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/caught_error.h"
#include "tests/support/file_text.h"
#include "tests/support/hostile_bytes.h"
#include "tests/support/keras_files.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/shared_data.h"

namespace weir {
namespace {

class Hdf5Reader : public testing::Test {
 protected:
  std::vector<std::string> Names(const std::filesystem::path& path) {
    std::vector<std::string> names;
    const auto file = WeightsFile::Open(path);
    for (const TensorInfo& tensor : file->tensors()) names.push_back(tensor.name);
    return names;
  }

  std::vector<float> Read(const std::filesystem::path& path, const std::string& name) {
    const auto file = WeightsFile::Open(path);
    std::vector<float> values(static_cast<std::size_t>(file->Find(name)->values()));
    file->Read(*file->Find(name), values);
    return values;
  }

  const std::vector<KerasFileLayer> layers_ = {
      {"conv2d", {{"kernel", {1, 1, 3, 2}, {1, 2, 3, 4, 5, 6}}}},
      {"re_lu", {}},
      {"batch_normalization",
       {{"gamma", {2}, {7, 8}},
        {"beta", {2}, {9, 10}},
        {"moving_mean", {2}, {11, 12}},
        {"moving_variance", {2}, {13, 14}}}}};
  ScratchFolder folder_;
  const std::filesystem::path path_ = folder_ / "w.h5";
};

const std::vector<std::string> kLayerNames = {
    "batch_normalization/beta", "batch_normalization/gamma", "batch_normalization/moving_mean",
    "batch_normalization/moving_variance", "conv2d/kernel"};

TEST_F(Hdf5Reader, ReadsTheLegacyLayoutOfKeras2And3) {
  for (const KerasText text : {KerasText::kFixed, KerasText::kVariable}) {
    WriteLegacyH5(path_, layers_, text);
    EXPECT_EQ(&WeightsFile::Open(path_)->format(), &kHdf5Format);
    EXPECT_EQ(Names(path_), kLayerNames);
    EXPECT_EQ(Read(path_, "conv2d/kernel"), (std::vector<float>{1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(Read(path_, "batch_normalization/moving_variance"), (std::vector<float>{13, 14}));
  }
}

TEST_F(Hdf5Reader, AWholeModelHasItsWeightsInAGroup) {
  WriteLegacyH5(path_, layers_, KerasText::kFixed, "/model_weights");
  EXPECT_EQ(Names(path_), kLayerNames);
}

TEST_F(Hdf5Reader, Keras3NumbersWeightsAndNamesLayersSinceSomeVersion) {
  WriteWeightsH5(path_, layers_);
  EXPECT_EQ(&WeightsFile::Open(path_)->format(), &kHdf5Format);
  EXPECT_EQ(Names(path_), kLayerNames);
  WriteWeightsH5(path_, layers_, {"Conv1", "Conv1_relu", "bn_Conv1"});
  EXPECT_EQ(Read(path_, "bn_Conv1/moving_mean"), (std::vector<float>{11, 12}));
  EXPECT_EQ(Read(path_, "Conv1/kernel"), (std::vector<float>{1, 2, 3, 4, 5, 6}));
}

// A backbone in a Sequential, and a second one beside it: the same layers twice.
TEST_F(Hdf5Reader, LayersOfAModelInsideAnotherHaveItsNameInFront) {
  const KerasWeight kernel{"kernel", {1, 1, 1, 2}, {1, 2}};
  const std::vector<std::string> names = {"conv2d/kernel", "functional/conv2d/kernel",
                                          "functional_1/conv2d/kernel"};
  WriteWeightsH5(path_, {{"conv2d", {kernel}},
                         {"functional/layers/conv2d", {kernel}},
                         {"functional_1/layers/conv2d", {kernel}}});
  EXPECT_EQ(Names(path_), names);
  EXPECT_EQ(WeightsFile::Open(path_)->Find("functional/conv2d/kernel")->group_bytes, 11u);
  WriteLegacyH5(path_,
                {{"conv2d", {kernel}},
                 {"functional", {{"conv2d/kernel", {1, 1, 1, 2}, {1, 2}}}},
                 {"functional_1", {{"conv2d/kernel", {1, 1, 1, 2}, {1, 2}}}}},
                KerasText::kFixed);
  EXPECT_EQ(Names(path_), names);
}

TEST_F(Hdf5Reader, RefusesWhatKerasDoesNotWrite) {
  WriteLegacyH5(path_, layers_, KerasText::kFixed, "", /*chunked=*/true);
  EXPECT_EQ(CaughtError([&] { Read(path_, "conv2d/kernel"); }),
            path_.string() +
                ": tensor 'conv2d/kernel' is chunked or compressed, as Keras does not write it\n"
                "copy or download the file again, or save its tensors again, whole and in float32");
  H5Fclose(H5Fcreate(path_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  EXPECT_EQ(CaughtError([&] { WeightsFile::Open(path_); }),
            path_.string() +
                ": holds no weights in either of Keras' layouts\nthe file is damaged, "
                "or not one of Keras' weights: copy or download it again");
}

TEST_F(Hdf5Reader, WhateverTheBytesAreTheOutcomeIsTensorsOrAnError) {
  WriteLegacyH5(folder_ / "fixed", layers_, KerasText::kFixed);
  WriteLegacyH5(folder_ / "variable", layers_, KerasText::kVariable);
  WriteWeightsH5(folder_ / "keras3", layers_, {"Conv1", "Conv1_relu", "bn_Conv1"});
  for (const char* name : {"fixed", "variable", "keras3"}) {
    const std::string bytes = FileText(folder_ / name);
    const HostileOutcome outcome = ReadAllOf(DamagedCopies(bytes, 3000));
    EXPECT_EQ(outcome.read + outcome.refused, 3000);
    EXPECT_GT(outcome.refused, 500);
    EXPECT_LT(outcome.grown_bytes, std::size_t{64} << 20);
  }
}

TEST_F(Hdf5Reader, BothLayoutsThatKerasWroteHoldTheSame) {
  const auto legacy =
      SharedData("weights/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5");
  const auto keras3 = SharedData("weights/mobilenet_v2_no_top.weights.h5");
  if (!legacy || !keras3) GTEST_SKIP() << kNoSharedData;
  ASSERT_EQ(Names(*legacy), Names(*keras3));
  EXPECT_EQ(Names(*legacy).size(), 260u);
  for (const std::string name : {"Conv1/kernel", "block_16_project_BN/moving_variance"}) {
    EXPECT_EQ(Read(*legacy, name), Read(*keras3, name));
  }
}

}  // namespace
}  // namespace weir
