#include "pipelines/record/kept_model.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "framework/error.h"
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
    if (!fs::exists(folder / "epoch")) throw Error(ErrorKind::kData, "it cannot be read");
    return std::stoi(FileText(folder / "epoch"));
  }
  int Model() const { return fs::exists(scratch_ / "model") ? EpochOf(scratch_ / "model") : 0; }
  std::string Recovered(int epoch) const { return kept_.Recover(epoch, EpochOf); }
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
  EXPECT_EQ(Recovered(1), "");
  EXPECT_EQ(Model(), 1);
  EXPECT_TRUE(IsTidy());
}

TEST_F(KeptModelFolderTest, KilledBeforeItIsInItsPlaceItIsPutThere) {
  Stage(1);
  kept_.Publish(1);
  Stage(3);
  EXPECT_EQ(Recovered(3), "");
  EXPECT_EQ(Model(), 3);
  EXPECT_TRUE(IsTidy());
}

TEST_F(KeptModelFolderTest, KilledBeforeTheEarlierIsRemovedTheLaterStays) {
  Stage(3);
  kept_.Publish(3);
  Stage(1);
  fs::rename(scratch_ / "checkpoint/kept-1", scratch_ / "checkpoint/kept-3");
  EXPECT_EQ(Recovered(3), "");
  EXPECT_EQ(Model(), 3);
  EXPECT_TRUE(IsTidy());
}

TEST_F(KeptModelFolderTest, WithoutAnExchangeKilledBetweenItsStepsItIsPutThere) {
  Stage(1);
  fs::rename(scratch_ / "checkpoint/kept-1", scratch_ / "checkpoint/replaced");
  Stage(3);
  EXPECT_EQ(Recovered(3), "");
  EXPECT_EQ(Model(), 3);
  EXPECT_TRUE(IsTidy());
}

TEST_F(KeptModelFolderTest, KilledWhileTheEarlierIsRemovedTheLaterStays) {
  Stage(3);
  kept_.Publish(3);
  fs::create_directory(scratch_ / "checkpoint/kept-3");  // what is left of the earlier one
  EXPECT_EQ(Recovered(3), "");
  EXPECT_EQ(Model(), 3);
  EXPECT_TRUE(IsTidy());
}

TEST_F(KeptModelFolderTest, WhatCannotBeReadNowIsLeftWhereItIs) {
  Stage(1);
  kept_.Publish(1);
  Stage(3);
  const fs::path staged = scratch_ / "checkpoint/kept-3";
  fs::rename(staged / "epoch", staged / "unreadable");
  EXPECT_EQ(Recovered(3),
            "it holds that of epoch 1; and in " + staged.string() + ": it cannot be read");
  EXPECT_EQ(Model(), 1);
  fs::rename(staged / "unreadable", staged / "epoch");
  EXPECT_EQ(Recovered(3), "");
  EXPECT_EQ(Model(), 3);
  EXPECT_TRUE(IsTidy());
}

TEST_F(KeptModelFolderTest, SaysWhyTheModelIsNotInItsPlace) {
  Stage(1);
  kept_.Publish(1);
  EXPECT_EQ(Recovered(2), "it holds that of epoch 1");
  fs::remove_all(scratch_ / "model");
  EXPECT_EQ(Recovered(2), "it cannot be read");
  EXPECT_EQ(Recovered(0), "") << "the last is kept, and there is none yet";
}

}  // namespace
}  // namespace weir
