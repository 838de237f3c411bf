// `weir lr-find`: what is printed and drawn, and how it ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
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
using ::testing::HasSubstr;

// The demo's backbone with a new head on few pictures, which takes a second.
std::vector<std::string> LrFind(const ScratchFolder& folder,
                                const std::vector<std::string>& more = {}) {
  return DrawnDemo<12>(
      "lr-find", Joined({"--set", "pipeline.batch.size=16", "--set", "model.frozen=all", "--out",
                         (folder / "lr_find.png").string()},
                        more));
}

// What is in a folder and below.
std::vector<std::string> Contents(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    names.push_back(entry.path().lexically_relative(folder).string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

TEST(LrFind, SuggestsARateThatIsNeitherTooSmallNorTooLarge) {
  const ScratchFolder folder;
  const auto pictures = Contents(DrawnPictures<12>());
  const ProcessOutcome outcome = Weir(LrFind(folder, {"--json"}));
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const auto json = nlohmann::json::parse(outcome.out);
  const auto& steps = json["steps"];
  ASSERT_GE(steps.size(), 50u) << "several passes: an epoch has 4 steps";
  EXPECT_NEAR(steps[0]["learning_rate"].get<double>(), 1e-7, 1e-15);
  for (std::size_t i = 1; i < steps.size(); ++i) {
    const double factor =
        steps[i]["learning_rate"].get<double>() / steps[i - 1]["learning_rate"].get<double>();
    EXPECT_NEAR(factor, std::pow(1e8, 1.0 / 99), 1e-9);
  }
  const double suggested = json["suggested_learning_rate"];
  EXPECT_GE(suggested, 1e-5);
  EXPECT_LE(suggested, 0.1);
  EXPECT_LE(suggested, json["steepest_learning_rate"].get<double>());
  EXPECT_LE(suggested, json["lowest_loss_learning_rate"].get<double>() / 10 * (1 + 1e-12));

  const std::string png = FileText(folder / "lr_find.png");
  EXPECT_EQ(png.substr(0, 8), "\x89PNG\r\n\x1a\n");
  EXPECT_EQ(Contents(folder.path()), std::vector<std::string>{"lr_find.png"});
  EXPECT_EQ(Contents(DrawnPictures<12>()), pictures);
}

TEST(LrFind, PrintsATableAndOneNumber) {
  const ScratchFolder folder;
  const ProcessOutcome outcome = Weir(LrFind(folder, {"--steps", "60"}));
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, testing::ContainsRegex("\n +1 +1e-07 +[0-9.]+ +[0-9.]+\n +4 "));
  EXPECT_THAT(outcome.out,
              testing::ContainsRegex("\nthe loss falls fastest at [-0-9.e]+; it is lowest at "
                                     "[-0-9.e]+, a tenth of which is the most to take: "
                                     "[-0-9.e]+\nsuggested learning rate: [-0-9.e]+ \\(--set "
                                     "training.optimizer.adam.learning_rate=[-0-9.e]+\\)\nplot: "));
}

TEST(LrFind, GivesTheSameCurveForAnyNumberOfThreads) {
  const ScratchFolder folder;
  const auto curve = [&](const std::string& threads, const std::string& memory) {
    const ProcessOutcome outcome = Weir(LrFind(
        folder, {"--json", "--steps", "20", "--set", "threads=" + threads, "--memory", memory}));
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return outcome.out;
  };
  EXPECT_EQ(curve("1", "150MiB"), curve("3", "400MiB"));
}

TEST(LrFind, IsRefusedWhereItDoesNotFit) {
  const ScratchFolder folder;
  const ProcessOutcome outcome = Weir(LrFind(folder, {"--memory", "40MiB"}));
  EXPECT_EQ(outcome.status, 3);
  EXPECT_THAT(outcome.err, HasSubstr("does not fit in 40.0 MiB"));
  EXPECT_TRUE(Contents(folder.path()).empty());
}

TEST(LrFind, SaysWhereNoRateCanBeSuggested) {
  const ScratchFolder folder;
  const ProcessOutcome outcome =
      Weir(LrFind(folder, {"--from", "1e-20", "--to", "2e-20", "--steps", "20"}));
  EXPECT_EQ(outcome.status, 2) << outcome.out;
  EXPECT_EQ(outcome.err,
            "weir: no learning rate can be suggested: the loss did not fall by a twentieth\n"
            "  Give more --steps, or a lower --from.\n");
  EXPECT_TRUE(fs::exists(folder / "lr_find.png"));
}

TEST(LrFind, RefusesARangeThatDoesNotRise) {
  const ScratchFolder folder;
  const ProcessOutcome outcome = Weir(LrFind(folder, {"--from", "1", "--to", "0.1"}));
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err,
            "weir: --from is 1, not below --to, which is 0.1\n"
            "  Give a lower one, or a higher --to.\n");
}

TEST(LrFind, IsRefusedBeforeItLearnsWhereThePlotCannotBeWritten) {
  const ScratchFolder folder;
  folder.Write("lr_find.png/picture", "no file has this place");
  const ProcessOutcome outcome = Weir(LrFind(folder));
  EXPECT_EQ(outcome.status, 4);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, HasSubstr((folder / "lr_find.png").string()));
}

TEST(LrFind, EndsWhenItIsInterrupted) {
  const ScratchFolder folder;
  WeirProcess process(LrFind(folder, {"--steps", "100000", "--to", "1e-6"}));
  process.ReadUntil("learning rates from 1e-07 to 1e-06, in at most 100000 steps");
  process.Signal(SIGINT);
  const ProcessOutcome outcome = process.Wait();
  EXPECT_EQ(outcome.status, 130);
  EXPECT_EQ(outcome.err, "weir: interrupted\n");
  EXPECT_TRUE(Contents(folder.path()).empty());
}

}  // namespace
}  // namespace weir
