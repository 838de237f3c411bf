#include "stages/sources/label_texts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/caught_error.h"

namespace weir {
namespace {

using testing::ElementsAre;
using Names = std::vector<std::string>;

const LabelTexts::Place kPlace = [] { return "t.csv:7"; };

struct Settled {
  Names classes;
  std::vector<std::int32_t> labels;
};

Settled Settle(LabelTexts texts, const Names& labels) {
  Settled settled;
  for (const std::string& label : labels) settled.labels.push_back(texts.Add(label, kPlace));
  settled.classes = texts.Settle(settled.labels);
  return settled;
}

TEST(LabelTexts, NamesAreSortedByTheirBytes) {
  const Settled settled = Settle(LabelTexts({}), {"wasps", "ants", "Bees", "ants"});
  EXPECT_THAT(settled.classes, ElementsAre("Bees", "ants", "wasps"));
  EXPECT_THAT(settled.labels, ElementsAre(2, 1, 0, 1));
}

TEST(LabelTexts, NumbersAreSortedAsNumbers) {
  const Settled settled = Settle(LabelTexts({}), {"10", "9", "0", "10"});
  EXPECT_THAT(settled.classes, ElementsAre("0", "9", "10"));
  EXPECT_THAT(settled.labels, ElementsAre(2, 1, 0, 2));
  EXPECT_THAT(Settle(LabelTexts({}), {"10", "9", "x"}).classes, ElementsAre("10", "9", "x"));
}

TEST(LabelTexts, GivenClassesAreFoundByNameAndByNumber) {
  const Settled settled = Settle(LabelTexts(Names{"wasps", "ants"}), {"1", "wasps", "0", "ants"});
  EXPECT_THAT(settled.classes, ElementsAre("wasps", "ants"));
  EXPECT_THAT(settled.labels, ElementsAre(1, 0, 0, 1));
  // Where classes are numbers, these are their names and nothing else.
  EXPECT_THAT(Settle(LabelTexts(Names{"1", "0"}), {"1", "0"}).labels, ElementsAre(0, 1));
  LabelTexts sparse(Names{"0", "5"});
  EXPECT_EQ(CaughtError([&] { sparse.Add("1", kPlace); }),
            "t.csv:7: the label '1' is none of the 2 `classes`\nThey are '0' and '5'.");
}

TEST(LabelTexts, RefusesWhatIsUnknown) {
  LabelTexts given(Names{"ants", "bees"});
  EXPECT_EQ(CaughtError([&] { given.Add("beees", kPlace); }),
            "t.csv:7: the label 'beees' is none of the 2 `classes`\nDid you mean 'bees'?");
  EXPECT_EQ(CaughtError([&] { given.Add("2", kPlace); }),
            "t.csv:7: the label '2' is none of the 2 `classes`\nThey are 'ants' and 'bees'.");
  LabelTexts open({});
  for (LabelTexts* texts : {&given, &open}) {
    EXPECT_EQ(CaughtError([&] { texts->Add(std::string(5000, 'x'), kPlace); }),
              "t.csv:7: the label is longer than 4 KiB\nIs that where the labels are?");
  }
  EXPECT_EQ(CaughtError([&] { open.Add("", kPlace); }),
            "t.csv:7: the label is empty\nGive it one, or take its line out.");
  open.Add("moths", kPlace);
  open.Close();
  EXPECT_EQ(CaughtError([&] { open.Add("wasps", kPlace); }),
            "t.csv:7: the label 'wasps' is none of the 1 trained with\nThey are 'moths'.");
}

TEST(LabelTexts, TheFormOfATextDoesNotMatter) {
  const std::string nfc = "M\xc3\xbcller", nfd = "Mu\xcc\x88ller";  // as macOS writes it
  const Settled settled = Settle(LabelTexts({}), {nfd, "ants", nfc});
  EXPECT_THAT(settled.classes, ElementsAre(nfd, "ants"));
  EXPECT_THAT(settled.labels, ElementsAre(0, 1, 0));
  EXPECT_THAT(Settle(LabelTexts(Names{"ants", nfc}), {nfd}).labels, ElementsAre(1));
  EXPECT_TRUE(LabelTexts(Names{"ants", nfd}).IsGiven(nfc));
}

TEST(LabelTexts, SignsThatJoinLabelsElsewhereArePartOfAName) {
  EXPECT_THAT(Settle(LabelTexts({}), {"ants;bees", "a, b", "ants"}).classes,
              ElementsAre("a, b", "ants", "ants;bees"));
}

TEST(LabelTexts, RefusesWhatIsNoText) {
  LabelTexts open({});
  EXPECT_EQ(CaughtError([&] { open.Add("ants\nbees", kPlace); }),
            "t.csv:7: the label 'ants\\u000abees' is not UTF-8, or has a control character in it\n"
            "Write it as one line of text.");
  EXPECT_EQ(CaughtError([&] { open.Add("b\xff", kPlace); }),
            "t.csv:7: the label 'b\\xff' is not UTF-8, or has a control character in it\n"
            "Write it as one line of text.");
  LabelTexts given(Names{"ants", "bees"});
  EXPECT_EQ(CaughtError([&] { given.Add("Bees", kPlace); }),
            "t.csv:7: the label 'Bees' is none of the 2 `classes`\n"
            "Did you mean 'bees'? The names differ in case alone.");
}

TEST(LabelTexts, RefusesMoreThanAreClasses) {
  LabelTexts texts({});
  for (int i = 0; i < 65'536; ++i) texts.Add("caption " + std::to_string(i), kPlace);
  EXPECT_EQ(CaughtError([&] { texts.Add("one more", kPlace); }),
            "t.csv:7: the label is the 65,537th that there is\nIs that where the labels are?");
}

}  // namespace
}  // namespace weir
