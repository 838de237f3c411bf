// libweir_torch.so, which what learns is in: what goes without it, and what is said where it is not
// there, or is of another build.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/pipelines/training_run.h"
#include "tests/support/scoped_variable.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

// The program begins with half of them, and LibTorch takes 400 MiB.
constexpr rlim_t kFewAddresses = rlim_t{400} << 20;

// A weir in a folder of its own, beside which no library lies.
class TorchLibraryTest : public TrainingRun {
 protected:
  TorchLibraryTest() : config_(Write("job", "{epochs: 1}").string()) {
    fs::create_directory(scratch_ / "bin");
    fs::copy_file(WEIR_BINARY, scratch_ / "bin/weir");
  }

  ProcessOutcome Alone(const std::vector<std::string>& arguments) const {
    const ScopedVariable other("WEIR_BINARY", (scratch_ / "bin/weir").c_str());
    return Weir(arguments);
  }
  std::string Refusal() const {
    const ProcessOutcome outcome = Alone({"run", config_, "--out", (scratch_ / "new").string()});
    EXPECT_EQ(outcome.status, 2);
    EXPECT_FALSE(fs::exists(scratch_ / "new"));
    return scratch_.Shortened(outcome.err);
  }

  static constexpr const char* kRemedy =
      "\n  Put the libweir_torch.so that was built with this weir beside it, or install weir "
      "anew.\n";
  const std::string config_;
};

TEST_F(TorchLibraryTest, IsOpenedWhereSomethingLearnsAlone) {
  const std::string run = (scratch_ / "run").string();
  ASSERT_EQ(Weir({"run", config_, "--out", run}).status, 0);
  const std::string pictures = DrawnPictures<8>().string();
  const std::string predicted = Weir({"predict", run, pictures, "--csv"}).out;
  EXPECT_EQ(Alone({"predict", run, pictures, "--csv"}).out, predicted);
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"--help"},
           {"stages", "train"},
           {"stages", "training"},
           {"schema"},
           {"explain", run},
           {"preview", config_, "--out", (scratch_ / "sheet.png").string()},
           {"export", run, "--to", "onnx", "--out", (scratch_ / "model.onnx").string()},
           {"draw", (scratch_ / "pictures").string(), "--per-class", "1"}}) {
    const ProcessOutcome outcome = Alone(command);
    EXPECT_EQ(outcome.status, 0) << command.front() << ": " << outcome.err;
  }
}

TEST_F(TorchLibraryTest, IsMissedInWords) {
  EXPECT_EQ(
      Refusal(),
      std::string("weir: there is no libweir_torch.so beside this weir, which learns with it") +
          kRemedy);
}

TEST_F(TorchLibraryTest, MayLieInLib) {
  fs::create_directory(scratch_ / "lib");
  fs::copy_file(WEIR_TORCH_LIBRARY, scratch_ / "lib/libweir_torch.so");
  EXPECT_EQ(Alone({"plan", config_}).status, 0);
}

TEST_F(TorchLibraryTest, IsRefusedWhereItIsOfAnotherBuild) {
  fs::copy_file(WEIR_OTHER_TORCH_LIBRARY, scratch_ / "bin/libweir_torch.so");
  EXPECT_THAT(Refusal(), StartsWith("weir: $/bin/libweir_torch.so is of another build of weir "
                                    "(interface another, not headers "));
  EXPECT_THAT(Refusal(), HasSubstr(kRemedy));
}

TEST_F(TorchLibraryTest, IsRefusedWhereItIsDamaged) {
  scratch_.Write("bin/libweir_torch.so", "not a library");
  EXPECT_EQ(Refusal(), std::string("weir: the training side cannot be loaded: "
                                   "$/bin/libweir_torch.so: file too short") +
                           kRemedy);
}

TEST_F(TorchLibraryTest, IsRefusedWhereThereIsNoMemoryForIt) {
  const ProcessOutcome outcome = Weir({"plan", config_}, {.in_child = [] {
                                        const rlimit addresses{kFewAddresses, kFewAddresses};
                                        setrlimit(RLIMIT_AS, &addresses);
                                      }});
  EXPECT_EQ(outcome.status, 3);
  EXPECT_THAT(outcome.err, StartsWith("weir: the training side cannot be loaded: libtorch_cpu.so"));
  EXPECT_THAT(outcome.err, HasSubstr(": there is no memory for it\n  Free memory on this machine"));
}

}  // namespace
}  // namespace weir
