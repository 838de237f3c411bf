// `precision: int8`, seen from outside: what is measured first, what is left behind, what is
// refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/drawn_pictures.h"
#include "tests/support/file_text.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/weir_process.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kNoVnni = "precision: int8 needs a CPU with VNNI";

constexpr int kPerClass = 24;

std::string Pictures() { return DrawnPictures<kPerClass>().string(); }

class Int8Test : public ::testing::Test {
 protected:
  void SetUp() override {
    const ProcessOutcome plan = Weir(Demo("plan"));
    if (plan.err.find(kNoVnni) != std::string::npos) GTEST_SKIP() << "this CPU has no VNNI";
    ASSERT_EQ(plan.status, 0) << plan.err;
  }

  // The demo with its backbone frozen throughout, in int8.
  std::vector<std::string> Demo(const std::string& command,
                                const std::vector<std::string>& more = {}) const {
    return DrawnDemo<kPerClass>(
        command, Joined({"--set", "model.frozen=all", "--set", "training.epochs=2", "--set",
                         "pipeline.features.precision=int8"},
                        more));
  }
  ProcessOutcome TryRun(const std::string& out, std::vector<std::string> more = {}) const {
    more.insert(more.end(), {"--out", (scratch_ / out).string()});
    return Weir(Demo("run", more));
  }
  void Run(const std::string& out, const std::vector<std::string>& more = {}) const {
    const ProcessOutcome outcome = TryRun(out, more);
    ASSERT_EQ(outcome.status, 0) << outcome.out << outcome.err;
  }
  std::string File(const std::string& out, const std::string& name) const {
    return FileText(scratch_ / out / name);
  }
  double Accuracy(const std::string& out, const std::vector<std::string>& more = {}) const {
    const ProcessOutcome outcome =
        Weir(Joined({"evaluate", (scratch_ / out).string(), Pictures(), "--json"}, more));
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return nlohmann::json::parse(outcome.out)["accuracy"];
  }

  ScratchFolder scratch_;
};

TEST_F(Int8Test, LearnsAsFloat32DoesAndPredictsWithWhatItMeasured) {
  const std::vector<std::string> longer = {"--set", "training.epochs=5"};
  Run("int8", longer);
  Run("float32", {longer[0], longer[1], "--set", "pipeline.features.precision=float32"});
  const double exact = Accuracy("float32");
  EXPECT_GT(exact, 0.5);
  EXPECT_NEAR(Accuracy("int8"), exact, 0.06);
  // The head knows the features of either.
  EXPECT_NEAR(Accuracy("int8", {"--set", "pipeline.features.precision=float32"}), exact, 0.06);
  EXPECT_TRUE(fs::exists(scratch_ / "int8/model/int8.safetensors"));
  EXPECT_FALSE(fs::exists(scratch_ / "float32/model/int8.safetensors"));

  const ProcessOutcome refused = Weir({"evaluate", (scratch_ / "float32").string(), Pictures(),
                                       "--set", "pipeline.features.precision=int8"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("which were not measured when this model was trained"),
                                 HasSubstr("Set precision: float32, or train it with")));
}

TEST_F(Int8Test, IsExportedAsItComputesOrInFloat32) {
  Run("run");
  const std::string run = (scratch_ / "run").string();
  const ProcessOutcome outcome = Weir({"export", run, "--to", "onnx"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("/model.onnx: ONNX, opset 18, int8, "));
  const ProcessOutcome exact =
      Weir({"export", run, "--to", "onnx", "--precision", "float32", "--keep-batch-norm", "--out",
            (scratch_ / "exact.onnx").string()});
  EXPECT_EQ(exact.status, 0) << exact.err;
  EXPECT_THAT(exact.out, Not(HasSubstr(", int8, ")));
  // Three quarters of the bytes of the backbone's 400,000 values.
  EXPECT_GT(fs::file_size(scratch_ / "exact.onnx"),
            fs::file_size(scratch_ / "run/model.onnx") + 1'000'000);
  const ProcessOutcome lite = Weir({"export", run, "--to", "tflite"});
  EXPECT_EQ(lite.status, 0) << lite.err;
  EXPECT_THAT(lite.out, HasSubstr("/model.tflite: TensorFlow Lite, schema version 3, int8, "));
  EXPECT_GT(fs::file_size(scratch_ / "exact.onnx"),
            fs::file_size(scratch_ / "run/model.tflite") + 900'000);
  const ProcessOutcome float_alone = Weir({"export", run, "--to", "torchscript"});
  EXPECT_EQ(float_alone.status, 2);
  EXPECT_EQ(float_alone.err,
            "weir: --to torchscript writes float32 alone, and this model computes in int8\n"
            "  Add --precision float32, or export it with --to onnx.\n");
  EXPECT_FALSE(fs::exists(scratch_ / "run/model.pt"));
  EXPECT_EQ(Weir({"export", run, "--to", "torchscript", "--precision", "float32"}).status, 0);
  const ProcessOutcome refused =
      Weir({"export", run, "--to", "onnx", "--keep-batch-norm", "--force"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_EQ(refused.err,
            "weir: --keep-batch-norm: int8 has batch norms folded\n"
            "  Leave it out, or add --precision float32.\n");
}

TEST_F(Int8Test, GivesTheSameModelAtAnyThreadCountAndCeilingAndAfterAResume) {
  Run("one", {"--set", "threads=1"});
  const std::string model = File("one", "model/model.safetensors");
  const std::string maps = File("one", "model/int8.safetensors");
  ASSERT_FALSE(model.empty() || maps.empty());
  const auto plan = nlohmann::json::parse(Weir(Demo("plan", {"--json", "--set", "threads=1"})).out);
  const std::string smallest =
      std::to_string((plan["smallest_bytes"].get<std::size_t>() >> 20) + 8) + "MiB";
  const std::vector<std::vector<std::string>> ways = {
      {"--set", "threads=4"}, {"--set", "threads=1", "--memory", smallest}, {"--memory", "1GiB"}};
  for (const std::vector<std::string>& way : ways) {
    const std::string out = "way" + std::to_string(&way - ways.data());
    Run(out, way);
    EXPECT_TRUE(File(out, "model/model.safetensors") == model) << way[1];
    EXPECT_TRUE(File(out, "model/int8.safetensors") == maps) << way[1];
  }

  {
    WeirProcess process(Demo("run", {"--out", (scratch_ / "stopped").string(), "--set",
                                     "training.checkpoint_interval=100ms"}));
    process.ReadUntil("epoch 1/2 train");
    process.Signal(SIGKILL);
    process.Wait();
  }
  Run("stopped", {"--resume"});
  EXPECT_TRUE(File("stopped", "model/model.safetensors") == model);
  EXPECT_TRUE(File("stopped", "model/int8.safetensors") == maps);
}

TEST_F(Int8Test, KeepsItsFeaturesApartFromThoseOfOtherMeasurements) {
  const std::vector<std::string> in_file = {
      "--set", "pipeline.features.cache=file", "--set",
      "pipeline.features.cache_folder=" + (scratch_ / "kept").string()};
  const auto files = [&] {
    const fs::directory_iterator kept(scratch_ / "kept");
    return std::distance(begin(kept), end(kept));
  };
  Run("first", in_file);
  const auto made = files();
  Run("again", in_file);
  EXPECT_EQ(files(), made);
  std::vector<std::string> other = in_file;
  other.insert(other.end(), {"--set", "seed=3"});  // other pictures come first
  Run("other", other);
  EXPECT_GT(files(), made);
}

TEST_F(Int8Test, TellsWhatItTakesToMeasure) {
  const ProcessOutcome plan = Weir(Demo("plan"));
  EXPECT_THAT(plan.out, ContainsRegex("\nTo measure the maps for int8 before it begins: [0-9.]+ "
                                      "MiB, at least [0-9.]+ MiB.\n"));
  EXPECT_THAT(Weir(Demo("plan", {"--set", "pipeline.features.precision=float32"})).out,
              Not(HasSubstr("To measure")));
  const auto json = nlohmann::json::parse(Weir(Demo("plan", {"--json"})).out);
  EXPECT_GE(json["smallest_bytes"], json["calibration"]["smallest_bytes"]);
  const std::size_t too_little = (json["smallest_bytes"].get<std::size_t>() >> 20) - 8;
  const ProcessOutcome refused = TryRun("small", {"--memory", std::to_string(too_little) + "MiB"});
  EXPECT_EQ(refused.status, 3);
  EXPECT_FALSE(fs::exists(scratch_ / "small"));
}

TEST_F(Int8Test, NeedsABackboneThatIsFrozenThroughout) {
  const ProcessOutcome outcome = TryRun("some", {"--set", "model.frozen={through: block_12}"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("precision: int8 needs a backbone that is frozen"),
                                 HasSubstr("Set model.frozen: all, or precision: float32.")));
  EXPECT_FALSE(fs::exists(scratch_ / "some"));
}

TEST_F(Int8Test, SaysWhereNotOnePictureCanBeMeasured) {
  // Headers are whole, so that only decoding shows what is wrong.
  fs::copy(Pictures(), scratch_ / "torn", fs::copy_options::recursive);
  for (const auto& entry : fs::recursive_directory_iterator(scratch_ / "torn")) {
    if (entry.is_regular_file()) fs::resize_file(entry.path(), entry.file_size() / 2);
  }
  const ProcessOutcome outcome =
      TryRun("none", {"--set", "pipeline.directory.path=" + (scratch_ / "torn").string()});
  EXPECT_EQ(outcome.status, 4);
  EXPECT_THAT(outcome.err, HasSubstr("not one picture of the train split could be used"));
  EXPECT_FALSE(fs::exists(scratch_ / "none"));
}

TEST(Int8WithoutVnni, IsRefusedInWords) {
  const ProcessOutcome outcome =
      Weir(DrawnDemo<kPerClass>(
               "plan", {"--set", "model.frozen=all", "--set", "pipeline.features.precision=int8"}),
           {.environment = {"ONEDNN_MAX_CPU_ISA=AVX2"}});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr(kNoVnni), HasSubstr("Set precision: float32.")));
}

}  // namespace
}  // namespace weir
