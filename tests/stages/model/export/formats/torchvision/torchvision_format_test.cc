#include "stages/model/export/formats/torchvision/torchvision_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "stages/model/export/formats/torchvision/torchvision_program.h"
#include "stages/model/weights/pth_reader.h"
#include "stages/model/weights/safetensors_reader.h"
#include "stages/model/weights/weights_file.h"
#include "tests/stages/model/export/formats/unfolded_graph.h"
#include "tests/support/caught_error.h"
#include "tests/support/file_text.h"

namespace weir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

const Head kUsualHead = {HeadAveragePooling(), HeadDenseOfClasses(Activation::kSoftmax)};
const Head kLongHead = {HeadAveragePooling(), HeadDropout(0.25), HeadDense(8, Activation::kRelu6),
                        HeadBatchNorm(0.9),   HeadFlatten(),     HeadDropout(0.5),
                        HeadDenseOfClasses()};

InferenceGraph Graph(const Head& head, const Convention& convention = Convention::Torchvision()) {
  return UnfoldedGraph(MobileNetV2(0.35, {64, 96}, convention), head);
}

// What readers find in either file, to the bit.
TEST(TorchvisionFormat, HoldsTheWeightsUnderItsNames) {
  const InferenceGraph graph = Graph(kLongHead);
  const Backbone& backbone = graph.model().backbone();
  const LayerReader drawn = DrawnBackbone(backbone.network());
  const ScratchFolder folder;
  for (const auto& [name, format] :
       {std::pair{"model.pth", &kPthFormat}, std::pair{"model.safetensors", &kSafetensorsFormat}}) {
    const std::shared_ptr<WeightsFile> file =
        WeightsFile::Open(Written(kTorchvisionFormat, graph, folder, name));
    EXPECT_EQ(&file->format(), format);
    EXPECT_EQ(file->tensors().size(), 52u * 5 + 4 + 2 * 2);
    EXPECT_EQ(ReadTensor(*file, "features.0.0.weight"), drawn(0).kernel);
    EXPECT_THAT(file->Find("features.1.conv.0.0.weight")->shape, ElementsAre(16, 1, 3, 3));
    const LayerReader read = ReadBackbone(file, backbone);
    for (int i = 0; i < backbone.network().size(); ++i) {
      if (!backbone.network().layers()[i].has_weights()) continue;
      const ConvWeights layer = read(i), wanted = drawn(i);
      EXPECT_EQ(layer.kernel, wanted.kernel) << i;
      EXPECT_EQ(layer.gamma, wanted.gamma) << i;
      EXPECT_EQ(layer.beta, wanted.beta) << i;
      EXPECT_EQ(layer.mean, wanted.mean) << i;
      EXPECT_EQ(layer.variance, wanted.variance) << i;
    }
    const auto head = [&graph](int layer, std::size_t array) {
      return DrawnHeadArray(layer, graph.model().head_arrays(layer).at(array));
    };
    EXPECT_THAT(file->Find("classifier.1.weight")->shape, ElementsAre(8, 1280));
    EXPECT_EQ(ReadTensor(*file, "classifier.1.weight"), head(2, 0));
    EXPECT_EQ(ReadTensor(*file, "classifier.3.running_var"), head(3, 3));
    EXPECT_EQ(ReadTensor(*file, "classifier.5.bias"), head(6, 1));
  }
}

TEST(TorchvisionFormat, GivesTheUsualHeadTheNamesOfItsOwnClassifier) {
  EXPECT_THAT(ClassifierOf(Graph(kUsualHead).model()).names,
              ElementsAre(Pair("head.1", "classifier.1")));
  EXPECT_EQ(
      TorchvisionProgram(JobOf(Graph(kUsualHead))),
      "import torch\n"
      "import torchvision\n"
      "\n"
      "# It is fed RGB pictures, float32 [N, 3, 64, 96], each byte x as x * [0.0171248, 0.017507, "
      "0.0174292] + [-2.1179, -2.03571, -1.80444] of red, green and blue.\n"
      "# It gives logits: the softmax of them are the probabilities.\n"
      "model = torchvision.models.mobilenet_v2(\n"
      "    num_classes=3, width_mult=0.35, dropout=0.0)\n");
}

TEST(TorchvisionFormat, SaysWhichClassifierAnotherHeadTakes) {
  EXPECT_THAT(TorchvisionProgram(JobOf(Graph(kLongHead))),
              HasSubstr("dropout=0.25)\n"
                        "model.classifier = torch.nn.Sequential(\n"
                        "    torch.nn.Dropout(0.25),\n"
                        "    torch.nn.Linear(1280, 8),\n"
                        "    torch.nn.ReLU6(),\n"
                        "    torch.nn.BatchNorm1d(8, eps=0.001, momentum=1 - 0.9),\n"
                        "    torch.nn.Dropout(0.5),\n"
                        "    torch.nn.Linear(8, 3),\n"
                        ")\n"));
  EXPECT_EQ(TorchvisionLoading("a.pth"),
            "model.load_state_dict(torch.load(\"a.pth\", weights_only=True))\nmodel.eval()\n");
  EXPECT_EQ(TorchvisionLoading("a.safetensors"),
            "import safetensors.torch\n"
            "model.load_state_dict(safetensors.torch.load_file(\"a.safetensors\"))\n"
            "model.eval()\n");
}

// Keras' padding is said in the program; its epsilon of 1e-3 goes into gamma.
TEST(TorchvisionFormat, TakesAModelOfKerasConventionToo) {
  const InferenceGraph graph = Graph(kUsualHead, Convention::Keras());
  EXPECT_THAT(TorchvisionProgram(JobOf(graph)), HasSubstr("(width % 2, 1, height % 2, 1)"));
  EXPECT_THAT(TorchvisionProgram(JobOf(Graph(kUsualHead))), Not(HasSubstr("pad")));
  const ScratchFolder folder;
  const std::shared_ptr<WeightsFile> file =
      WeightsFile::Open(Written(kTorchvisionFormat, graph, folder, "model.pth"));
  const Backbone& backbone = graph.model().backbone();
  const ConvWeights read = ReadBackbone(file, backbone)(3),
                    drawn = DrawnBackbone(backbone.network())(3);
  EXPECT_EQ(read.variance, drawn.variance);
  for (std::size_t i = 0; i < drawn.gamma.size(); ++i) {
    const double ours = drawn.gamma[i] / std::sqrt(drawn.variance[i] + 1e-3);
    EXPECT_NEAR(read.gamma[i] / std::sqrt(read.variance[i] + 1e-5), ours, 1e-6 * ours) << i;
  }
}

TEST(TorchvisionFormat, SaysInTheFileWhatItIsOf) {
  const ScratchFolder folder;
  const InferenceGraph graph = Graph(kUsualHead);
  const auto file =
      WeightsFile::Open(Written(kTorchvisionFormat, graph, folder, "model.safetensors"));
  EXPECT_EQ(file->metadata().at("classes"), R"(["ants","b\"ees","wasps"])");
  EXPECT_EQ(file->metadata().at("program"), TorchvisionProgram(JobOf(graph)));
  const std::string pth = FileText(Written(kTorchvisionFormat, graph, folder, "model.pth"));
  EXPECT_THAT(pth, HasSubstr("model/extra/classes"));
  EXPECT_THAT(pth, HasSubstr(TorchvisionProgram(JobOf(graph))));
  EXPECT_EQ(FileText(Written(kTorchvisionFormat, graph, folder, "again.pth")), pth);
}

TEST(TorchvisionFormat, RefusesAHeadThatItsNetworkCannotHave) {
  const Head head = {HeadMaxPooling(), HeadDenseOfClasses()};
  EXPECT_EQ(CaughtError([&head] { TorchvisionProgram(JobOf(Graph(head))); }),
            "--to torchvision: the head begins with global_max_pooling, and torchvision's networks "
            "with the mean of each channel\n"
            "Export it with --to onnx, or train a head that begins with global_average_pooling.");
}

}  // namespace
}  // namespace weir
