#include "stages/train/torch/torch_operators.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/eye.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <string>

namespace weir {
namespace {

using ::testing::HasSubstr;

std::size_t RegisteredOperators() { return c10::Dispatcher::singleton().getAllOpNames().size(); }

// What this program's test of that name prints when it is started anew with every operator.
std::string WithEveryOperator(const std::string& test) {
  const std::string command = "WEIR_TORCH_OPERATORS=all '" +
                              std::filesystem::read_symlink("/proc/self/exe").string() +
                              "' --gtest_filter=" + test;
  std::FILE* output = popen(command.c_str(), "r");
  std::string said;
  for (std::array<char, 256> part{}; std::fgets(part.data(), part.size(), output) != nullptr;) {
    said += part.data();
  }
  pclose(output);
  return said;
}

TEST(TorchOperators, KnowsAnOperatorInEachOfItsForms) {
  EXPECT_TRUE(IsTorchOperatorOfWeir("add"));
  EXPECT_TRUE(IsTorchOperatorOfWeir("aten::add_.Tensor"));
  EXPECT_TRUE(IsTorchOperatorOfWeir("add.out"));
  EXPECT_FALSE(IsTorchOperatorOfWeir("aten::eye"));
  EXPECT_FALSE(IsTorchOperatorOfWeir("quantized::add"));
  EXPECT_FALSE(IsTorchOperatorOfWeir(""));
}

TEST(TorchOperators, AreThoseOfWeirAlone) {
  if (RegistersAllTorchOperators()) GTEST_SKIP() << "this process has every operator";
  EXPECT_LT(RegisteredOperators(), 600U);
  EXPECT_GT(RegisteredOperators(), 100U);
}

TEST(TorchOperators, AreAllWhereTheEnvironmentAsks) {
  if (!RegistersAllTorchOperators()) {
    const std::string said = WithEveryOperator("TorchOperators.AreAllWhereTheEnvironmentAsks");
    EXPECT_THAT(said, HasSubstr("[  PASSED  ] 1 test"));
    return;
  }
  EXPECT_GT(RegisteredOperators(), 3000U);
  EXPECT_EQ(at::eye(3).numel(), 9);
}

TEST(TorchOperators, ThatIsLeftOutSaysHowToHaveIt) {
  if (RegistersAllTorchOperators()) GTEST_SKIP() << "this process has every operator";
  try {
    at::eye(3);
    FAIL() << "an operator outside the list is there";
  } catch (const c10::Error& error) {
    EXPECT_THAT(
        error.what_without_backtrace(),
        HasSubstr("weir leaves LibTorch's operator aten::eye out, to save memory; start it "
                  "with WEIR_TORCH_OPERATORS=all in its environment to have every operator, "
                  "for 43 MiB"));
  }
}

}  // namespace
}  // namespace weir
