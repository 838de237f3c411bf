#include "stages/features/features.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <optional>

#include "stages/features/onednn/onednn_prefix.h"
#include "tests/support/caught_error.h"
#include "tests/support/head_layers.h"
#include "tests/support/whole_backbone.h"

namespace weir {
namespace {

using testing::ElementsAre;

constexpr int kSize = 32;
constexpr int kSamplePixels = kSize * kSize * 3;

std::shared_ptr<ModelSource> Source(FrozenConfig frozen) {
  auto source = std::make_shared<ModelSource>();
  source->config.backbone.width = 0.35;
  source->config.frozen = std::move(frozen);
  source->config.head = {HeadAveragePooling(), HeadDenseOfClasses(Activation::kSoftmax)};
  source->convention = Convention::Keras();
  source->open_backbone = [](const Model& model) { return RandomBackbone(model.network(), 1); };
  return source;
}

// The stage as a pipeline would build it.
struct Built {
  explicit Built(FrozenConfig frozen, int lever = 2) {
    resources.Put(std::make_shared<Classes>(Classes{{"ants", "bees"}}));
    resources.Put(Source(std::move(frozen)));
    BuildContext context{.upstream = {{8, kSize, kSize, 3}, 8 * kSamplePixels},
                         .resources = resources,
                         .seed = 7,
                         .workers = 3};
    stage = std::make_unique<Features>(Features::Params{}, context);
    OpenContext open{.budget = budget, .lever = lever};
    stage->Open(open);
  }
  FeatureBatch Map(Batch batch) {
    const Pass pass;
    StageContext context(pass, 0, [] { return false; });
    return std::get<FeatureBatch>(stage->Map(std::move(batch), context));
  }

  MemoryBudget budget{0};
  Resources resources;
  std::unique_ptr<Features> stage;
};

Batch Pictures(int samples) {
  Batch batch;
  batch.height = batch.width = kSize;
  batch.pixels = AlignedBuffer<std::uint8_t>(samples * kSamplePixels);
  for (int i = 0; i < samples * kSamplePixels; ++i) batch.pixels.data()[i] = i * 7 % 251;
  batch.samples.resize(samples);
  return batch;
}

TEST(Features, AreWhatThePrefixGivesEachSampleAloneWhateverTheWorkers) {
  const Built built({});
  const Model& model = *built.resources.Find<Model>();
  const auto prefix = MakeOneDnnPrefix(
      model.network(), RandomBackbone(model.network(), 1),
      {.last_layer = 51, .pooling = Pooling::kAverage, .preprocessing = model.preprocessing()});
  const auto workspace = prefix->MakeWorkspace();
  const Batch pictures = Pictures(5);
  std::vector<float> expected(5 * 1280);
  for (int i = 0; i < 5; ++i) {
    prefix->Run(pictures.pixels.data() + i * kSamplePixels, *workspace, &expected[i * 1280]);
  }
  for (int workers : {1, 2, 3}) {
    const FeatureBatch features = Built({}, workers).Map(Pictures(5));
    EXPECT_THAT(features.dims, ElementsAre(1280));
    ASSERT_EQ(features.values.size(), expected.size());
    EXPECT_EQ(std::memcmp(features.values.data(), expected.data(), features.values.bytes()), 0);
  }
}

TEST(Features, DeclareTheirShapeAndCost) {
  const Built all({});
  EXPECT_THAT(all.stage->output().dims, ElementsAre(8, 1280));
  const Footprint footprint = all.stage->footprint();
  const Network& backbone = all.resources.Find<Model>()->network();
  const PrefixFootprint prefix =
      OneDnnPrefixFootprint(backbone, {.last_layer = 51, .pooling = Pooling::kAverage});
  EXPECT_EQ(footprint.item_bytes, 8u * 1280 * 4);
  EXPECT_EQ(footprint.lever->name, "workers");
  EXPECT_EQ(footprint.lever->bytes_each, prefix.workspace_bytes);
  EXPECT_EQ(footprint.lever->min, 1);
  EXPECT_EQ(footprint.lever->max, 3);
  // Loading holds a layer beside the packed weights, but no workspace yet.
  EXPECT_GE(footprint.held_bytes(), prefix.weights_bytes);
  EXPECT_GE(footprint.held_bytes() + prefix.workspace_bytes,
            prefix.weights_bytes + LayerReadingBytes(backbone));
}

TEST(Features, OfAPartAreTheMapThere) {
  Built part({.kind = FrozenConfig::Kind::kThrough, .through = "block_12"});
  EXPECT_THAT(part.stage->output().dims, ElementsAre(8, 2, 2, 32));
  EXPECT_EQ(part.Map(Pictures(3)).values.size(), 3u * 2 * 2 * 32);
}

TEST(Features, OfNothingFrozenAreThePreprocessedPictures) {
  Built none({.kind = FrozenConfig::Kind::kNone});
  EXPECT_THAT(none.stage->output().dims, ElementsAre(8, kSize, kSize, 3));
  EXPECT_FALSE(none.stage->footprint().lever.has_value());
  const FeatureBatch features = none.Map(Pictures(2));
  const Batch pictures = Pictures(2);
  for (std::size_t i = 0; i < features.values.size(); ++i) {
    // One rounding of x / 127.5 - 1 apart, at most.
    ASSERT_NEAR(features.values.data()[i], pictures.pixels.data()[i] / 127.5 - 1, 1e-6);
  }
}

TEST(Features, LeaveTheModelForWhatFollows) {
  const Built built({});
  const auto model = built.resources.Find<Model>();
  EXPECT_THAT(model->classes(), ElementsAre("ants", "bees"));
  EXPECT_EQ(model->seed(), 7u);
  EXPECT_EQ(model->network().input(), (MapSize{kSize, kSize}));
}

std::string Refusal(Resources& resources, ItemSpec upstream) {
  BuildContext context{.upstream = std::move(upstream), .resources = resources};
  return CaughtError([&] { Features(Features::Params{}, context); });
}

TEST(Features, SayWhatIsMissing) {
  Resources resources;
  const ItemSpec batches{{8, kSize, kSize, 3}, 8 * kSamplePixels};
  EXPECT_EQ(Refusal(resources, batches),
            "`features` needs the model source, which nothing before it gives\n"
            "Declare the model in the section `model`.");
  resources.Put(Source({}));
  EXPECT_EQ(Refusal(resources, batches),
            "model: the data has no labels, and a classifier learns them\n"
            "Begin the pipeline with `directory`, `manifest` or labelled `webdataset` shards.");
  EXPECT_EQ(Refusal(resources, {}),
            "`features` needs batches of pictures of one size\n"
            "Put `augment: {size: [224, 224]}` and `batch` before it.");
}

// Which says what its card is made for.
class PickyDevice final : public Device {
 public:
  std::string name() const override { return "a card"; }
  std::string torch_device() const override { return "cuda:0"; }
  std::size_t total_bytes() const override { return 0; }
  std::size_t free_bytes() const override { return 0; }
  void SetLimit(std::size_t) override {}
  MemoryUsage usage() const override { return {}; }
  std::size_t uploader_bytes(int, std::size_t) const override { return 0; }
  std::unique_ptr<Uploader> MakeUploader(int, std::size_t) override { return nullptr; }
  void CheckPrecision(Precision precision) const override {
    if (precision == Precision::kTf32) throw Error(ErrorKind::kConfig, "not made for tf32");
  }
  std::shared_ptr<PrefixRunner> MakePrefix(const Model&,
                                           const std::function<LayerReader(const Model&)>&,
                                           Precision, int, int) override {
    return nullptr;
  }
  void Issue(const std::string&, const std::function<void()>&) override {}
  bool Fits(const std::function<void()>&) override { return true; }
  JoinedDevices JoinRanks(const std::shared_ptr<RankGroup>&, std::chrono::milliseconds) override {
    return {nullptr, "it is no device"};
  }
  [[noreturn]] void Refuse(const std::string& what) override {
    throw Error(ErrorKind::kMemory, what);
  }
};

constexpr const char* kNothing = "nothing was thrown";

// What is said where the stage is built, which is before anything runs, of a device or of none.
std::string RefusalOf(Precision precision, const FrozenConfig& frozen,
                      const std::optional<ChosenDevice>& chosen) {
  Resources resources;
  resources.Put(std::make_shared<Classes>(Classes{{"ants", "bees"}}));
  resources.Put(Source(frozen));
  if (chosen) resources.Put(std::make_shared<ChosenDevice>(*chosen));
  BuildContext context{.upstream = {{8, kSize, kSize, 3}, 8 * kSamplePixels},
                       .resources = resources};
  return CaughtError([&] { Features({.precision = precision}, context); });
}

TEST(Features, InTf32AreForADevice) {
  const std::string remedy = "\nSet precision: float32, or bfloat16.";
  EXPECT_EQ(
      RefusalOf(Precision::kTf32, {}, ChosenDevice{nullptr, "there is no NVIDIA driver here"}),
      "precision: tf32 is a GPU's, and the model runs on the processor, as there is no NVIDIA "
      "driver here" +
          remedy);
  EXPECT_EQ(RefusalOf(Precision::kTf32, {}, std::nullopt),
            "precision: tf32 is a GPU's, and the model runs on the processor, as no stage "
            "`prefetch` asks for another" +
                remedy);
  EXPECT_EQ(RefusalOf(Precision::kFloat32, {}, std::nullopt), kNothing);
}

TEST(Features, AreAskedOfTheDeviceBeforeAnythingRuns) {
  const ChosenDevice chosen{std::make_shared<PickyDevice>(), "of a test"};
  EXPECT_EQ(RefusalOf(Precision::kTf32, {}, chosen), "not made for tf32\n");
  EXPECT_EQ(RefusalOf(Precision::kBfloat16, {}, chosen), kNothing);
  // Nothing is computed there.
  EXPECT_EQ(RefusalOf(Precision::kTf32, {.kind = FrozenConfig::Kind::kNone}, chosen), kNothing);
}

}  // namespace
}  // namespace weir
