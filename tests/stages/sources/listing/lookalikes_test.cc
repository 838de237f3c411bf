#include "stages/sources/listing/lookalikes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weir {
namespace {

using testing::ElementsAre;

constexpr const char* kNfc = "M\xc3\xbcller";   // u with diaeresis as one character
constexpr const char* kNfd = "Mu\xcc\x88ller";  // u, and a combining diaeresis

TEST(Lookalikes, TheFormsOfUnicodeAreTheSameName) {
  EXPECT_EQ(Composed(kNfd), kNfc);
  EXPECT_EQ(Composed(kNfc), kNfc);
  EXPECT_EQ(Composed("\xed\x95\x9c"), Composed("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab"))
      << "Hangul, by syllable and by letter";
  EXPECT_EQ(Composed("ants"), "ants");
  EXPECT_EQ(Composed("b\xff"), "b\xff") << "no UTF-8";
  EXPECT_EQ(DifferenceOf(kNfc, kNfd), "");
}

TEST(Lookalikes, WhatCannotBeSeenIsShownEscaped) {
  EXPECT_EQ(Shown("ice cream"), "'ice cream'");
  EXPECT_EQ(Shown(kNfc), std::string("'") + kNfc + "'");
  EXPECT_EQ(Shown("cats\xe2\x80\x8b"), "'cats\\u200b'");
  EXPECT_EQ(Shown("\xef\xbb\xbf"
                  "cats"),
            "'\\ufeffcats'");
  EXPECT_EQ(Shown("big\xc2\xa0"
                  "cats"),
            "'big\\u00a0cats'");
  EXPECT_EQ(Shown("cats "), "'cats\\u0020'");
  EXPECT_EQ(Shown("a\nb"), "'a\\u000ab'");
  EXPECT_EQ(Shown("b\xff"), "'b\\xff'");
}

TEST(Lookalikes, ThatLookAlikeDifferInSomething) {
  EXPECT_EQ(DifferenceOf("cats", "Cats"), "in case alone");
  EXPECT_EQ(DifferenceOf("cats", "cats "), "in blanks alone");
  EXPECT_EQ(DifferenceOf("big cats",
                         "big\xc2\xa0"
                         "cats"),
            "in blanks alone");
  EXPECT_EQ(DifferenceOf("cats", "ca\xe2\x80\x8bts"), "in a character that cannot be seen");
  EXPECT_EQ(DifferenceOf("Cats", "cats "), "in case, and in what cannot be seen");
  EXPECT_EQ(DifferenceOf("cats", "bats"), "");
  EXPECT_EQ(DifferenceOf("cats", "cats"), "");
  EXPECT_EQ(DifferenceOf("b\xff", "b\xfe"), "");
}

TEST(Lookalikes, TheOneThatWasMeantIsNamedWithTheDifference) {
  const std::vector<std::string> known = {"bees", "cats"};
  EXPECT_EQ(RemedyForClass("beees", known), "Did you mean 'bees'?");
  EXPECT_EQ(RemedyForClass("cats\xe2\x80\x8b", known),
            "Did you mean 'cats'? The names differ in a character that cannot be seen.");
  EXPECT_EQ(RemedyForClass("wasps", known), "");
}

TEST(Lookalikes, ThatLookAlikeAreNoted) {
  const std::vector<std::string> classes = {"Ants", "ants", "bees", "bees ", "wasps"};
  EXPECT_THAT(NotesOnLookalikes(classes),
              ElementsAre("the classes 'Ants' and 'ants' differ in case alone",
                          "the classes 'bees' and 'bees\\u0020' differ in blanks alone"));
  std::vector<std::string> many;
  for (int i = 0; i < 8; ++i) {
    many.push_back("c" + std::to_string(i));
    many.push_back("C" + std::to_string(i));
  }
  EXPECT_EQ(NotesOnLookalikes(many).size(), 6u);
  EXPECT_EQ(NotesOnLookalikes(many).back(), "3 more classes look like others");
}

TEST(Lookalikes, ThatAreOthersJoinedAreNoted) {
  const std::vector<std::string> classes = {"ants",       "ants;bees", "bees",
                                            "bees, ants", "a;b",       "x|y|"};
  EXPECT_THAT(NotesOnJoinedClasses(classes),
              ElementsAre("'ants;bees' is one class, beside 'ants' and 'bees': a picture has one "
                          "label",
                          "'bees, ants' is one class, beside 'bees' and 'ants': a picture has one "
                          "label"));
}

TEST(Lookalikes, AListOfThemIsCutShort) {
  const std::vector<std::string> names = {"a", "b", "c", "d"};
  EXPECT_EQ(ShownList(names), "'a', 'b', 'c' and 'd'");
  EXPECT_EQ(ShownList(names, 2), "'a', 'b' and 2 more");
}

}  // namespace
}  // namespace weir
