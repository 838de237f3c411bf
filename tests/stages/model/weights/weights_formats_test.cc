// The list of formats: each row is whole, and a file of each is opened by its row alone.

#include "stages/model/weights/weights_formats.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "stages/model/weights/safetensors_writer.h"
#include "tests/support/caught_error.h"
#include "tests/support/file_text.h"
#include "tests/support/keras_files.h"
#include "tests/support/pth_bytes.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

class WeightsFormatsTest : public testing::Test {
 protected:
  // A file of each format with a tensor of the numbers 1 and 2, by what the format is called by.
  std::map<std::string_view, std::string> Files() const {
    WriteWeightsH5(folder_ / "w.h5", {{"conv2d", {{"kernel", {1, 1, 1, 2}, {1, 2}}}}});
    WriteSafetensors(folder_ / "w.safetensors",
                     {TensorToWrite::Of("w", {2}, std::vector<float>{1, 2})}, {});
    const std::string tensor = pickle::Tensor(pickle::Storage("FloatStorage", "0", 2), 0, {2}, {1});
    const std::string h5 = FileText(folder_ / "w.h5");
    return {{".pth", PthBytes(pickle::Dict({{"w", tensor}}), {{"0", Values<float>({1, 2})}})},
            {".safetensors", FileText(folder_ / "w.safetensors")},
            {".keras", ZipBytes({{"config.json", "{}"}, {"model.weights.h5", h5}})},
            {".h5", h5}};
  }

  // As WeightsFile::Open() gives a file to the formats.
  WeightsContent Content(const std::string& bytes) const {
    WeightsContent content;
    content.path = folder_.Write("file", bytes);
    content.file = std::make_unique<MappedFile>(content.path);
    if (ZipDirectory::LooksLikeZip(content.bytes())) {
      content.zip = std::make_unique<ZipDirectory>(content.bytes(), content.path.string());
    }
    return content;
  }

  const ScratchFolder folder_;
};

TEST_F(WeightsFormatsTest, EachRowIsWhole) {
  std::set<std::string_view> endings;
  for (const WeightsFormat* format : WeightsFormats()) {
    ASSERT_FALSE(format->endings.empty());
    for (const std::span<const std::string_view> some : {format->endings, format->other_endings}) {
      for (const std::string_view ending : some) {
        EXPECT_TRUE(ending.starts_with('.')) << ending;
        EXPECT_TRUE(endings.insert(ending).second) << ending << " is that of two formats";
      }
    }
    EXPECT_FALSE(format->whose.empty()) << format->endings.front();
    EXPECT_TRUE(format->matches && format->open) << format->endings.front();
  }
}

TEST_F(WeightsFormatsTest, AFileOfEachIsOpenedByItsRowAlone) {
  const auto files = Files();
  for (const WeightsFormat* format : WeightsFormats()) {
    const std::string_view name = format->endings.front();
    const auto file = files.find(name);
    ASSERT_NE(file, files.end()) << "this test has no file of the format " << name;
    const WeightsContent content = Content(file->second);
    for (const WeightsFormat* other : WeightsFormats()) {
      EXPECT_EQ(other->matches(content), other == format)
          << name << " by " << other->endings.front();
    }
    const auto opened = WeightsFile::Open(content.path);
    EXPECT_EQ(&opened->format(), format);
    ASSERT_EQ(opened->tensors().size(), 1u) << name;
    std::vector<float> values(2);
    opened->Read(opened->tensors()[0], values);
    EXPECT_EQ(values, (std::vector<float>{1, 2})) << name;
  }
}

TEST_F(WeightsFormatsTest, AKerasArchiveMayHoldAPickleAmongItsAssets) {
  const std::string h5 = Files().at(".h5");
  const std::string path = Content(ZipBytes({{"assets/data.pkl", "not one that is read"},
                                             {"config.json", "{}"},
                                             {"model.weights.h5", h5}}))
                               .path.string();
  EXPECT_EQ(WeightsFile::Open(path)->format().endings.front(), ".keras");
}

TEST_F(WeightsFormatsTest, WhatIsNoneOfThemIsToldWhatToGive) {
  const std::string path = folder_.Write("file", "\1\2\3").string();
  EXPECT_EQ(CaughtError([&] { WeightsFile::Open(path); }),
            path + ": is none of the weight files that are read\n" +
                "give a PyTorch .pth, a .safetensors, or a Keras .keras, .h5 or .weights.h5");
  EXPECT_EQ(WeightsEndings(), ".pth, .safetensors, .keras or .h5");
  EXPECT_TRUE(IsNameOfKeras("https://a/w.weights.h5") && IsNameOfKeras("w.keras"));
  EXPECT_FALSE(IsNameOfKeras("w.pth"));
  EXPECT_TRUE(IsNameOfWeights("w.pth") && IsNameOfWeights("w.ckpt"));
  EXPECT_FALSE(IsNameOfWeights("w.txt"));
  for (const WeightsFormat* format : WeightsFormats()) {
    for (const std::string_view ending : format->endings) {
      EXPECT_NE(WeightsFormatsToGive().find(ending), std::string::npos) << ending;
    }
  }
}

}  // namespace
}  // namespace weir
