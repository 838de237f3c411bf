#include "stages/model/export/formats/keras/keras_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>

#include <cmath>

#include "stages/model/weights/hdf5_reader.h"
#include "stages/model/weights/weights_file.h"
#include "tests/stages/model/export/formats/unfolded_graph.h"
#include "tests/support/caught_error.h"
#include "tests/support/file_text.h"

namespace weir {
namespace {

using testing::ElementsAre;

const Head kLongHead = {
    HeadBatchNorm(),    HeadMaxPooling(), HeadDropout(0.25),   HeadDense(8, Activation::kRelu6),
    HeadBatchNorm(0.9), HeadFlatten(),    HeadDenseOfClasses()};

// What a reader finds in it, to the bit: the backbone in OIHW, the head as it was drawn.
TEST(KerasFormat, HoldsTheWeightsUnderKerasNames) {
  const InferenceGraph graph =
      UnfoldedGraph(MobileNetV2(0.35, {64, 96}, Convention::Keras()), kLongHead);
  const ScratchFolder folder;
  const std::shared_ptr<WeightsFile> file =
      WeightsFile::Open(Written(kKerasFormat, graph, folder, "model.weights.h5"));
  EXPECT_EQ(&file->format(), &kHdf5Format);
  EXPECT_EQ(ConventionOf(*file), Convention::Keras());

  const Backbone& backbone = graph.model().backbone();
  const LayerReader read = ReadBackbone(file, backbone), drawn = DrawnBackbone(backbone.network());
  for (int i = 0; i < backbone.network().size(); ++i) {
    if (!backbone.network().layers()[i].has_weights()) continue;
    const ConvWeights layer = read(i), wanted = drawn(i);
    EXPECT_EQ(layer.kernel, wanted.kernel) << i;
    EXPECT_EQ(layer.gamma, wanted.gamma) << i;
    EXPECT_EQ(layer.beta, wanted.beta) << i;
    EXPECT_EQ(layer.mean, wanted.mean) << i;
    EXPECT_EQ(layer.variance, wanted.variance) << i;
  }
  EXPECT_THAT(file->Find("Conv1/kernel")->shape, ElementsAre(3, 3, 3, 16));
  EXPECT_THAT(file->Find("block_16_depthwise/kernel")->shape, ElementsAre(3, 3, 336, 1));
  EXPECT_EQ(ReadTensor(*file, "Conv_1_bn/moving_mean"), drawn(backbone.Find("Conv_1")).mean);

  const auto head = [&graph](int layer, std::size_t array) {
    return DrawnHeadArray(layer, graph.model().head_arrays(layer).at(array));
  };
  EXPECT_EQ(ReadTensor(*file, "batch_normalization/gamma"), head(0, 0));
  EXPECT_EQ(ReadTensor(*file, "batch_normalization_1/moving_variance"), head(4, 3));
  EXPECT_EQ(ReadTensor(*file, "dense_1/bias"), head(6, 1));
  EXPECT_THAT(file->Find("dense/kernel")->shape, ElementsAre(1280, 8));
  const std::vector<float> kernel = ReadTensor(*file, "dense/kernel"), weight = head(3, 0);
  for (std::size_t unit = 0; unit < 8; ++unit) {
    for (std::size_t i = 0; i < 1280; ++i) {
      ASSERT_EQ(kernel[i * 8 + unit], weight[unit * 1280 + i]) << unit << " " << i;
    }
  }
}

// Keras finds a layer by its class and by how many of that came before it.
TEST(KerasFormat, CountsLayersOfAClassThroughBackboneAndHead) {
  const InferenceGraph graph =
      UnfoldedGraph(MobileNetV2(0.35, {64, 96}, Convention::Keras()), kLongHead);
  const ScratchFolder folder;
  const auto path = Written(kKerasFormat, graph, folder, "model.weights.h5");
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  for (const char* const each :
       {"vars", "layers/conv2d/vars/0", "layers/conv2d_34/vars/0", "layers/depthwise_conv2d/vars/0",
        "layers/depthwise_conv2d_16/vars/0", "layers/batch_normalization_51/vars/3",
        "layers/batch_normalization_52/vars/0", "layers/batch_normalization_53/vars/3",
        "layers/dense/vars/1", "layers/dense_1/vars/1"}) {
    EXPECT_GT(H5Lexists(file, each, H5P_DEFAULT), 0) << each;
  }
  EXPECT_EQ(H5Lexists(file, "layers/conv2d_35", H5P_DEFAULT), 0);
  for (const char* const each :
       {"backbone", "classes", "preprocessing", "program", "weights_sha256", "weir_version"}) {
    EXPECT_GT(H5Aexists(file, each), 0) << each;
  }
  H5Fclose(file);
}

TEST(KerasFormat, IsAFunctionOfTheModel) {
  const InferenceGraph graph =
      UnfoldedGraph(MobileNetV2(0.35, {32, 32}, Convention::Keras()), kLongHead);
  const ScratchFolder folder;
  EXPECT_EQ(FileText(Written(kKerasFormat, graph, folder, "a.weights.h5")),
            FileText(Written(kKerasFormat, graph, folder, "b.weights.h5")));
}

TEST(KerasFormat, SaysTheProgramThatLoadsIt) {
  const InferenceGraph graph =
      UnfoldedGraph(MobileNetV2(0.35, {64, 96}, Convention::Keras()), kLongHead);
  EXPECT_EQ(kKerasFormat.build(JobOf(graph)),
            "import keras\n"
            "from keras import layers\n"
            "\n"
            "# It is fed RGB pictures, float32 [N, 64, 96, 3], each byte x as x * 0.00784314 - 1.\n"
            "base = keras.applications.MobileNetV2(\n"
            "    weights=None, include_top=False, alpha=0.35, input_shape=(64, 96, 3))\n"
            "x = base.output\n"
            "x = layers.BatchNormalization(momentum=0.99, epsilon=0.001)(x)\n"
            "x = layers.GlobalMaxPooling2D()(x)\n"
            "x = layers.Dropout(0.25)(x)\n"
            "x = layers.Dense(8, activation=\"relu6\")(x)\n"
            "x = layers.BatchNormalization(momentum=0.9, epsilon=0.001)(x)\n"
            "x = layers.Flatten()(x)\n"
            "x = layers.Dense(3, activation=\"softmax\")(x)\n"
            "model = keras.Model(base.input, x)\n");
  EXPECT_EQ(kKerasFormat.load("a \"b\".weights.h5"),
            "model.load_weights(\"a \\\"b\\\".weights.h5\")\n");
}

TEST(KerasFormat, RefusesPaddingThatKerasDoesNotHave) {
  const Head head = {HeadAveragePooling(), HeadDenseOfClasses()};
  const InferenceGraph graph =
      UnfoldedGraph(MobileNetV2(0.35, {64, 65}, Convention::Torchvision()), head);
  const ScratchFolder folder;
  AtomicFile file(folder / "model.weights.h5");
  EXPECT_EQ(CaughtError([&] { kKerasFormat.write(JobOf(graph), file); }),
            "--to keras: the model was trained with torchvision's padding, and Keras' MobileNetV2 "
            "pads maps of stride 2 otherwise, so that it would compute something else\n"
            "Export it with --to torchvision or onnx, or train from Keras' weights: "
            "model.backbone.weights: imagenet_keras.");
}

// On maps of odd sides the paddings are one; the epsilon, which Keras takes as 1e-3, goes into
// gamma.
TEST(KerasFormat, FoldsTheEpsilonWhereNothingElseDiffers) {
  const Head head = {HeadAveragePooling(), HeadBatchNorm(), HeadDenseOfClasses()};
  const InferenceGraph graph =
      UnfoldedGraph(MobileNetV2(0.35, {33, 65}, Convention::Torchvision()), head);
  const ScratchFolder folder;
  const std::shared_ptr<WeightsFile> file =
      WeightsFile::Open(Written(kKerasFormat, graph, folder, "model.weights.h5"));
  const Backbone& backbone = graph.model().backbone();
  const ConvWeights read = ReadBackbone(file, backbone)(3),
                    drawn = DrawnBackbone(backbone.network())(3);
  EXPECT_EQ(read.variance, drawn.variance);
  EXPECT_EQ(read.mean, drawn.mean);
  for (std::size_t i = 0; i < drawn.gamma.size(); ++i) {
    const double ours = drawn.gamma[i] / std::sqrt(drawn.variance[i] + 1e-5);
    EXPECT_NEAR(read.gamma[i] / std::sqrt(read.variance[i] + 1e-3), ours, 1e-6 * ours) << i;
  }
  EXPECT_EQ(ReadTensor(*file, "batch_normalization/gamma"),
            DrawnHeadArray(1, graph.model().head_arrays(1).at(0)));
}

}  // namespace
}  // namespace weir
