// Names of classes that look alike, or cannot be shown.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/stages/sources/directory_fixture.h"

namespace weir {
namespace {

using testing::ElementsAre;

TEST_F(DirectoryTest, TheFormOfAClassNameDoesNotMatter) {
  const std::string nfc = "M\xc3\xbcller", nfd = "Mu\xcc\x88ller";  // as macOS writes it
  AddClass("t/ants", 2);
  AddClass("t/" + nfd, 2);
  AddClass("v/" + nfc, 1);
  Directory source = Make({.path = root_ / "t", .validation = root_ / "v"});
  EXPECT_THAT(source.classes(), ElementsAre(nfd, "ants")) << "as the folder is called";
  EXPECT_EQ(source.size(Split::kValidation, 0), 1u);
  Directory listed = Make({.path = root_ / "t", .classes = std::vector<std::string>{"ants", nfc}});
  EXPECT_EQ(listed.size(Split::kTrain, 1), 2u);

  AddClass("t/" + nfc, 3);
  Directory both = Make({.path = root_ / "t"});
  EXPECT_THAT(both.classes(), ElementsAre(nfd, "ants"));
  EXPECT_EQ(both.size(Split::kTrain, 0), 5u);
}

TEST_F(DirectoryTest, RefusesAClassWhoseNameIsNoText) {
  AddClass("t/ants", 1);
  AddClass("t/b\xff", 1);
  EXPECT_EQ(Refusal({.path = root_ / "t"}),
            "directory: the name of the class 'b\\xff' is not UTF-8, or has a control "
            "character in it\nRename it.");
  AddClass("u/ants", 1);
  AddClass("u/b\nc", 1);
  EXPECT_EQ(Refusal({.path = root_ / "u"}),
            "directory: the name of the class 'b\\u000ac' is not UTF-8, or has a control "
            "character in it\nRename it.");
}

TEST_F(DirectoryTest, ShowsHowNamesDifferThatLookAlike) {
  AddClass("t/ants", 1);
  AddClass("t/bees", 1);
  AddClass("v/bees\xe2\x80\x8b", 1);
  EXPECT_EQ(Refusal({.path = root_ / "t", .validation = root_ / "v"}),
            "directory.validation: the class 'bees\\u200b' of '$/v' is not in '$/t'\n"
            "Did you mean 'bees'? The names differ in a character that cannot be seen.");
  EXPECT_EQ(Refusal({.path = root_ / "t", .classes = std::vector<std::string>{"ants", "Bees"}}),
            "directory.classes: 'Bees' has no folder in directory.path, '$/t'\n"
            "Did you mean 'bees'? The names differ in case alone.");
  AddClass("t/Ants", 1);
  Make({.path = root_ / "t"});
  EXPECT_THAT(resources_.Find<SourceNotes>()->notes,
              ElementsAre("the classes 'Ants' and 'ants' differ in case alone"));
}

TEST_F(DirectoryTest, ShowsHowAFolderDiffersThatLooksLikeTheOneThatIsNotThere) {
  AddClass("photos /ants", 1);
  AddClass("Mu\xcc\x88ller/ants", 1);
  EXPECT_EQ(Refusal({.path = root_ / "photos"}),
            "directory.path: '$/photos' does not exist\n"
            "Did you mean '$/photos\\u0020'? The names differ in blanks alone.");
  EXPECT_EQ(Refusal({.path = root_ / "M\xc3\xbcller"}),
            "directory.path: '$/M\xc3\xbcller' does not exist\nDid you mean "
            "'$/Mu\xcc\x88ller'? The names look alike and are written in two forms of Unicode "
            "(NFC and NFD).");
}

}  // namespace
}  // namespace weir
