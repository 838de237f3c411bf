#include "stages/sources/list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/caught_error.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

using testing::ElementsAre;

class ListTest : public testing::Test {
 protected:
  List Make(const List::Params& params) {
    resources_ = Resources();
    BuildContext context{.upstream = {}, .resources = resources_, .seed = 1, .training = false};
    return List(params, context);
  }

  // The paths of the pictures in a pass, seen from the scratch folder.
  std::vector<std::string> Paths(List& list, const Pass& pass) {
    std::vector<std::string> paths;
    StageContext context(pass, pass.first_sample, [] { return false; });
    list.BeginPass(pass);
    while (const std::optional<ImageFile> file = list.Next(context)) {
      EXPECT_EQ(file->sample.label, -1);
      paths.push_back(std::filesystem::path(file->sample.path).lexically_relative(folder_.path()));
    }
    return paths;
  }

  // What building ends with, the scratch folder written as $.
  std::string Refusal(const List::Params& params) {
    return folder_.Shortened(CaughtError([&] { Make(params); }));
  }

  ScratchFolder folder_;
  Resources resources_;
};

TEST_F(ListTest, TakesFilesAndFoldersInTheOrderGiven) {
  const std::string scan = folder_.Write("scan");
  folder_.Write("many/2.jpg");
  folder_.Write("many/deep/1.png");
  List list = Make({.paths = {folder_ / "many", scan}});
  EXPECT_EQ(list.size(Split::kTrain), 3u);
  EXPECT_EQ(list.size(Split::kValidation), 0u);
  EXPECT_THAT(Paths(list, {.split = Split::kPredict}),
              ElementsAre("many/2.jpg", "many/deep/1.png", "scan"));
  EXPECT_THAT(Paths(list, {.split = Split::kPredict, .first_sample = 2}), ElementsAre("scan"));
  EXPECT_EQ(resources_.Find<Classes>(), nullptr);
}

TEST_F(ListTest, ReadsPathsFromATextFile) {
  folder_.Write("photos/a b.jpg");
  folder_.Write("elsewhere/c.jpg");
  const std::string absolute = (folder_ / "elsewhere/c.jpg").string();
  folder_.Write("photos/list.txt",
                "\xef\xbb\xbf"
                "a b.jpg\r\n\nmissing.png\n" +
                    absolute);
  List list = Make({.file = folder_ / "photos/list.txt"});
  EXPECT_THAT(Paths(list, {.split = Split::kTrain}),
              ElementsAre("photos/a b.jpg", "photos/missing.png", "elsewhere/c.jpg"));

  folder_.Write("list.txt", "a b.jpg\n");
  List below = Make({.file = folder_ / "list.txt", .root = folder_ / "photos"});
  EXPECT_THAT(Paths(below, {.split = Split::kTrain}), ElementsAre("photos/a b.jpg"));
}

TEST_F(ListTest, ShufflesWhereItIsAskedTo) {
  for (int i = 0; i < 20; ++i) folder_.Write("many/" + std::to_string(10 + i) + ".jpg");
  List list = Make({.paths = {folder_ / "many"}, .shuffle = true});
  const auto first = Paths(list, {.split = Split::kTrain, .epoch = 0});
  EXPECT_NE(first, Paths(list, {.split = Split::kTrain, .epoch = 1}));
  EXPECT_EQ(first, Paths(list, {.split = Split::kTrain, .epoch = 0}));
}

TEST_F(ListTest, RefusesWhatIsNotThere) {
  EXPECT_EQ(Refusal({.paths = {folder_ / "photo.jpg"}}),
            "'$/photo.jpg' does not exist\nName pictures, or folders that hold pictures.");
  folder_.Write("notes.txt");
  EXPECT_EQ(Refusal({.paths = {folder_.path()}}),
            "'$' has no pictures, but 1 .txt\n"
            "Pictures end in .jpg, .jpeg, .png, .bmp, .ppm, .tif, .tiff, .gif, .webp, .heif, .heic "
            "and .avif.");
  EXPECT_EQ(Refusal({.file = folder_ / "notes.txt"}), "'$/notes.txt' is empty\nCheck the path.");
  folder_.Write("blank.txt", "\n\n");
  EXPECT_EQ(Refusal({.file = folder_ / "blank.txt"}),
            "$/blank.txt names no pictures\nPut a path on each line.");
  folder_.Write("list.txt", "\nphotos/1.jpg\n");
  EXPECT_EQ(Refusal({.file = folder_ / "list.txt"}),
            "$/list.txt:2: '$/photos/1.jpg' does not exist\n"
            "Paths begin at '$'; `root` gives another folder.");
  folder_.Write("list.txt", "/none/1.jpg\n2.jpg\n");
  EXPECT_EQ(Refusal({.file = folder_ / "list.txt"}),
            "$/list.txt:1: '/none/1.jpg' does not exist, as the next ones\nCheck the paths.");
}

TEST_F(ListTest, AFolderWithoutPicturesIsNotBlamedForOthers) {
  folder_.Write("a/1.jpg");
  folder_.Write("a/1.txt");
  std::filesystem::create_directory(folder_ / "b");
  EXPECT_EQ(Refusal({.paths = {folder_ / "a", folder_ / "b"}}),
            "'$/b' has no pictures\n"
            "Pictures end in .jpg, .jpeg, .png, .bmp, .ppm, .tif, .tiff, .gif, .webp, .heif, .heic "
            "and .avif.");
}

TEST_F(ListTest, PathsThatBeginInTheWorkingDirectoryAreToldSo) {
  const std::filesystem::path before = std::filesystem::current_path();
  folder_.Write("list.txt", "1.jpg\n2.jpg\n");
  std::filesystem::current_path(folder_.path());
  EXPECT_EQ(Refusal({.file = "list.txt"}),
            "list.txt:1: '1.jpg' does not exist, as the next ones\n"
            "Paths begin at the working directory; `root` gives another folder.");
  std::filesystem::current_path(before);
}

TEST(ListParams, ThatAreMissingAreAskedFor) {
  Problems problems;
  Parse<List::Params>(YamlNode::Map({}), problems);
  EXPECT_THAT(CaughtError([&] { problems.ThrowIfAny(); }),
              testing::HasSubstr("`list` takes `paths`, a `file`, or both"));
}

}  // namespace
}  // namespace weir
