// libweir beside `weir predict`: the same bits for the same picture.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "pipelines/library/weir.hpp"
#include "tests/support/drawn_pictures.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/training_job.h"
#include "tests/support/weir_process.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

class LibraryBesidePredict : public testing::Test {
 protected:
  // Trains with those stages between the directory and the batches; gives the folder of the run.
  fs::path Trained(const std::string& name, const std::vector<std::string>& picture_stages,
                   const std::vector<std::string>& more = {}) const {
    const fs::path config = scratch_.Write(
        name + ".yaml", TrainingYaml({.source = "directory: {path: " + DrawnPictures<8>().string() +
                                                ", validation_split: 0.25}",
                                      .picture_stages = picture_stages,
                                      .hidden_layers = "dense: {units: 16, activation: relu}, "}));
    const ProcessOutcome outcome =
        Weir(Joined({"run", config.string(), "--out", (scratch_ / name).string()}, more));
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return scratch_ / name;
  }

  // Compares all probabilities of all drawn pictures.
  static void ExpectTheSame(const fs::path& run) {
    const ProcessOutcome outcome =
        Weir({"predict", run.string(), DrawnPictures<8>().string(), "--json", "--top", "99"});
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    const libweir::Model model((run / "model").string(), std::size_t{64} << 20);
    const libweir::Workspace workspace(model);
    std::istringstream lines(outcome.out);
    int pictures = 0;
    for (std::string line; std::getline(lines, line); ++pictures) {
      const auto row = nlohmann::json::parse(line);
      const std::vector<float> probabilities = workspace.Classify(row["path"].get<std::string>());
      const auto top = model.Top(probabilities, static_cast<int>(probabilities.size()));
      ASSERT_EQ(row["predictions"].size(), top.size());
      for (std::size_t i = 0; i < top.size(); ++i) {
        EXPECT_EQ(row["predictions"][i]["class"], top[i].name);
        EXPECT_EQ(row["predictions"][i]["probability"].get<float>(), top[i].probability);
      }
    }
    EXPECT_EQ(pictures, 48);
  }

  const ScratchFolder scratch_;
};

TEST_F(LibraryBesidePredict, GivesTheSameBits) {
  ExpectTheSame(Trained("plain", {"augment: {size: [32, 32], zoom: 0.3, horizontal_flip: true}"}));
}

TEST_F(LibraryBesidePredict, GivesTheSameBitsWhereTheBackboneLearns) {
  ExpectTheSame(Trained("unfrozen", {"augment: {size: [32, 32]}"}, {"--set", "model.frozen=none"}));
}

TEST_F(LibraryBesidePredict, GivesTheSameBitsBehindCropsAndColours) {
  ExpectTheSame(Trained("cropped", {"augment: {size: [48, 40]}", "center_crop: {size: 32}",
                                    "color_jitter: {brightness: 0.2}", "random_erasing: {}"}));
  ExpectTheSame(Trained("resized", {"random_resized_crop: {size: 32}", "grayscale: {}"}));
}

}  // namespace
}  // namespace weir
