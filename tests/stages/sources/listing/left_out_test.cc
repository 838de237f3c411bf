#include "stages/sources/listing/left_out.h"

#include <gtest/gtest.h>

#include <string>

namespace weir {
namespace {

TEST(LeftOut, CountsByEndingsInAnyCase) {
  LeftOut left_out;
  EXPECT_EQ(left_out.Text(), "");
  left_out.AddFile("a.PGM");
  EXPECT_EQ(left_out.Text(), "1 file was left out: 1 .pgm");
  for (const char* name : {"b.pgm", "x.txt", "y.txt", "z.txt", "archive.tar.gz", "page.html.12"}) {
    left_out.AddFile(name);
  }
  EXPECT_EQ(left_out.Text(), "7 files were left out: 1 .gz, 1 .html.12, 2 .pgm and 3 .txt");
  EXPECT_EQ(left_out.by_kind().at(".txt"), 3u);
}

TEST(LeftOut, KnowsWhatIsNoEnding) {
  LeftOut left_out;
  for (const char* name :
       {"README", ".profile", "a.", "Mr. Smith at home", "x.\xc3\xa9t\xc3\xa9"}) {
    left_out.AddFile(name);
  }
  EXPECT_EQ(left_out.Kinds(), "5 without an ending");
}

TEST(LeftOut, NamesTheMostNumerousKinds) {
  LeftOut left_out;
  for (int i = 0; i < 2000; ++i) left_out.AddFile("x.k" + std::to_string(1000 + i));
  left_out.Add("pipe", 2);
  left_out.Add("beside the class folders", 7);
  EXPECT_EQ(left_out.by_kind().size(), 1003u) << "a thousand endings, one for all others, two more";
  EXPECT_EQ(left_out.total(), 2009u);
  EXPECT_EQ(left_out.Text(),
            "2009 files were left out: 1 .k1000, 1 .k1001, 1 .k1002, 1 .k1003, 1 .k1004, 1 .k1005, "
            "7 beside the class folders, 2 pipes and 1994 others");
}

}  // namespace
}  // namespace weir
