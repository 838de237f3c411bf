// Our operations against what torchvision makes of the same pictures (torchvision_reference.py).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "framework/flow/resources.h"
#include "stages/augment/crops.h"
#include "stages/augment/rand_augment.h"
#include "stages/batch/normalize.h"
#include "stages/kernels/photometric.h"
#include "stages/kernels/resize.h"
#include "stages/model/weights/weights_file.h"
#include "stages/pixel_view.h"

namespace weir {
namespace {

struct Picture {
  int height = 0, width = 0;
  std::vector<std::uint8_t> pixels;
};

std::map<std::string, Picture> ReadReference() {
  std::map<std::string, Picture> pictures;
  const auto file = WeightsFile::Open("tests/stages/augment/torchvision_reference.safetensors");
  for (const TensorInfo& tensor : file->tensors()) {
    std::vector<float> values(tensor.values());
    file->Read(tensor, values);
    if (tensor.name.ends_with("/normalize")) continue;
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
    const PixelView whole(picture.pixels.data(), picture.height, picture.width);
    Resize(whole.Part(number(0), number(1), number(2), number(3)),
           {ours.pixels.data(), ours.height, ours.width});
    return ours;
  }
  return {};
}

// The step of RandAugment's that a reference is named after; empty where it is none.
std::optional<RandAugment::Operation> OperationOf(const std::string& name) {
  using Operation = RandAugment::Operation;
  static const std::map<std::string, Operation> operations = {
      {"ShearX", Operation::kShearX},         {"ShearY", Operation::kShearY},
      {"TranslateX", Operation::kTranslateX}, {"TranslateY", Operation::kTranslateY},
      {"Rotate", Operation::kRotate},         {"Brightness", Operation::kBrightness},
      {"Color", Operation::kColor},           {"Contrast", Operation::kContrast},
      {"Sharpness", Operation::kSharpness},   {"Posterize", Operation::kPosterize},
      {"Solarize", Operation::kSolarize},     {"AutoContrast", Operation::kAutoContrast},
      {"Equalize", Operation::kEqualize}};
  const auto found = operations.find(name.substr(0, name.find(' ')));
  if (found == operations.end()) return std::nullopt;
  return found->second;
}

TEST(TorchvisionParity, IsExactButForRoundings) {
  const auto reference = ReadReference();
  std::map<std::string, int> worst;  // by operation
  for (const auto& [name, theirs] : reference) {
    const std::size_t slash = name.find('/');
    if (slash == name.npos) continue;
    const std::string operation = name.substr(slash + 1);
    if (OperationOf(operation)) continue;
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

// Whether a pixel's place in the source is so near the middle of two pixels that float32, in which
// torchvision works places out, may take either: they are below 64 here, and it has 24 bits.
bool IsHalfWay(const Affine& map, int row, int column) {
  const auto is_half_way = [](double place) {
    return std::abs(place - std::floor(place) - 0.5) < 1e-5;
  };
  return is_half_way(map.xx * column + map.xy * row + map.x0) ||
         is_half_way(map.yx * column + map.yy * row + map.y0);
}

struct Parity {
  int worst = 0;
  int differing = 0, pixels = 0;
};

TEST(TorchvisionParity, RandAugmentsOperationsAreTorchvisions) {
  const auto reference = ReadReference();
  std::map<std::string, Parity> parities;
  for (const auto& [name, theirs] : reference) {
    const std::size_t slash = name.find('/'), space = name.find(' ');
    if (slash == name.npos) continue;
    const std::string operation = name.substr(slash + 1);
    const auto known = OperationOf(operation);
    if (!known) continue;
    const int step = std::stoi(name.substr(space));
    Resources resources;
    BuildContext build{.upstream = {{theirs.height, theirs.width, 3}}, .resources = resources};
    const RandAugment stage({.magnitude = std::abs(step), .fill = {10, 200, 30}}, build);
    const RandAugment::Drawn drawn{*known, step < 0};
    Image ours = ToImage(reference.at(name.substr(0, slash)));
    AlignedBuffer<std::uint8_t> spare;
    stage.Apply(drawn, ours, spare);

    const auto map = stage.MapOf(drawn, ours.height, ours.width);
    Parity& parity = parities[operation.substr(0, operation.find(' '))];
    const int pixels = ours.height * ours.width;
    parity.pixels += pixels;
    for (int i = 0; i < pixels; ++i) {
      int difference = 0;
      for (int k = 3 * i; k < 3 * i + 3; ++k) {
        difference = std::max(difference, std::abs(ours.pixels.data()[k] - theirs.pixels[k]));
      }
      parity.differing += difference > 0;
      parity.worst = std::max(parity.worst, difference);
      if (map && difference > 0) {
        EXPECT_TRUE(IsHalfWay(*map, i / ours.width, i % ours.width)) << name << " at " << i;
      }
    }
  }
  ASSERT_THAT(parities, ::testing::SizeIs(13));
  for (const char* exact : {"AutoContrast", "Brightness", "Equalize", "Posterize", "Solarize",
                            "TranslateX", "TranslateY"}) {
    EXPECT_EQ(parities[exact].worst, 0) << exact;
  }
  for (const char* rounded : {"Color", "Contrast", "Sharpness"}) {
    EXPECT_LE(parities[rounded].worst, 1) << rounded;
  }
  for (const auto& [operation, parity] : parities) {
    std::printf("%-14s at most %3d of 255 from torchvision, %.3f %% of pixels differ\n",
                operation.c_str(), parity.worst, 100.0 * parity.differing / parity.pixels);
  }
}

TEST(TorchvisionParity, NormalizeIsExact) {
  const auto reference = ReadReference();
  const auto file = WeightsFile::Open("tests/stages/augment/torchvision_reference.safetensors");
  for (const char* name : {"noise", "smooth", "dull"}) {
    const Picture& picture = reference.at(name);
    std::vector<float> theirs(picture.pixels.size());
    file->Read(*file->Find(std::string(name) + "/normalize"), theirs);
    Resources resources;
    BuildContext build{.upstream = {{1, picture.height, picture.width, 3}}, .resources = resources};
    Normalize stage({}, build);
    Batch batch;
    batch.samples.resize(1);
    batch.height = picture.height;
    batch.width = picture.width;
    batch.pixels = ToImage(picture).pixels;
    const Pass pass;
    StageContext context(pass, 0, [] { return false; });
    const FeatureBatch ours = std::get<FeatureBatch>(stage.Map(batch, context));
    ASSERT_EQ(ours.values.size(), theirs.size());
    EXPECT_TRUE(std::equal(theirs.begin(), theirs.end(), ours.values.data())) << name;
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
