// Folders as people point at them: a level too high or too low, or a set that lies in itself.
#include "stages/sources/listing/folder_layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "stages/sources/directory.h"
#include "tests/support/caught_error.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Names = std::vector<std::string>;

constexpr const char* kListThem = " If they are the classes all the same, list them in `classes`.";

class FolderLayoutTest : public testing::Test {
 protected:
  void AddSet(const std::string& folder, const Names& classes, int pictures = 1) {
    for (const std::string& name : classes) {
      for (int i = 0; i < pictures; ++i) {
        root_.Write(folder + "/" + name + "/" + std::to_string(i) + ".jpg");
      }
    }
  }

  Names Classes(const std::string& folder, Auto<Names> classes = {}) {
    Resources resources;
    BuildContext context{.upstream = {}, .resources = resources, .seed = 1, .training = true};
    return Directory({.path = root_ / folder, .classes = std::move(classes)}, context).classes();
  }
  // What listing `folder` ends with, the scratch folder written as $.
  std::string Refusal(const std::string& folder) {
    return root_.Shortened(CaughtError([&] { Classes(folder); }));
  }

  ScratchFolder root_;
};

TEST_F(FolderLayoutTest, SplitsAreToldByTheFoldersInsideThem) {
  AddSet("d/training_set", {"cats", "dogs"}, 3);
  AddSet("d/test_set", {"cats", "dogs"});
  EXPECT_EQ(Refusal("d"),
            std::string("directory.path: '$/d' holds 'test_set' and 'training_set', which are "
                        "splits, not classes: each has folders such as 'cats' and 'dogs'\n"
                        "Set `path` to '$/d/training_set', and `validation` to '$/d/test_set'.") +
                kListThem);
}

TEST_F(FolderLayoutTest, SplitsAreToldInAnyLanguageTheLargestIsForTraining) {
  AddSet("d/prueba", {"gatos", "perros", "aves"}, 1);
  AddSet("d/entrenamiento", {"gatos", "perros", "aves", "peces"}, 4);
  AddSet("d/otra", {"gatos", "perros"}, 2);
  EXPECT_EQ(Refusal("d"),
            std::string("directory.path: '$/d' holds 'entrenamiento', 'otra' and 'prueba', which "
                        "are splits, not classes: each has folders such as 'aves', 'gatos', "
                        "'peces' and 'perros'\nSet `path` to '$/d/entrenamiento', and "
                        "`validation` to '$/d/otra'.") +
                kListThem);
}

TEST_F(FolderLayoutTest, SplitsThatLieDeeperAreGivenWhole) {
  AddSet("d/seg_train/seg_train", {"forest", "sea", "street"}, 2);
  AddSet("d/seg_test/seg_test", {"forest", "sea", "street"}, 3);
  root_.Write("d/seg_pred/seg_pred/1.jpg");
  EXPECT_THAT(Refusal("d"), HasSubstr("Set `path` to '$/d/seg_train/seg_train', and `validation` "
                                      "to '$/d/seg_test/seg_test'."));
}

TEST_F(FolderLayoutTest, SplitsWithoutFoldersAreToldByTheirNames) {
  root_.Write("d/Train/1.jpg");
  root_.Write("d/Test/1.jpg");
  EXPECT_EQ(Refusal("d"),
            std::string("directory.path: '$/d' holds 'Test' and 'Train', which are splits, not "
                        "classes\nSet `path` to '$/d/Train', and `validation` to '$/d/Test'.") +
                kListThem);
}

TEST_F(FolderLayoutTest, ASingleSplitIsTold) {
  AddSet("d/train", {"ants", "bees"});
  EXPECT_EQ(Refusal("d"),
            std::string("directory.path: '$/d' holds 'train', which is a split, not a class\n"
                        "Set `path` to '$/d/train'.") +
                kListThem);
}

TEST_F(FolderLayoutTest, FoldsAreTold) {
  for (int i = 0; i < 10; ++i) {
    AddSet("d/fold" + std::to_string(i), {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"});
  }
  EXPECT_THAT(Refusal("d"), HasSubstr("holds 'fold0', 'fold1', 'fold2', 'fold3', 'fold4' and 5 "
                                      "more, which are splits, not classes"));
}

TEST_F(FolderLayoutTest, AValidationFolderALevelTooHighIsTold) {
  AddSet("d/train", {"ants", "bees"});
  AddSet("d/valid", {"ants", "bees"});
  Resources resources;
  BuildContext context{.upstream = {}, .resources = resources, .seed = 1, .training = true};
  EXPECT_EQ(root_.Shortened(CaughtError([&] {
    Directory({.path = root_ / "d/train", .validation = root_ / "d"}, context);
  })),
            "directory.validation: the class 'train' of '$/d' is not in '$/d/train'\n"
            "Did you mean '$/d/valid'?");
  BuildContext without{.upstream = {}, .resources = resources, .seed = 1, .training = false};
  EXPECT_EQ(root_.Shortened(CaughtError([&] {
    Directory({.path = root_ / "d", .classes = Names{"ants", "bees"}}, without);
  })),
            "directory.path: '$/d' has no pictures of the classes 'ants' and 'bees'\n"
            "Did you mean '$/d/train'?");
}

TEST_F(FolderLayoutTest, ASetThatLiesInItselfIsTold) {
  AddSet("d", {"daisy", "rose", "tulip"});
  AddSet("d/flowers", {"daisy", "rose", "tulip"});
  EXPECT_EQ(Refusal("d"),
            std::string("directory.path: '$/d' holds the set once more in the folder 'flowers', "
                        "which has 'daisy', 'rose' and 'tulip' inside as well\n"
                        "Set `path` to '$/d/flowers', or move one of the two away.") +
                kListThem);
}

TEST_F(FolderLayoutTest, ALevelTooHighOrTooLowIsTold) {
  AddSet("d/flowers", {"daisy", "rose"});
  EXPECT_EQ(Refusal("d"),
            "directory.path: '$/d' has one class only, 'flowers', with the folders 'daisy' and "
            "'rose' inside\nSet `path` to '$/d/flowers' if these are the classes.");
  EXPECT_EQ(Refusal("d/flowers/rose"),
            "directory.path: '$/d/flowers/rose' has no sub-folders; it holds 1 picture\n"
            "If it is a class, give the folder that it lies in: '$/d/flowers'.");
}

TEST_F(FolderLayoutTest, ClassesMayHaveFoldersOfTheirOwn) {
  AddSet("one/ants", {"images"});
  AddSet("one/bees", {"images"});
  EXPECT_THAT(Classes("one"), ElementsAre("ants", "bees")) << "one folder in each is no split";
  AddSet("kinds/cats", {"lynx", "puma"});
  AddSet("kinds/dogs", {"husky", "poodle"});
  EXPECT_THAT(Classes("kinds"), ElementsAre("cats", "dogs"));
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) {
    AddSet(std::string("years/") + name, {"2019", "2020"});
  }
  EXPECT_EQ(Classes("years").size(), 6u) << "nobody has six splits";
  AddSet("two/ants", {"2019", "2020"});
  AddSet("two/bees", {"2019", "2020"});
  EXPECT_THAT(Classes("two", Names{"ants", "bees"}), ElementsAre("ants", "bees"))
      << "who lists them means them";
}

}  // namespace
}  // namespace weir
