#include "stages/model/export/saved_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "stages/files/class_names.h"
#include "stages/model/backbones/load_backbone.h"
#include "stages/model/export/model_description.h"
#include "stages/model/export/yaml_json.h"
#include "stages/model/weights/safetensors_writer.h"
#include "stages/model/weights/weights_file.h"
#include "tests/support/caught_error.h"
#include "tests/support/file_text.h"
#include "tests/support/head_layers.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/whole_backbone.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

const std::vector<std::string> kClasses = {"ants", "b\"ees", "été"};

Model Declared() {
  ModelConfig config;
  config.backbone.width = 0.35;
  config.frozen = {.kind = FrozenConfig::Kind::kThrough, .through = "block_12"};
  config.preprocessing = Preprocessing{{1 / 255.f, 1 / 255.f, 0.1f}, {0, 0.3f, -1}};
  config.head = {HeadAveragePooling(), HeadBatchNorm(0.9), HeadDropout(0.25),
                 HeadDenseOfClasses(Activation::kSoftmax)};
  Convention convention = Convention::Torchvision();
  convention.batch_norm_epsilon = 1e-3f;
  return Model(config, convention, {64, 96}, kClasses, 1);
}

// A learner that learnt nothing: its numbers are those of a seed.
class Still final : public Learner {
 public:
  explicit Still(const Model& model)
      : model_(model), backbone_(RandomBackbone(model.network(), 5)) {
    for (int i = 0; i < 1280; ++i) head_.push_back(static_cast<float>(i) / 7);
  }
  Metrics metrics() const override { return {}; }
  TrainingPosition position() const override { return {}; }
  void EndEpoch(std::optional<double>) override {}
  void AverageEpoch() override {}
  bool has_average() const override { return false; }
  void ExchangeAverage() override {}
  void BeginPhase(const std::filesystem::path&, bool) override {}
  void Save(const fs::path&, const std::string&) const override {}
  std::string Restore(const fs::path&) override { return ""; }

  void ForEachTensor(const std::function<void(const NamedTensor&)>& write) const override {
    for (std::size_t i = 0; i < backbone_.layers.size(); ++i) {
      const NetworkLayer& layer = model_.network().layers()[i];
      const LayerNames& names = model_.backbone().names(static_cast<int>(i));
      const ConvWeights& weights = backbone_.layers[i];
      const std::int64_t out = layer.out_channels;
      write({names.kernel,
             {out, layer.in_channels / layer.groups, layer.kernel, layer.kernel},
             weights.kernel});
      write({names.gamma, {out}, weights.gamma});
      write({names.beta, {out}, weights.beta});
      write({names.mean, {out}, weights.mean});
      write({names.variance, {out}, weights.variance});
    }
    for (const char* name : {"weight", "bias"}) {
      write({"head.1." + std::string(name), {1280}, head_});
    }
    std::vector<float> kernel;  // ends with the call, as a learner's may
    for (int i = 0; i < 3 * 1280; ++i) kernel.push_back(static_cast<float>(-i));
    write({"head.3.weight", {3, 1280}, kernel});
    write({"head.3.bias", {3}, std::span(head_).first(3)});
    for (const char* name : {"running_mean", "running_var"}) {
      write({"head.1." + std::string(name), {1280}, head_});
    }
  }

  const Model& model_;
  const BackboneWeights backbone_;
  std::vector<float> head_;
};

class SavedModelTest : public testing::Test {
 protected:
  SavedModelTest() : model_(Declared()), learner_(model_) {
    SaveModel(folder(), model_, learner_, nullptr, {}, {});
  }

  fs::path folder() const { return scratch_ / "run/model"; }
  fs::path weights() const { return folder() / "model.safetensors"; }
  fs::path description() const { return folder() / "model.json"; }

  // The first `what` in model.json becomes `other`.
  void Replace(const std::string& what, const std::string& other) {
    std::string text = FileText(description());
    ASSERT_NE(text.find(what), std::string::npos) << what;
    std::ofstream(description()) << text.replace(text.find(what), what.size(), other);
  }
  std::string Refusal() const {
    return CaughtError([&] {
      try {
        LoadSavedModel(folder());
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kData);
        throw;
      }
    });
  }
  // What is wrong with model.json.
  std::string Damage(const std::string& what) const {
    return description().string() + ": " + what +
           "\nCopy it again, or write it anew with `weir run --resume`.";
  }
  static std::string Apart(const std::string& what) {
    return what +
           "\nThe files of a model belong together: copy them all, or write them anew with `weir "
           "run --resume`.";
  }

  const ScratchFolder scratch_;
  const Model model_;
  const Still learner_;
};

TEST_F(SavedModelTest, ComesBackAsItWas) {
  const SavedModel saved = LoadSavedModel(folder());
  EXPECT_EQ(saved.classes, kClasses);
  EXPECT_EQ(saved.input, (MapSize{64, 96}));
  EXPECT_EQ(saved.source.convention.padding, Padding::kSymmetric);
  EXPECT_EQ(saved.source.convention.batch_norm_epsilon, 1e-3f);

  const Model model(saved.source.config, saved.source.convention, saved.input, saved.classes, 1);
  EXPECT_EQ(model.preprocessing(), model_.preprocessing());
  EXPECT_EQ(model.backbone().width(), 0.35);
  std::vector<std::string> head;
  for (const auto& layer : model.head()) head.push_back(layer->declaration());
  EXPECT_THAT(head, ElementsAre("global_average_pooling", "batch_norm 0.9 0.001", "dropout 0.25",
                                "dense 3 softmax"));
  EXPECT_EQ(model.prefix_layers(), 52);  // what learnt is frozen now
  EXPECT_EQ(model.prefix_pooling(), Pooling::kAverage);

  const BackboneWeights backbone = Whole(saved.source.open_backbone(model), model.network());
  for (std::size_t i = 0; i < backbone.layers.size(); ++i) {
    EXPECT_EQ(backbone.layers[i].kernel, learner_.backbone_.layers[i].kernel);
    EXPECT_EQ(backbone.layers[i].variance, learner_.backbone_.layers[i].variance);
  }
  const HeadArray bias = model_.head_arrays(1)[1], weight = model_.head_arrays(3)[0];
  EXPECT_EQ(saved.source.load_head(model_, 1, bias, {}), learner_.head_);
  EXPECT_EQ(saved.source.load_head(model_, 3, weight, {})[3839], -3839);
}

TEST_F(SavedModelTest, IsDescribedForPeopleToo) {
  EXPECT_EQ(FileText(description()), R"({
  "version": 1,
  "classes": [
    "ants",
    "b\"ees",
    "été"
  ],
  "input": [
    64,
    96
  ],
  "convention": {
    "padding": "symmetric",
    "batch_norm_epsilon": 0.001
  },
  "preprocessing": {
    "scale": [
      0.003921569,
      0.003921569,
      0.1
    ],
    "offset": [
      0,
      0.3,
      -1
    ]
  },
  "backbone": {
    "name": "mobilenet_v2",
    "width": 0.35
  },
  "head": [
    "global_average_pooling",
    {
      "batch_norm": {
        "momentum": 0.9,
        "epsilon": 0.001
      }
    },
    {
      "dropout": {
        "rate": 0.25
      }
    },
    {
      "dense": {
        "units": 3,
        "activation": "softmax"
      }
    }
  ],
  "precision": "float32"
}
)");
}

TEST_F(SavedModelTest, WeightsSayTheirConventionToOthers) {
  const auto file = WeightsFile::Open(weights());
  EXPECT_EQ(ConventionOf(*file).padding, Padding::kSymmetric);
  EXPECT_EQ(BatchNormEpsilonOf(*file), 1e-3f);  // and not torchvision's own
}

TEST_F(SavedModelTest, IsTheSameBytesEachTime) {
  SaveModel(scratch_ / "again", model_, learner_, nullptr, {}, {});
  EXPECT_EQ(FileText(scratch_ / "again/model.safetensors"), FileText(weights()));
  EXPECT_EQ(FileText(scratch_ / "again/model.json"), FileText(description()));
}

TEST_F(SavedModelTest, RefusesWhatIsMissing) {
  fs::remove(weights());
  EXPECT_THAT(Refusal(), testing::StartsWith(weights().string()));
  fs::remove(description());
  EXPECT_EQ(Refusal(), Damage("cannot be read: No such file or directory"));
}

TEST_F(SavedModelTest, RefusesADescriptionCutAnywhere) {
  const std::string whole = FileText(description());
  for (std::size_t length = 0; length + 2 < whole.size(); ++length) {
    std::ofstream(description()) << whole.substr(0, length);
    ASSERT_EQ(Refusal(), Damage("it is not whole JSON")) << length;
  }
}

TEST_F(SavedModelTest, RefusesAnotherVersion) {
  Replace("\"version\": 1", "\"version\": 2");
  EXPECT_EQ(Refusal(), Damage("it is of version 2, this weir reads version 1"));
}

TEST_F(SavedModelTest, SaysHowItIsToBeUsed) {
  EXPECT_TRUE(LoadSavedModel(folder()).use.pictures.is_null());
  const JsonLimits limits{.text_bytes = 4096, .value_bytes = 256};
  const YamlNode pictures =
      YamlFromJson(R"([{"decode": {}}, {"augment": {"size": [64, 96]}}])", {.limits = limits});
  SaveModel(folder(), model_, learner_, nullptr, {pictures, Precision::kBfloat16}, {});
  const ModelUse use = LoadSavedModel(folder()).use;
  EXPECT_EQ(ToJson(use.pictures), ToJson(pictures));
  EXPECT_EQ(use.precision, Precision::kBfloat16);
}

TEST_F(SavedModelTest, RefusesValuesThatMakeNoSense) {
  Replace("\"symmetric\"", "\"symetric\"");
  EXPECT_EQ(Refusal(),
            Damage("`padding` takes same or symmetric, not `symetric`; did you mean `symmetric`?"));
  Replace("\"symetric\"", "\"same\"");
  Replace("96", "9.6");
  EXPECT_EQ(Refusal(), Damage("`input[1]` takes a whole number, not `9.6`"));
  Replace("9.6", "96");
  Replace("\"classes\"", "\"klasses\"");
  EXPECT_EQ(Refusal(), Damage("unknown key `klasses`; did you mean `classes`?"));
  Replace("\"klasses\"", "\"classes\"");
  Replace("\"preprocessing\"", "\"head\": [], \"x\"");
  EXPECT_EQ(Refusal(),
            Damage("unknown key `x`; it takes version, classes, input, convention, pictures, "
                   "precision, kept, preprocessing, backbone and head"));
}

TEST_F(SavedModelTest, RefusesADescriptionNestedWithoutEnd) {
  std::ofstream(description()) << R"({"version": 1, "head": )" << std::string(100'000, '[')
                               << std::string(100'000, ']') << "}";
  EXPECT_EQ(Refusal(), Damage("it is nested more than 32 levels deep"));
}

// The most that class_names.h allows, names that take several letters in JSON among them.
TEST_F(SavedModelTest, AsManyClassesAsThereMayBeComeBack) {
  for (const std::size_t length : {std::size_t{4}, std::size_t{230}}) {
    std::vector<std::string> classes;
    for (std::size_t i = 0; i < kMostClasses; ++i) {
      classes.push_back("\"\n" + std::to_string(i));
      classes.back().resize(std::max(length, classes.back().size()), 'x');
    }
    CheckClassNames("model", classes);
    ModelConfig config = model_.config();
    config.head.back() = HeadDenseOfClasses(Activation::kSoftmax);
    const Model model(config, Convention::Torchvision(), {64, 96}, classes, 1);
    std::ofstream file(description(), std::ios::binary);
    Describe(model, {}, {}, [&](std::string_view piece) { file << piece; });
    file.close();
    EXPECT_EQ(ReadModelDescription(description()).classes, classes);
  }
}

TEST_F(SavedModelTest, RefusesClassesThatAreNoTexts) {
  Replace("\"ants\"", "7");
  EXPECT_EQ(Refusal(), Damage("it has something other than text in its classes"));
  Replace("7", "[]");
  EXPECT_EQ(Refusal(), Damage("it has something other than text in its classes"));
}

TEST_F(SavedModelTest, RefusesWeightsOfAnotherModel) {
  Replace("\"ants\",", "\"ants\", \"wasps\",");
  EXPECT_EQ(Refusal(), Apart(description().string() +
                             ": model.head: its last layer has 3 units, the data has 4 classes"));
  Replace("\"units\": 3", "\"units\": 4");
  EXPECT_EQ(Refusal(), Apart(weights().string() +
                             " has another shape of head.3.weight than model.json beside it "
                             "declares"));
  WriteSafetensors(weights(), {});
  EXPECT_EQ(Refusal(), Apart(weights().string() +
                             " lacks head.1.weight, which model.json beside it declares"));
}

TEST_F(SavedModelTest, KeepsTheMapsThatWereMeasured) {
  EXPECT_EQ(LoadSavedModel(folder()).source.maps, nullptr);
  std::vector<MapStatistics> maps;
  for (const NetworkLayer& layer : model_.network().layers()) {
    const auto channels = static_cast<std::size_t>(layer.out_channels);
    maps.push_back({0.1f * static_cast<float>(maps.size() + 1),
                    std::vector<float>(channels, -static_cast<float>(maps.size()))});
  }
  SaveModel(folder(), model_, learner_, &maps, {}, {});
  EXPECT_EQ(*LoadSavedModel(folder()).source.maps, maps);

  const std::string file = (folder() / "int8.safetensors").string();
  maps[7].scale = 0;
  SaveModel(folder(), model_, learner_, &maps, {}, {});
  EXPECT_EQ(Refusal(), Apart(file + ": the numbers of features.3.conv.1.0 are damaged"));
  const std::vector<float> two = {1, 2};
  WriteSafetensors(file, {TensorToWrite::Of("features.0.0.scale", {2}, two)});
  EXPECT_EQ(Refusal(), Apart(file + " has no features.0.0.scale of 1 values"));
}

}  // namespace
}  // namespace weir
