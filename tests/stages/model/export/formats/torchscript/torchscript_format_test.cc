#include "stages/model/export/formats/torchscript/torchscript_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "stages/model/export/formats/torchscript/torchscript_names.h"
#include "stages/model/weights/containers/zip_directory.h"
#include "tests/stages/model/export/formats/exported_graphs.h"
#include "tests/support/caught_error.h"

namespace weir {
namespace {

using testing::HasSubstr;
using testing::Not;

// What is in the file, and where.
class Archive {
 public:
  explicit Archive(const InferenceGraph& graph, ExportInput input = ExportInput::kUint8)
      : bytes_(FileOf(kTorchscriptFormat, graph, input)),
        directory_(std::as_bytes(std::span(bytes_)), "model.pt") {}

  std::string Text(const std::string& path) const {
    const std::span<const std::byte> bytes = Entry(path).bytes;
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  std::vector<float> Floats(const std::string& path) const {
    const std::string text = Text(path);
    std::vector<float> values(text.size() / sizeof(float));
    std::memcpy(values.data(), text.data(), text.size());
    return values;
  }

  std::string Code() const { return Text("code/__torch__.py"); }
  const ZipDirectory& directory() const { return directory_; }
  const std::string& bytes() const { return bytes_; }

 private:
  const ZipEntry& Entry(const std::string& path) const {
    const ZipEntry* entry = directory_.Find("model/" + path);
    if (!entry) throw std::runtime_error("no " + path);
    return *entry;
  }

  const std::string bytes_;
  const ZipDirectory directory_;
};

TEST(TorchscriptFormat, HoldsTheConstantsInTheirOrderWhereTheyCanBeMapped) {
  const InferenceGraph graph = GraphOf(Small());
  const Archive archive(graph);
  int index = 0;
  const auto next = [&] { return archive.Floats("data/" + std::to_string(index++)); };
  const auto& [scale, offset] = graph.model().preprocessing();
  EXPECT_EQ(next(), std::vector<float>(scale.begin(), scale.end()));
  EXPECT_EQ(next(), std::vector<float>(offset.begin(), offset.end()));
  for (int i = 0; i < static_cast<int>(graph.operations().size()); ++i) {
    for (const std::vector<float>& values : graph.ReadConstants(i)) EXPECT_EQ(next(), values) << i;
  }
  EXPECT_EQ(archive.directory().Find("model/data/" + std::to_string(index)), nullptr);
  for (const auto& [name, entry] : archive.directory().entries()) {
    EXPECT_TRUE(entry.Intact()) << name;
    const auto* const begin = reinterpret_cast<const char*>(entry.bytes.data());
    EXPECT_EQ((begin - archive.bytes().data()) % 64, 0) << name;
  }
}

TEST(TorchscriptFormat, SaysWhatItIsOf) {
  const InferenceGraph graph = GraphOf(Small());
  const Archive archive(graph);
  EXPECT_EQ(archive.Text("version"), "3\n");
  EXPECT_EQ(archive.Text("extra/classes"), R"(["ants","b\"ees"])");
  EXPECT_EQ(archive.Text("extra/preprocessing"),
            "RGB pictures of 64 x 96 pixels in bytes, [N, H, W, 3]; inside, each byte x becomes x "
            "* 0.00784314 - 1");
  EXPECT_EQ(archive.Text("extra/backbone"), "mobilenet_v2, width 1.0");
  EXPECT_EQ(archive.Text("extra/weir_version"), "1.2.3");
  EXPECT_EQ(archive.Text("extra/weights_sha256"), "abc");
  EXPECT_EQ(Archive(graph).bytes(), archive.bytes());
}

TEST(TorchscriptFormat, ComputesInNamesThatTheModelHas) {
  const std::string code = Archive(GraphOf(Small())).Code();
  EXPECT_THAT(code, HasSubstr("class features_0_0(Module):\n"
                              "  __parameters__ = [\"weight\", \"bias\", ]\n"
                              "  __buffers__ = []\n"
                              "  __annotations__ = []\n"
                              "  __annotations__[\"weight\"] = Tensor\n"
                              "  __annotations__[\"bias\"] = Tensor\n"
                              "  __annotations__[\"training\"] = bool\n"
                              "class features_0(Module):\n"));
  EXPECT_THAT(code, HasSubstr("    Conv1_padded = torch.constant_pad_nd(pictures, [0, 1, 0, 1], "
                              "0.)\n"
                              "    Conv1 = torch.conv2d(Conv1_padded, "));
  EXPECT_THAT(code, HasSubstr("    Conv1_relu = torch.hardtanh(Conv1, 0., 6.)\n"));
  EXPECT_THAT(code, HasSubstr("[2, 2], [0, 0], [1, 1], 1)\n"));
  EXPECT_THAT(code, Not(HasSubstr("batch_norm")));
  const std::string symmetric = Archive(GraphOf(Small(Convention::Torchvision()))).Code();
  EXPECT_THAT(symmetric, Not(HasSubstr("constant_pad_nd")));
  EXPECT_THAT(symmetric, HasSubstr("[2, 2], [1, 1], [1, 1], 1)\n"));
  EXPECT_THAT(Archive(GraphOf(Small(), kUsualHead, /*keeps_batch_norms=*/true)).Code(),
              HasSubstr("False, 0., 0.0010000000474974513, True)\n"));
}

TEST(TorchscriptFormat, GivesEachNameOnce) {
  TorchscriptNames names({"self"});
  EXPECT_EQ(names.Make("head.1"), "head_1");
  EXPECT_EQ(names.Make("head_1"), "head_1_");
  EXPECT_EQ(names.Make("self"), "self_");
  EXPECT_EQ(names.Make("1x1 \xc3\xa4"), "_1x1___");
  EXPECT_EQ(names.Make(""), "_");
}

TEST(TorchscriptFormat, RefusesAModelInInt8) {
  EXPECT_EQ(CaughtError([] { FileOf(kTorchscriptFormat, Int8GraphOf(Small())); }),
            "--to torchscript writes float32 alone, and this model computes in int8\n"
            "Add --precision float32, or export it with --to onnx.");
}

}  // namespace
}  // namespace weir
