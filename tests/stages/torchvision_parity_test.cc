// Our operations against what torchvision makes of the same pictures (torchvision_reference.py).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "framework/resources.h"
#include "stages/crops.h"
#include "stages/model/weights_file.h"
#include "stages/photometric.h"
#include "stages/resize.h"

namespace weir {
namespace {

struct Picture {
  int height = 0, width = 0;
  std::vector<std::uint8_t> pixels;
};

std::map<std::string, Picture> ReadReference() {
  std::map<std::string, Picture> pictures;
  const auto file = WeightsFile::Open("tests/stages/torchvision_reference.safetensors");
  for (const TensorInfo& tensor : file->tensors()) {
    std::vector<float> values(tensor.values());
    file->Read(tensor, values);
    pictures[tensor.name] = {static_cast<int>(tensor.shape[0]),
                             static_cast<int>(tensor.shape[1]),
                             {values.begin(), values.end()}};
  }
  return pictures;
}

Image ToImage(const Picture& picture) {
  Image image{
      {}, picture.height, picture.width, AlignedBuffer<std::uint8_t>(picture.pixels.size())};
  std::copy(picture.pixels.begin(), picture.pixels.end(), image.pixels.data());
  return image;
}

// What we make of a picture by the reference's name for it; empty where we do not know it.
Picture Ours(const Picture& picture, const std::string& operation) {
  std::istringstream words(operation);
  std::string name;
  words >> name;
  std::vector<float> arguments;
  for (float value; words >> value;) arguments.push_back(value);
  Picture ours = picture;
  const std::map<std::string, std::function<void(std::span<std::uint8_t>, float)>> in_place = {
      {"grayscale", [](auto pixels, float) { Grayscale(pixels); }},
      {"brightness", AdjustBrightness},
      {"contrast", AdjustContrast},
      {"saturation", AdjustSaturation},
      {"hue", AdjustHue}};
  if (const auto found = in_place.find(name); found != in_place.end()) {
    found->second(ours.pixels, arguments.empty() ? 0 : arguments[0]);
    return ours;
  }
  const auto number = [&](std::size_t i) { return static_cast<int>(arguments.at(i)); };
  if (name == "center_crop") {
    Resources resources;
    BuildContext build{.upstream = {}, .resources = resources};
    CenterCrop stage(CenterCrop::Params{{number(0), number(1)}}, build);
    const Pass pass;
    StageContext context(pass, 0, [] { return false; });
    const Image out = std::get<Image>(stage.Map(ToImage(picture), context));
    return {out.height, out.width, {out.pixels.data(), out.pixels.data() + out.pixels.size()}};
  }
  if (name == "resized_crop") {
    ours = {number(4), number(5), {}};
    ours.pixels.resize(std::size_t{3} * ours.height * ours.width);
    ResizePart(&picture.pixels[(std::size_t(number(0)) * picture.width + number(1)) * 3],
               std::size_t{3} * picture.width, number(2), number(3), ours.pixels.data(),
               ours.height, ours.width);
    return ours;
  }
  return {};
}

TEST(TorchvisionParity, IsExactButForRoundings) {
  const auto reference = ReadReference();
  std::map<std::string, int> worst;  // by operation
  for (const auto& [name, theirs] : reference) {
    const std::size_t slash = name.find('/');
    if (slash == name.npos) continue;
    const std::string operation = name.substr(slash + 1);
    const Picture ours = Ours(reference.at(name.substr(0, slash)), operation);
    ASSERT_EQ(ours.height, theirs.height) << name;
    ASSERT_EQ(ours.width, theirs.width) << name;
    int difference = 0;
    for (std::size_t i = 0; i < theirs.pixels.size(); ++i) {
      difference = std::max(difference, std::abs(ours.pixels[i] - theirs.pixels[i]));
    }
    EXPECT_LE(difference, 1) << name;
    int& most = worst[operation.substr(0, operation.find(' '))];
    most = std::max(most, difference);
  }
  EXPECT_THAT(worst, ::testing::SizeIs(7));
  for (const char* exact : {"grayscale", "brightness", "center_crop"}) EXPECT_EQ(worst[exact], 0);
  for (const auto& [operation, difference] : worst) {
    std::printf("%-14s at most %d of 255 from torchvision\n", operation.c_str(), difference);
  }
}

BuildContext Building(Resources& resources) {
  return {.upstream = {}, .resources = resources, .seed = 7};
}

TEST(RandomResizedCrop, DrawsPartsOfTheAreaAndRatioThatAreAskedFor) {
  Resources resources;
  BuildContext context = Building(resources);
  const RandomResizedCrop stage({.size = {32, 32}, .scale = {0.2, 0.5}, .ratio = {0.5, 2}},
                                context);
  double least = 1, most = 0;
  for (std::uint64_t index = 0; index < 500; ++index) {
    const Box box = stage.Draw(300, 400, 1, index);
    EXPECT_EQ(box, stage.Draw(300, 400, 1, index));
    EXPECT_GE(box.top, 0);
    EXPECT_GE(box.left, 0);
    EXPECT_LE(box.top + box.height, 300);
    EXPECT_LE(box.left + box.width, 400);
    const double area = box.height * box.width / (300.0 * 400),
                 ratio = 1.0 * box.width / box.height;
    EXPECT_GE(ratio, 0.48);
    EXPECT_LE(ratio, 2.05);
    least = std::min(least, area);
    most = std::max(most, area);
  }
  EXPECT_NEAR(least, 0.2, 0.02);
  EXPECT_NEAR(most, 0.5, 0.02);
  EXPECT_NE(stage.Draw(300, 400, 1, 3), stage.Draw(300, 400, 2, 3));
  // What no draw fits is the middle.
  EXPECT_EQ(stage.Draw(10, 1000, 1, 0), (Box{0, 490, 10, 20}));
}

TEST(RandomResizedCrop, TakesTheMiddleOutsideOfTraining) {
  EXPECT_EQ(RandomResizedCrop::Middle(100, 300, 1, 1), (Box{0, 100, 100, 100}));
  EXPECT_EQ(RandomResizedCrop::Middle(300, 100, 2, 2), (Box{125, 0, 50, 100}));
  EXPECT_EQ(RandomResizedCrop::Middle(64, 64, 1, 1), (Box{0, 0, 64, 64}));
}

TEST(RandomResizedCrop, WantsThePictureAsLargeAsItsSmallestPartNeeds) {
  Resources resources;
  BuildContext context = Building(resources);
  const RandomResizedCrop stage({.size = {30, 60}, .scale = {0.25, 1}}, context);
  EXPECT_EQ(resources.Find<WantedSize>()->height, 60);
  EXPECT_EQ(resources.Find<WantedSize>()->width, 120);
}

}  // namespace
}  // namespace weir
