// `weir export`, seen from outside: what it writes and says, and what it refuses. What others make
// of the files is onnx_test.py's, tflite_test.py's and torchscript_test.py's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "pipelines/export/export_formats.h"
#include "tests/pipelines/training_run.h"
#include "tests/support/file_text.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// One run for all tests, and a copy of it for each that changes it.
const fs::path& TheRun() {
  static const ScratchFolder folder;
  static const fs::path run = [] {
    const fs::path yaml = folder.Write(
        "job.yaml",
        TrainingYaml({.source = "directory: {path: " + DrawnPictures<8>().string() + "}"}));
    const ProcessOutcome outcome = Weir({"run", yaml.string(), "--out", (folder / "run").string()});
    if (outcome.status != 0) throw std::runtime_error(outcome.out + outcome.err);
    return folder / "run";
  }();
  return run;
}

class ExportTest : public ::testing::Test {
 protected:
  ExportTest() { fs::copy(TheRun(), run_, fs::copy_options::recursive); }

  // Paths in what it says are shown with $ for the folder of the test.
  ProcessOutcome Export(const std::vector<std::string>& more = {}, const std::string& from = "run",
                        const ProcessSetup& setup = {}, const std::string& to = "onnx") const {
    ProcessOutcome outcome =
        Weir(Joined({"export", (scratch_ / from).string(), "--to", to}, more), setup);
    outcome.out = scratch_.Shortened(outcome.out);
    outcome.err = scratch_.Shortened(outcome.err);
    return outcome;
  }

  static std::vector<std::string> Names(const fs::path& folder) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder)) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  const ScratchFolder scratch_;
  const fs::path run_ = scratch_ / "run";
};

TEST_F(ExportTest, WritesTheSameFileBesideTheModelOrWhereItIsTold) {
  const ProcessOutcome outcome = Export();
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out,
              ContainsRegex("^\\$/run/model.onnx: ONNX, opset 18, [0-9.]+ MB; images uint8 "
                            "\\[N, 32, 32, 3\\], probabilities float32 \\[N, [0-9]+\\]\n$"));
  EXPECT_EQ(outcome.err, "");
  const std::string first = FileText(run_ / "model.onnx");
  EXPECT_EQ(Export({"--out", (scratch_ / "there.onnx").string()}).status, 0);
  EXPECT_EQ(FileText(scratch_ / "there.onnx"), first);
}

TEST_F(ExportTest, TakesTheFolderOfTheModelToo) {
  EXPECT_THAT(Export({}, "run/model").out, StartsWith("$/run/model.onnx: "))
      << "model/ of a run is replaced as a whole, and nothing else is put there";
  fs::rename(run_ / "model", scratch_ / "moved");
  EXPECT_THAT(Export({}, "moved").out, StartsWith("$/moved/model.onnx: "));
  EXPECT_EQ(FileText(scratch_ / "moved/model.onnx"), FileText(run_ / "model.onnx"));
}

TEST_F(ExportTest, SaysWhatItIsFed) {
  EXPECT_THAT(Export({"--input", "any-size"}).out, HasSubstr("images uint8 [N, height, width, 3]"));
  EXPECT_THAT(Export({"--input", "float", "--force"}).out,
              HasSubstr("images float32 [N, 3, 32, 32]"));
  const ProcessOutcome wrong = Export({"--input", "jpeg"});
  EXPECT_EQ(wrong.status, 2);
  EXPECT_THAT(wrong.err, HasSubstr("uint8"));
}

TEST_F(ExportTest, RefusesAFileThatIsThereUnlessItIsToldTo) {
  std::ofstream(run_ / "model.onnx") << "mine";
  const ProcessOutcome refused = Export();
  EXPECT_EQ(refused.status, 2);
  EXPECT_EQ(refused.err,
            "weir: $/run/model.onnx is there already\n"
            "  Give another file with --out, or --force to replace it.\n");
  EXPECT_EQ(FileText(run_ / "model.onnx"), "mine");
  EXPECT_EQ(Export({"--force"}).status, 0);
  EXPECT_GT(fs::file_size(run_ / "model.onnx"), 1'000'000);
}

TEST_F(ExportTest, RefusesWhatIsNoRun) {
  const ProcessOutcome missing = Export({}, "nowhere");
  EXPECT_EQ(missing.status, 4);
  EXPECT_THAT(missing.err, StartsWith("weir: $/nowhere is not the folder of a run\n"));
  fs::remove_all(run_ / "model");
  EXPECT_THAT(Export().err, StartsWith("weir: $/run has no model yet: the run was not finished\n"));
}

TEST_F(ExportTest, SuggestsTheFormatThatWasMeant) {
  const ProcessOutcome outcome = Weir({"export", run_.string(), "--to", "onx"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err,
              StartsWith("weir: --to `onx`: there is no such format; did you mean `onnx`?\n"
                         "  What there is: onnx"));
}

TEST_F(ExportTest, NamesWhatIsDamagedAndLeavesNothingBehind) {
  const std::vector<std::string> before = Names(run_);
  fs::resize_file(run_ / "model/model.safetensors", 100'000);
  const ProcessOutcome cut = Export();
  EXPECT_EQ(cut.status, 4);
  EXPECT_THAT(cut.err, StartsWith("weir: $/run/model/model.safetensors"));
  std::ofstream(run_ / "model/model.json") << "{";
  const ProcessOutcome broken = Export();
  EXPECT_EQ(broken.status, 4);
  EXPECT_THAT(broken.err, StartsWith("weir: $/run/model/model.json: it "));
  EXPECT_EQ(Names(run_), before);
}

TEST_F(ExportTest, LeavesNothingHalfWhereTheDiskIsFull) {
  const std::vector<std::string> before = Names(run_);
  for (const ExportFormat* format : ExportFormats()) {
    const ProcessOutcome outcome = Export({}, "run",
                                          {.in_child =
                                               [] {
                                                 const rlimit limit{1 << 20, 1 << 20};
                                                 setrlimit(RLIMIT_FSIZE, &limit);
                                               }},
                                          std::string(format->name));
    EXPECT_EQ(outcome.status, 4);
    EXPECT_THAT(outcome.err, StartsWith("weir: $/run/" + std::string(format->file_name) +
                                        ": cannot be written: File too large\n"));
    EXPECT_EQ(Names(run_), before);
  }
}

TEST_F(ExportTest, PrintsTheProgramThatLoadsWeights) {
  const ProcessOutcome outcome = Export({}, "run", {}, "keras");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  EXPECT_THAT(outcome.out, ContainsRegex("^\\$/run/model.weights.h5: weights for Keras 3, [0-9.]+ "
                                         "MB; they are loaded by\n\nimport keras\n"));
  EXPECT_THAT(outcome.out, HasSubstr("alpha=0.35, input_shape=(32, 32, 3))\n"));
  EXPECT_THAT(outcome.out, EndsWith("\nmodel.load_weights(\"$/run/model.weights.h5\")\n\n"));
}

TEST_F(ExportTest, WritesTheFileForTorchvisionThatItsNameAsksFor) {
  const ProcessOutcome usual = Export({}, "run", {}, "torchvision");
  EXPECT_THAT(usual.out, StartsWith("$/run/model.pth: weights for torchvision, "));
  EXPECT_THAT(usual.out, HasSubstr("torch.load(\"$/run/model.pth\", weights_only=True)"));
  EXPECT_THAT(FileText(run_ / "model.pth"), StartsWith("PK"));
  const fs::path other = scratch_ / "model.safetensors";
  EXPECT_THAT(Export({"--out", other.string()}, "run", {}, "torchvision").out,
              HasSubstr("safetensors.torch.load_file(\"$/model.safetensors\")"));
  EXPECT_THAT(FileText(other), HasSubstr("\"classifier.1.weight\""));
  EXPECT_THAT(Export({"--out", (scratch_ / "model.bin").string()}, "run", {}, "torchvision").err,
              StartsWith("weir: --out $/model.bin: a file of --to torchvision ends in .pth or "
                         ".safetensors\n"));
}

TEST_F(ExportTest, RefusesWhatSaysNothingToWeights) {
  const std::string advice =
      "  Leave it out: a program of others feeds and computes the network.\n";
  for (const std::vector<std::string>& options :
       {std::vector<std::string>{"--input", "uint8"}, std::vector<std::string>{"--keep-batch-norm"},
        std::vector<std::string>{"--precision", "int8"}}) {
    const ProcessOutcome outcome = Export(options, "run", {}, "keras");
    EXPECT_EQ(outcome.status, 2);
    const std::string option =
        options[0] == "--precision" ? options[0] + " " + options[1] : options[0];
    EXPECT_EQ(outcome.err, "weir: " + option +
                               ": --to keras writes the weights alone, in float32 and as they "
                               "were learnt\n" +
                               advice);
  }
  EXPECT_EQ(Export({"--precision", "float32"}, "run", {}, "keras").status, 0);
}

TEST_F(ExportTest, RefusesAnEndingByWhichOthersWouldReadTheFileWrongly) {
  const ProcessOutcome outcome =
      Export({"--out", (scratch_ / "model.h5").string()}, "run", {}, "keras");
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err,
            "weir: --out $/model.h5: a file of --to keras ends in .weights.h5\n"
            "  Others tell by the name how to read it.\n");
}

TEST_F(ExportTest, RefusesToResizeWhereTheRunCuts) {
  std::string config = FileText(run_ / "config.yaml");
  const std::string resize = "augment:";
  const std::size_t at = config.find(resize);
  ASSERT_NE(at, std::string::npos) << config;
  const std::size_t end = config.find("\n  - ", at);
  std::ofstream(run_ / "config.yaml")
      << config.replace(at, end - at, "center_crop:\n      size: [32, 32]");
  const ProcessOutcome outcome = Export({"--input", "any-size"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err,
            "weir: --input any-size resizes whole pictures, and the run cuts a part out of them "
            "(center_crop)\n"
            "  Leave --input out, and feed the model pictures that are cut and resized.\n");
  EXPECT_EQ(Export().status, 0);
}

TEST_F(ExportTest, WritesTensorFlowLiteWithTheChannelsLast) {
  const auto export_tflite = [this](const std::vector<std::string>& more = {}) {
    ProcessOutcome outcome =
        Weir(Joined({"export", run_.string(), "--to", "tflite", "--force"}, more));
    outcome.out = scratch_.Shortened(outcome.out);
    return outcome;
  };
  const ProcessOutcome bytes = export_tflite();
  EXPECT_EQ(bytes.status, 0) << bytes.err;
  EXPECT_THAT(bytes.out,
              ContainsRegex("^\\$/run/model.tflite: TensorFlow Lite, schema version 3, [0-9.]+ MB; "
                            "images uint8 \\[N, 32, 32, 3\\], probabilities float32 "
                            "\\[N, [0-9]+\\]\n$"));
  const std::string first = FileText(run_ / "model.tflite");
  EXPECT_EQ(first.substr(4, 4), "TFL3");
  EXPECT_THAT(first, HasSubstr("labels.txt"));
  EXPECT_EQ(export_tflite().status, 0);
  EXPECT_EQ(FileText(run_ / "model.tflite"), first);
  EXPECT_THAT(export_tflite({"--input", "float"}).out,
              HasSubstr("images float32 [N, 32, 32, 3], probabilities"));
  const ProcessOutcome any_size = export_tflite({"--input", "any-size"});
  EXPECT_EQ(any_size.status, 2);
  EXPECT_EQ(any_size.err,
            "weir: --input any-size: TensorFlow Lite resizes without antialiasing, and a model "
            "learns from pictures that are shrunk with it\n"
            "  Leave --input out, and feed the model pictures of its size.\n");
}

TEST_F(ExportTest, WritesTorchScriptForWhateverItIsFed) {
  const ProcessOutcome bytes = Export({}, "run", {}, "torchscript");
  EXPECT_EQ(bytes.status, 0) << bytes.err;
  EXPECT_THAT(bytes.out,
              ContainsRegex("^\\$/run/model.pt: TorchScript, for PyTorch 1.13 and newer, [0-9.]+ "
                            "MB; images uint8 \\[N, 32, 32, 3\\], probabilities float32 "
                            "\\[N, [0-9]+\\]\n$"));
  const std::string first = FileText(run_ / "model.pt");
  EXPECT_EQ(Export({"--force"}, "run", {}, "torchscript").status, 0);
  EXPECT_EQ(FileText(run_ / "model.pt"), first);
  EXPECT_THAT(Export({"--input", "any-size", "--force"}, "run", {}, "torchscript").out,
              HasSubstr("images uint8 [N, height, width, 3]"));
  EXPECT_THAT(Export({"--input", "float", "--force"}, "run", {}, "torchscript").out,
              HasSubstr("images float32 [N, 3, 32, 32]"));
  EXPECT_EQ(Export({"--keep-batch-norm", "--force"}, "run", {}, "torchscript").status, 0);
  EXPECT_THAT(FileText(run_ / "model.pt"), HasSubstr("torch.batch_norm("));
}

TEST_F(ExportTest, RefusesInt8WhereItWasNotMeasured) {
  EXPECT_EQ(
      Export({"--precision", "int8"}).err,
      "weir: --precision int8 needs to know the maps of the backbone, which were not measured "
      "when this model was trained\n"
      "  Leave it out, or train with features: {precision: int8}.\n");
  EXPECT_EQ(Export({"--precision", "float32"}).status, 0);
}

TEST_F(ExportTest, SaysThatACheckNeedsPython) {
  const ProcessSetup without{.environment = {"PATH=/nowhere"}};
  const ProcessOutcome outcome = Export({"--check", DrawnPictures<8>().string()}, "run", without);
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err,
            "weir: --check runs what is exported in Python, with onnxruntime: there is no python3\n"
            "  Install it (python3 -m pip install onnxruntime), or leave --check out: weir itself "
            "needs no Python.\n");
  EXPECT_FALSE(fs::exists(run_ / "model.onnx")) << "it says so before it writes";
  EXPECT_EQ(Export({}, "run", without).status, 0);
}

TEST(ExportHelp, HasExamples) {
  const ProcessOutcome outcome = Weir({"export", "--help"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("Examples:\n  weir export first --to onnx\n"),
                    HasSubstr("\n  weir export first --to onnx --input any-size --out photos.onnx "
                              "--check photos/\n"),
                    HasSubstr("\n  weir export first --to tflite\n"),
                    HasSubstr("\n  weir export first --to torchscript\n"),
                    HasSubstr("--keep-batch-norm"), HasSubstr("--force"), HasSubstr("--check")));
}

}  // namespace
}  // namespace weir
