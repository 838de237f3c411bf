#include "stages/batch/mixing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include "stages/device/device.h"
#include "stages/model/weights/weights_file.h"
#include "tests/support/caught_error.h"

namespace weir {
namespace {

using testing::ElementsAre;

constexpr int kHeight = 40;
constexpr int kWidth = 30;
constexpr std::size_t kPicture = std::size_t{3} * kHeight * kWidth;

// Pictures of one value each, of the classes 0, 1, 2...
Batch Plain(const std::vector<int>& values) {
  Batch batch;
  batch.height = kHeight;
  batch.width = kWidth;
  batch.pixels = AlignedBuffer<std::uint8_t>(values.size() * kPicture);
  for (std::size_t i = 0; i < values.size(); ++i) {
    batch.samples.push_back({i, static_cast<int>(i), std::to_string(i) + ".jpg"});
    std::fill_n(batch.pixels.data() + i * kPicture, kPicture, static_cast<std::uint8_t>(values[i]));
  }
  return batch;
}

std::vector<std::uint8_t> Values(const Batch& batch) {
  return {batch.pixels.data(), batch.pixels.data() + batch.samples.size() * kPicture};
}

double PartOf(const Sample& sample, int label) {
  double part = 0;
  for (const LabelPart& each : sample.mixture) part += each.label == label ? each.part : 0;
  return part;
}

template <class Stage>
Stage Make(const MixingStage::Params& params, std::uint64_t seed = 1) {
  Resources resources;
  BuildContext context{
      .upstream = {.dims = {3, kHeight, kWidth, 3}}, .resources = resources, .seed = seed};
  return Stage(params, context);
}

template <class Stage>
Batch Mapped(Stage& stage, Batch batch, const Pass& pass = {.split = Split::kTrain}) {
  StageContext context(pass, 0, [] { return false; });
  return std::get<Batch>(stage.Map(std::move(batch), context));
}

TEST(MixPixels, BlendsEachPictureWithTheOneBefore) {
  Batch batch = Plain({0, 100, 201});
  MixPixels(batch, 0.75);
  const std::vector<std::uint8_t> values = Values(batch);
  for (std::size_t i = 0; i < kPicture; ++i) {
    ASSERT_EQ(values[i], 50);                  // 0 * 0.75 + 201 * 0.25 = 50.25
    ASSERT_EQ(values[kPicture + i], 75);       // 100 * 0.75
    ASSERT_EQ(values[2 * kPicture + i], 176);  // 201 * 0.75 + 25 = 175.75
  }
  Batch whole = Plain({0, 100, 201});
  MixPixels(whole, 1);
  EXPECT_EQ(Values(whole), Values(Plain({0, 100, 201})));
}

TEST(PastePixels, PutsTheBoxOfTheOneBeforeInItsPlace) {
  Batch batch = Plain({1, 2, 3});
  PastePixels(batch, {.top = 5, .left = 3, .height = 30, .width = 20});
  const std::vector<std::uint8_t> values = Values(batch);
  for (int i = 0; i < 3; ++i) {
    for (int row = 0; row < kHeight; ++row) {
      for (int column = 0; column < kWidth; ++column) {
        const bool inside = row >= 5 && row < 35 && column >= 3 && column < 23;
        const std::size_t at = i * kPicture + (std::size_t(row) * kWidth + column) * 3;
        ASSERT_EQ(values[at], inside ? (i + 2) % 3 + 1 : i + 1) << row << " " << column;
      }
    }
  }
}

TEST(MixLabels, GivesEachItsPart) {
  Batch batch = Plain({0, 0, 0});
  batch.samples[2].label = 1;  // as the one before it
  MixLabels(batch, 0.3);
  EXPECT_DOUBLE_EQ(PartOf(batch.samples[0], 0), 0.3);
  EXPECT_DOUBLE_EQ(PartOf(batch.samples[0], 1), 0.7);
  EXPECT_EQ(batch.samples[0].label, 1);
  EXPECT_EQ(batch.samples[2].mixture.size(), 1u);
  EXPECT_DOUBLE_EQ(PartOf(batch.samples[2], 1), 1);

  MixLabels(batch, 0.6);  // a mixture of mixtures
  EXPECT_DOUBLE_EQ(PartOf(batch.samples[1], 0), 0.6 * 0.7 + 0.4 * 0.3);
  for (const Sample& sample : batch.samples) {
    double sum = 0;
    for (const LabelPart& each : sample.mixture) sum += each.part;
    EXPECT_NEAR(sum, 1, 1e-12);
  }
}

// torchvision's MixUp and CutMix of three pictures, one of each class (torchvision_reference.py).
TEST(Mixing, IsTorchvisions) {
  const auto file = WeightsFile::Open("tests/stages/augment/torchvision_mixtures.safetensors");
  const auto read = [&](const std::string& name) {
    const TensorInfo& tensor = *file->Find(name);
    std::vector<float> values(tensor.values());
    file->Read(tensor, values);
    return values;
  };
  const TensorInfo& pictures = *file->Find("pictures");
  int mixtures = 0;
  for (const TensorInfo& tensor : file->tensors()) {
    if (tensor.name == "pictures" || tensor.name.ends_with(" labels")) continue;
    ++mixtures;
    Batch batch;
    batch.height = static_cast<int>(pictures.shape[1]);
    batch.width = static_cast<int>(pictures.shape[2]);
    for (int i = 0; i < 3; ++i) batch.samples.push_back({.label = i, .path = ""});
    const std::vector<float> pixels = read("pictures");
    batch.pixels = AlignedBuffer<std::uint8_t>(pixels.size());
    std::copy(pixels.begin(), pixels.end(), batch.pixels.data());

    std::istringstream words(tensor.name);
    std::string kind;
    words >> kind;
    double tolerance = 0;
    if (kind == "mixup") {
      double part = 0;
      words >> part;
      MixPixels(batch, part);
      MixLabels(batch, part);
      tolerance = 0.5 + 255.0 / 65536;  // theirs is not rounded, our part is of 65536
    } else {
      Box box;
      words >> box.top >> box.left >> box.height >> box.width;
      PastePixels(batch, box);
      MixLabels(batch, PartBeside(box, batch.height, batch.width));
    }
    const std::vector<float> theirs = read(tensor.name), targets = read(tensor.name + " labels");
    for (std::size_t i = 0; i < theirs.size(); ++i) {
      ASSERT_NEAR(batch.pixels.data()[i], theirs[i], tolerance) << tensor.name << " at " << i;
    }
    for (int i = 0; i < 9; ++i) {
      EXPECT_NEAR(PartOf(batch.samples[i / 3], i % 3), targets[i], 1e-6) << tensor.name;
    }
  }
  EXPECT_EQ(mixtures, 9);
}

TEST(DrawBeta, HasItsMeanAndItsVariance) {
  for (const double alpha : {0.01, 0.2, 1.0, 8.0}) {
    double sum = 0, squares = 0;
    constexpr int kDraws = 20'000;
    for (int i = 0; i < kDraws; ++i) {
      CounterRandom random(1, "beta", 0, i);
      const double x = DrawBeta(random, alpha);
      ASSERT_TRUE(x >= 0 && x <= 1);
      sum += x;
      squares += x * x;
    }
    const double variance = squares / kDraws - std::pow(sum / kDraws, 2);
    EXPECT_NEAR(sum / kDraws, 0.5, 0.015) << alpha;
    EXPECT_NEAR(variance, 1 / (4 * (2 * alpha + 1)), 0.005) << alpha;
  }
}

TEST(CutmixBox, CoversAsMuchAsItShould) {
  double covered = 0;
  constexpr int kDraws = 2000;
  for (int i = 0; i < kDraws; ++i) {
    CounterRandom random(1, "box", 0, i);
    const Box box = Cutmix::DrawBox(random, 100, 200, 0.75);
    ASSERT_TRUE(box.top >= 0 && box.left >= 0 && box.height >= 25 && box.width >= 50);
    ASSERT_TRUE(box.top + box.height <= 100 && box.left + box.width <= 200);
    ASSERT_TRUE(box.height <= 50 && box.width <= 100);
    covered += box.height * box.width / 20'000.0;
  }
  // A side of half the picture's loses an eighth of itself at the edges, on average.
  EXPECT_NEAR(covered / kDraws, 0.25 * 0.875 * 0.875, 0.01);
}

template <class Stage>
class MixingTest : public testing::Test {};
using Stages = testing::Types<Mixup, Cutmix>;
TYPED_TEST_SUITE(MixingTest, Stages);

TYPED_TEST(MixingTest, IsTheSameForTheSameBatchInAnEpoch) {
  TypeParam stage = Make<TypeParam>({}), again = Make<TypeParam>({});
  TypeParam other = Make<TypeParam>({}, 2);
  const auto mixed = [](TypeParam& of, int epoch) {
    return Values(Mapped(of, Plain({0, 100, 200}), {.split = Split::kTrain, .epoch = epoch}));
  };
  EXPECT_EQ(mixed(stage, 3), mixed(again, 3));
  EXPECT_NE(mixed(stage, 3), mixed(stage, 4));
  EXPECT_NE(mixed(stage, 3), mixed(other, 3));
}

TYPED_TEST(MixingTest, LabelsHaveThePartsOfThePixels) {
  TypeParam stage = Make<TypeParam>({});
  for (int epoch = 0; epoch < 20; ++epoch) {
    const Batch batch =
        Mapped(stage, Plain({0, 200, 100}), {.split = Split::kTrain, .epoch = epoch});
    double sum = 0;
    for (std::size_t i = 0; i < kPicture; ++i) sum += batch.pixels.data()[kPicture + i];
    const double own = batch.samples[1].mixture.empty() ? 1 : PartOf(batch.samples[1], 1);
    EXPECT_NEAR(sum / static_cast<double>(kPicture), 200 * own, 0.51);
  }
}

TYPED_TEST(MixingTest, OtherPassesAndOtherBatchesStayAsTheyAre) {
  TypeParam stage = Make<TypeParam>({}), never = Make<TypeParam>({.probability = 0});
  const std::vector<std::uint8_t> before = Values(Plain({0, 100, 200}));
  const Batch measured = Mapped(stage, Plain({0, 100, 200}), {.split = Split::kValidation});
  EXPECT_EQ(Values(measured), before);
  EXPECT_TRUE(measured.samples[0].mixture.empty());
  EXPECT_EQ(Values(Mapped(never, Plain({0, 100, 200}))), before);
  EXPECT_EQ(Values(Mapped(stage, Plain({7}))), Values(Plain({7})));

  TypeParam half = Make<TypeParam>({.probability = 0.5});
  int changed = 0;
  for (int epoch = 0; epoch < 200; ++epoch) {
    const Pass pass{.split = Split::kTrain, .epoch = epoch};
    changed += !Mapped(half, Plain({0, 100}), pass).samples[0].mixture.empty();
  }
  EXPECT_GT(changed, 70);
  EXPECT_LT(changed, 130);
}

TYPED_TEST(MixingTest, StandsBeforePrefetch) {
  Resources resources;
  BuildContext context{.upstream = {.dims = {3, kHeight, kWidth, 3}}, .resources = resources};
  resources.Put(std::make_shared<ChosenDevice>(ChosenDevice{nullptr, "there is none"}));
  const std::string name(TypeParam::kName);
  EXPECT_EQ(CaughtError([&] { TypeParam(MixingStage::Params{}, context); }),
            "`" + name + "` works on the host, and `prefetch` is before it\nPut `" + name +
                "` before `prefetch`, which may bring batches to a device.");
}

}  // namespace
}  // namespace weir
