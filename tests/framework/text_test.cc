#include "framework/text.h"

#include <gtest/gtest.h>

#include <string>

namespace weir {
namespace {

TEST(Text, CountsCharactersAndNotBytes) {
  EXPECT_EQ(CountCharacters("Mätä"), 4u);
  EXPECT_EQ(Characters("Mätä", 1, 2), "ät");
  EXPECT_EQ(Characters("Mätä", 3, 9), "ä");
  EXPECT_EQ(Characters("Mätä", 7, 1), "");
}

TEST(Text, IsUtf8WithoutControlCharacters) {
  EXPECT_EQ(FindNonText("a\tb\nü€😀"), std::string::npos);
  EXPECT_EQ(FindNonText("ab\x1b"), 2u);
  EXPECT_EQ(FindNonText("ab\xc3"), 2u);            // cut off
  EXPECT_EQ(FindNonText("\xc0\xaf"), 0u);          // too long for what it says
  EXPECT_EQ(FindNonText("\xed\xa0\x80"), 0u);      // a half of UTF-16's
  EXPECT_EQ(FindNonText("\xf4\x90\x80\x80"), 0u);  // behind the last
  EXPECT_EQ(FindNonText("\xc2\x9b"
                        "31m"),
            0u);  // a terminal's command
}

TEST(Text, ShowsAValueInBackticks) {
  EXPECT_EQ(InBackticks("a\x1b\n\xff"
                        "b"),
            "`a\\x1b\\x0a\\xffb`");
  EXPECT_EQ(InBackticks(std::string(60, 'a')), "`" + std::string(60, 'a') + "`");
  EXPECT_EQ(InBackticks(std::string(61, 'a')), "`" + std::string(60, 'a') + "...`");
}

TEST(Text, ShowsAPathInOneLine) {
  EXPECT_EQ(OneLine("a\nb\x7f\xff ü"), "a\\x0ab\\x7f\xff ü");
  EXPECT_EQ(OneLine(std::string(500, 'a')).size(), 500u);
}

TEST(Text, ShowsANameThatNobodyVouchesFor) {
  EXPECT_EQ(Printable("a\x1b[31mü"), "a?[31mü");
  EXPECT_EQ(Printable(std::string(80, 'a')), std::string(80, 'a'));
  EXPECT_EQ(Printable(std::string(81, 'a')), std::string(80, 'a') + "...");
  EXPECT_EQ(Printable(std::string(79, 'a') + "ü"), std::string(79, 'a') + "...");  // whole
  EXPECT_EQ(Printable(std::string(200, '\x80')), std::string(77, '\x80') + "...");
}

TEST(Text, ShowsALineByteForByte) { EXPECT_EQ(TerminalLine("a\tb\x1b\xffü"), "a b??ü"); }

TEST(Text, CountsBytesAsDisksAreSold) {
  EXPECT_EQ(PrintableBytes(999), "999 bytes");
  EXPECT_EQ(PrintableBytes(1500000), "1.5 MB");
  EXPECT_EQ(PrintableBytes(2e15), "2000.0 TB");
}

}  // namespace
}  // namespace weir
