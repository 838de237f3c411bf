#include "pipelines/record/kept_model.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/caught_error.h"
#include "tests/support/file_text.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

class KeptModelFolderTest : public ::testing::Test {
 protected:
  KeptModelFolderTest() { fs::create_directory(scratch_ / "checkpoint"); }

  // The model of an epoch is its number here.
  void Stage(int epoch) const {
    kept_.Stage(epoch, [epoch](const fs::path& folder) {
      fs::create_directories(folder);
      std::ofstream(folder / "epoch") << epoch;
    });
  }
  static int EpochOf(const fs::path& folder) {
    return fs::exists(folder / "epoch") ? std::stoi(FileText(folder / "epoch")) : 0;
  }
  int Model() const { return EpochOf(scratch_ / "model"); }
  std::string Recovered(int epoch) const {
    return CaughtError([&] { kept_.Recover(epoch, EpochOf); });
  }
  static constexpr const char* kNothing = "nothing was thrown";
  bool IsTidy() const { return fs::is_empty(scratch_ / "checkpoint"); }

  const ScratchFolder scratch_;
  const KeptModelFolder kept_{scratch_ / "model", scratch_ / "checkpoint"};
};

TEST_F(KeptModelFolderTest, TheLaterModelTakesThePlaceOfTheEarlierAtOnce) {
  Stage(1);
  EXPECT_EQ(Model(), 0) << "not before it is published";
  kept_.Publish(1);
  EXPECT_EQ(Model(), 1);
  Stage(3);
  EXPECT_EQ(Model(), 1);
  kept_.Publish(3);
  EXPECT_EQ(Model(), 3);
  EXPECT_TRUE(IsTidy());
}

TEST_F(KeptModelFolderTest, KilledBeforeTheCheckpointTellsOfItTheEarlierModelStays) {
  Stage(1);
  kept_.Publish(1);
  Stage(3);
  EXPECT_EQ(Recovered(1), kNothing);
  EXPECT_EQ(Model(), 1);
  EXPECT_TRUE(IsTidy());
}

TEST_F(KeptModelFolderTest, KilledBeforeItIsInItsPlaceItIsPutThere) {
  Stage(1);
  kept_.Publish(1);
  Stage(3);
  EXPECT_EQ(Recovered(3), kNothing);
  EXPECT_EQ(Model(), 3);
  EXPECT_TRUE(IsTidy());
}

TEST_F(KeptModelFolderTest, KilledBeforeTheEarlierIsRemovedTheLaterStays) {
  Stage(3);
  kept_.Publish(3);
  Stage(1);
  fs::rename(scratch_ / "checkpoint/kept-1", scratch_ / "checkpoint/kept-3");
  EXPECT_EQ(Recovered(3), kNothing);
  EXPECT_EQ(Model(), 3);
  EXPECT_TRUE(IsTidy());
}

TEST_F(KeptModelFolderTest, WithoutAnExchangeKilledBetweenItsStepsItIsPutThere) {
  Stage(1);
  fs::rename(scratch_ / "checkpoint/kept-1", scratch_ / "checkpoint/replaced");
  Stage(3);
  EXPECT_EQ(Recovered(3), kNothing);
  EXPECT_EQ(Model(), 3);
  EXPECT_TRUE(IsTidy());
}

TEST_F(KeptModelFolderTest, AModelThatIsGoneIsTold) {
  Stage(1);
  kept_.Publish(1);
  const std::string gone =
      (scratch_ / "model").string() +
      " does not hold the model of epoch 2 any more, the best so far, which cannot be made again\n"
      "Put it back as it was, or begin anew in another folder.";
  EXPECT_EQ(Recovered(2), gone);
  fs::remove_all(scratch_ / "model");
  EXPECT_EQ(Recovered(2), gone);
  EXPECT_EQ(Recovered(0), kNothing) << "the last is kept, and there is none yet";
}

}  // namespace
}  // namespace weir
