#include "stages/sources/directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "framework/byte_size.h"
#include "stages/picture_lists.h"
#include "tests/stages/sources/directory_fixture.h"
#include "tests/stages/sources/listed_pass.h"
#include "tests/support/caught_error.h"
#include "tests/support/shared_data.h"

namespace weir {
namespace {

using testing::ElementsAre;

constexpr const char* kOneFolderAClass =
    "weir expects one sub-folder for each class, named after it, with its pictures inside.";

TEST_F(DirectoryTest, LabelsAreThePositionsOfTheSortedFolders) {
  AddClass("t/wasps", 1);
  AddClass("t/Bees", 1);
  AddClass("t/ants", 2);
  AddClass("t/.cache", 1);
  root_.Write("t/readme.jpg");
  Directory source = Make({.path = root_ / "t"});
  EXPECT_THAT(resources_.Find<Classes>()->names, ElementsAre("Bees", "ants", "wasps"));
  const ListedPass listed = RunPass(source, {.split = Split::kTest});
  EXPECT_THAT(listed.names, ElementsAre("Bees0.jpg", "ants0.jpg", "ants1.jpg", "wasps0.jpg"));
  EXPECT_THAT(listed.labels, ElementsAre(0, 1, 1, 2));
  EXPECT_THAT(listed.indices, ElementsAre(0, 1, 2, 3));
}

TEST_F(DirectoryTest, ListsAreToldApartByPathsAndLabelsWhereverTheFolderIs) {
  AddClass("t/ants", 5);
  AddClass("t/bees", 5);
  const auto lists = [this](const Directory::Params& params) {
    Make(params);
    return *resources_.Find<PictureLists>();
  };
  const Directory::Params params{.path = root_ / "t", .validation_split = 0.2};
  const PictureLists first = lists(params);
  EXPECT_THAT(first.training,
              testing::MatchesRegex("8 in another order each epoch, sha256 [0-9a-f]{16}"));
  EXPECT_THAT(first.validation, testing::MatchesRegex("2, sha256 [0-9a-f]{16}"));

  std::filesystem::create_directories(root_ / "deep");
  std::filesystem::rename(root_ / "t", root_ / "deep/moved");
  Directory::Params moved = params;
  moved.path = root_ / "deep/moved/";
  EXPECT_EQ(lists(moved).training, first.training);
  EXPECT_EQ(lists(moved).validation, first.validation);

  Directory::Params other = moved;
  other.shuffle = false;
  EXPECT_THAT(lists(other).training, testing::StartsWith("8 in one order, sha256 "));
  other = moved;
  other.stratified = true;
  EXPECT_NE(lists(other).training, first.training) << "as many, and others";
  other = moved;
  other.classes = std::vector<std::string>{"bees", "ants"};
  EXPECT_NE(lists(other).training, first.training) << "the same pictures with other labels";
  std::filesystem::rename(root_ / "deep/moved/ants/ants4.jpg", root_ / "deep/moved/ants/z.jpg");
  EXPECT_NE(lists(moved).training, first.training);
  EXPECT_EQ(lists(moved).validation, first.validation);
}

TEST_F(DirectoryTest, ClassesCanBeGivenInAnotherOrder) {
  AddClass("t/ants", 1);
  AddClass("t/bees", 1);
  AddClass("t/flies", 1);
  Directory source =
      Make({.path = root_ / "t", .classes = std::vector<std::string>{"flies", "ants"}});
  const ListedPass listed = RunPass(source, {.split = Split::kPredict});
  EXPECT_THAT(listed.names, ElementsAre("flies0.jpg", "ants0.jpg"));
  EXPECT_THAT(listed.labels, ElementsAre(0, 1));
}

TEST_F(DirectoryTest, TheSplitTakesTheFirstOfEachClass) {
  AddClass("t/ants", 5);
  AddClass("t/bees", 4);
  Directory source = Make({.path = root_ / "t", .validation_split = 0.4, .shuffle = false});
  EXPECT_THAT(RunPass(source, {.split = Split::kValidation}).names,
              ElementsAre("ants0.jpg", "ants1.jpg", "bees0.jpg"));
  EXPECT_THAT(
      RunPass(source, {.split = Split::kTrain}).names,
      ElementsAre("ants2.jpg", "ants3.jpg", "ants4.jpg", "bees1.jpg", "bees2.jpg", "bees3.jpg"));
  EXPECT_EQ(source.size(Split::kTrain), 6u);
  EXPECT_EQ(source.size(Split::kTrain, 1), 3u);
  EXPECT_EQ(source.size(Split::kValidation), 3u);
  EXPECT_EQ(source.size(Split::kTest), 9u);
}

TEST_F(DirectoryTest, AValidationFolderHasIndicesOfItsOwn) {
  AddClass("t/ants", 2);
  AddClass("t/bees", 2);
  AddClass("v/bees", 1);
  Directory source = Make({.path = root_ / "t", .validation = root_ / "v"});
  const ListedPass listed = RunPass(source, {.split = Split::kValidation});
  EXPECT_THAT(listed.labels, ElementsAre(1));
  EXPECT_THAT(listed.indices, ElementsAre(4));
  EXPECT_EQ(RunPass(source, {.split = Split::kTrain}).names.size(), 4u);
  EXPECT_EQ(RunPass(source, {.split = Split::kTest}).names.size(), 4u);
}

TEST_F(DirectoryTest, EachEpochHasAnOrderOfItsOwnThatStaysTheSame) {
  AddClass("t/ants", 30);
  AddClass("t/bees", 30);
  Directory source = Make({.path = root_ / "t"});
  Directory again = Make({.path = root_ / "t"});
  const ListedPass first = RunPass(source, {.split = Split::kTrain, .epoch = 0});
  const ListedPass second = RunPass(source, {.split = Split::kTrain, .epoch = 1});
  EXPECT_NE(first.indices, second.indices);
  EXPECT_THAT(first.indices, testing::UnorderedElementsAreArray(second.indices));
  EXPECT_EQ(RunPass(again, {.split = Split::kTrain, .epoch = 1}).indices, second.indices);
  EXPECT_FALSE(std::is_sorted(first.labels.begin(), first.labels.end()));
  const ListedPass validation = RunPass(source, {.split = Split::kTest, .epoch = 1});
  EXPECT_TRUE(std::is_sorted(validation.indices.begin(), validation.indices.end()));
}

TEST_F(DirectoryTest, AResumedPassGoesOnWhereItStopped) {
  AddClass("t/ants", 20);
  AddClass("t/bees", 20);
  Directory source = Make({.path = root_ / "t", .validation_split = 0.1, .stratified = true});
  for (const Split split : {Split::kTrain, Split::kValidation}) {
    const ListedPass whole = RunPass(source, {.split = split, .epoch = 3});
    const ListedPass rest = RunPass(source, {.split = split, .epoch = 3, .first_sample = 3});
    EXPECT_EQ(rest.indices,
              std::vector<std::uint64_t>(whole.indices.begin() + 3, whole.indices.end()));
    EXPECT_TRUE(RunPass(source, {.split = split, .first_sample = 99}).indices.empty());
  }
}

TEST_F(DirectoryTest, WhatItHoldsIsLeased) {
  AddClass("t/ants", 3);
  AddClass("t/bees", 3);
  Directory source = Make({.path = root_ / "t"});
  MemoryBudget budget(1 << 20);
  OpenContext open{.budget = budget};
  source.Open(open);
  EXPECT_GT(budget.usage().used_bytes, 0u);
  EXPECT_EQ(budget.usage().used_bytes, source.footprint().held_bytes());

  MemoryBudget small(10);
  OpenContext refused{.budget = small};
  EXPECT_EQ(CaughtError([&] { source.Open(refused); }),
            "directory: the list of 6 pictures takes " +
                ToRoundText({source.footprint().held_bytes()}) +
                ", which the ceiling does not leave\nRaise memory.host.");
}

TEST_F(DirectoryTest, WithoutTrainingAClassMayBeAbsent) {
  AddClass("t/bees", 2);
  Directory source =
      Make({.path = root_ / "t", .classes = std::vector<std::string>{"ants", "bees"}},
           /*training=*/false);
  EXPECT_THAT(RunPass(source, {.split = Split::kTest}).labels, ElementsAre(1, 1));
}

TEST_F(DirectoryTest, RefusesAFolderThatIsNotThere) {
  AddClass("data/train/ants", 1);
  EXPECT_EQ(Refusal({.path = root_ / "data/trian"}),
            "directory.path: '$/data/trian' does not exist\nDid you mean '$/data/train'?");
  EXPECT_EQ(Refusal({.path = root_ / "date/train"}),
            "directory.path: '$/date/train' does not exist\nDid you mean '$/data/train'?");
  EXPECT_EQ(Refusal({.path = root_ / "data/pictures"}),
            "directory.path: '$/data/pictures' does not exist\n"
            "The nearest folder that exists is '$/data'.");
}

TEST_F(DirectoryTest, RefusesWhatHoldsNoClasses) {
  root_.Write("picture.jpg");
  EXPECT_EQ(Refusal({.path = root_ / "picture.jpg"}),
            std::string("directory.path: '$/picture.jpg' is not a folder\n") + kOneFolderAClass);
  EXPECT_EQ(Refusal({.path = root_ / "picture.jpg/x"}),
            "directory.path: '$/picture.jpg/x' does not exist\n'$/picture.jpg' is not a folder.");
  EXPECT_EQ(Refusal({.path = root_.path()}),
            std::string("directory.path: '$' has no sub-folders; it holds 1 picture\n") +
                kOneFolderAClass);
  std::filesystem::create_directory(root_ / "empty");
  EXPECT_EQ(Refusal({.path = root_ / "empty"}),
            std::string("directory.path: '$/empty' has no sub-folders\n") + kOneFolderAClass);
}

TEST_F(DirectoryTest, RefusesASingleClass) {
  AddClass("t/ants", 3);
  EXPECT_EQ(Refusal({.path = root_ / "t"}),
            "directory.path: '$/t' has one class only, 'ants'\n"
            "Add a sub-folder for each other class: a classifier needs two at least.");
}

TEST_F(DirectoryTest, RefusesTheFolderAboveTheSplits) {
  AddClass("data/train/ants", 3);
  AddClass("data/val/ants", 3);
  EXPECT_EQ(Refusal({.path = root_ / "data"}),
            "directory.path: '$/data' holds 'train' and 'val', which are splits, not classes\n"
            "Set `path` to '$/data/train', and `validation` to '$/data/val'. If they are the "
            "classes all the same, list them in `classes`.");
}

TEST_F(DirectoryTest, RefusesAnEmptyClass) {
  AddClass("t/ants", 3);
  AddClass("t/bees", 0);
  EXPECT_EQ(Refusal({.path = root_ / "t"}),
            "directory.path: the class 'bees' has no pictures in '$/t/bees'\n"
            "Add some, or remove the folder; pictures end in .jpg, .jpeg, .png, .bmp, .ppm, .tif, "
            ".tiff, .gif, .webp, .heif, .heic and .avif.");
}

TEST_F(DirectoryTest, SaysWhatAClassWithoutPicturesHolds) {
  AddClass("t/ants", 3);
  root_.Write("t/bees/1.docx", "PK");
  root_.Write("t/bees/2.docx", "PK");
  EXPECT_THAT(Refusal({.path = root_ / "t"}),
              testing::StartsWith("directory.path: the class 'bees' has no pictures in '$/t/bees', "
                                  "but 2 .docx\nAdd some"));
}

TEST_F(DirectoryTest, NotesWhatItLeavesOut) {
  AddClass("t/ants", 2);
  AddClass("t/bees", 2);
  AddClass("t/wasps", 2);
  AddClass("v/ants", 1);
  AddClass("v/moths", 1);
  root_.Write("t/ants/notes.txt");
  root_.Write("t/loose.jpg");
  root_.Write("v/ants/more.txt");
  Make({.path = root_ / "t",
        .validation = root_ / "v",
        .classes = std::vector<std::string>{"ants", "bees"}});
  const auto notes = resources_.Find<SourceNotes>();
  EXPECT_EQ(notes->left_out.Text(), "3 files were left out: 2 .txt and 1 beside the class folders");
  std::vector<std::string> lines;
  for (const std::string& note : notes->notes) lines.push_back(root_.Shortened(note));
  EXPECT_THAT(lines,
              ElementsAre("directory.path: '$/t' has folders that `classes` leaves out: 'wasps'",
                          "directory.validation: '$/v' has folders that `classes` leaves out: "
                          "'moths'",
                          "directory.validation: '$/v' has no pictures of 'bees'"));
}

TEST_F(DirectoryTest, RefusesAListedClassThatIsNotThere) {
  AddClass("t/ants", 1);
  AddClass("t/bees", 1);
  EXPECT_EQ(Refusal({.path = root_ / "t", .classes = std::vector<std::string>{"ants", "beees"}}),
            "directory.classes: 'beees' has no folder in directory.path, '$/t'\n"
            "Did you mean 'bees'?");
  EXPECT_EQ(Refusal({.path = root_ / "t", .classes = std::vector<std::string>{"ants", "moths"}}),
            "directory.classes: 'moths' has no folder in directory.path, '$/t'\n"
            "There are 'ants' and 'bees'.");
}

TEST_F(DirectoryTest, RefusesAValidationClassThatTrainingLacks) {
  AddClass("t/ants", 1);
  AddClass("t/bees", 1);
  AddClass("v/ants", 1);
  AddClass("v/wasps", 1);
  EXPECT_EQ(Refusal({.path = root_ / "t", .validation = root_ / "v"}),
            "directory.validation: the class 'wasps' of '$/v' is not in '$/t'\n"
            "Add pictures of it to train with, or remove its folder.");
}

TEST_F(DirectoryTest, RefusesASplitThatLeavesAClassEmpty) {
  AddClass("t/ants", 40);
  AddClass("t/bees", 4);
  EXPECT_EQ(Refusal({.path = root_ / "t", .validation_split = 0.2}),
            "directory.validation_split: of the 4 pictures of the class 'bees' none is kept for "
            "validation\n"
            "Add pictures, set another `validation_split`, or set `validation`.");
}

TEST_F(DirectoryTest, ParametersThatContradictEachOtherAreShown) {
  Problems problems;
  Parse<Directory::Params>(
      YamlNode::Map({{"path", YamlNode::Scalar("t")},
                     {"validation_split", YamlNode::Scalar("1")},
                     {"validation", YamlNode::Scalar("v")},
                     {"classes", YamlNode::List({YamlNode::Scalar("a"), YamlNode::Scalar("a")})}}),
      problems);
  const std::string said = CaughtError([&] { problems.ThrowIfAny(); });
  for (const char* expected :
       {"`validation_split` takes less than 1", "`classes` names a class twice",
        "`classes` takes two classes at least",
        "`validation` and `validation_split` cannot both be set"}) {
    EXPECT_THAT(said, testing::HasSubstr(expected));
  }
}

TEST(Directory, ListsTheRealPhotos) {
  const auto path = SharedData("data/hymenoptera/train");
  if (!path) GTEST_SKIP() << kNoSharedData;
  Resources resources;
  BuildContext context{.upstream = {}, .resources = resources, .seed = 1};
  Directory source({.path = *path, .validation_split = 0.2}, context);
  EXPECT_THAT(source.classes(), ElementsAre("ants", "bees"));
  EXPECT_EQ(source.size(Split::kTrain), 197u);  // Keras: 196, as it does not read the GIF
  EXPECT_EQ(source.size(Split::kValidation), 48u);
}

}  // namespace
}  // namespace weir
