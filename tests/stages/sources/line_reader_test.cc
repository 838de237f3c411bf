#include "stages/sources/line_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/caught_error.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

using testing::ElementsAre;

std::vector<std::string> Lines(const std::filesystem::path& path) {
  std::vector<std::string> lines;
  LineReader reader(path);
  while (const std::optional<std::string_view> line = reader.Next()) lines.emplace_back(*line);
  EXPECT_EQ(reader.number(), lines.size());
  return lines;
}

TEST(LineReader, EndsLinesAsAllSystemsDo) {
  ScratchFolder folder;
  EXPECT_THAT(Lines(folder.Write("unix", "a\n\nb\n")), ElementsAre("a", "", "b"));
  EXPECT_THAT(Lines(folder.Write("windows",
                                 "\xef\xbb\xbf"
                                 "a\r\nb")),
              ElementsAre("a", "b"));
  EXPECT_THAT(Lines(folder.Write("blank", "\n")), ElementsAre(""));
}

TEST(LineReader, LinesMayLieAcrossWhatIsReadAtOnce) {
  ScratchFolder folder;
  std::string text;
  std::vector<std::string> expected;
  for (const int length : {65'535, 1, 65'536, 200'000, 0, 65'537}) {
    expected.emplace_back(length, static_cast<char>('a' + expected.size()));
    text += expected.back() + "\n";
  }
  EXPECT_EQ(Lines(folder.Write("long", text)), expected);
}

TEST(LineReader, RefusesWhatIsNoText) {
  ScratchFolder folder;
  const auto refusal = [&](const std::filesystem::path& path) {
    return folder.Shortened(CaughtError([&] { Lines(path); }));
  };
  EXPECT_EQ(refusal(folder.Write("zero", std::string("a\nb\0c\n", 6))),
            "$/zero:2: is no text, or of 16 bits a letter\nSave it as UTF-8.");
  EXPECT_EQ(refusal(folder.Write("endless", "a\n" + std::string(3 << 20, 'x'))),
            "$/endless:2: the line is longer than 1 MiB\nIs this the right file?");
  EXPECT_EQ(refusal(folder / "absent"),
            "'$/absent' cannot be opened: No such file or directory\nCheck the path.");
  EXPECT_EQ(refusal(folder.path()), "'$' is a directory\nCheck the path.");
}

}  // namespace
}  // namespace weir
