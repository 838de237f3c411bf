#include "stages/files/class_names.h"

#include <gtest/gtest.h>

#include "tests/support/caught_error.h"

namespace weir {
namespace {

// "class 0", "class 1", ... of `length` letters each.
std::vector<std::string> Names(std::size_t count, std::size_t length) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) {
    names.push_back("class " + std::to_string(i));
    names.back().resize(length, 'x');
  }
  return names;
}

std::string Refusal(const std::vector<std::string>& names) {
  return CaughtError([&] { CheckClassNames("model", names); });
}

TEST(ClassNames, AreRefusedWhereAModelCouldNotKeepThem) {
  EXPECT_EQ(Refusal(Names(65'536, 250)), "nothing was thrown");
  EXPECT_EQ(Refusal(Names(65'537, 12)),
            "model: 65537 classes are more than the 65536 that a model may have\n"
            "Are the labels read from the right place?");
  EXPECT_EQ(Refusal(Names(65'536, 300)),
            "model: the names of the 65536 classes take 18.9 MiB as JSON, and a model keeps "
            "16.0 MiB of them\nGive the classes shorter names.");
  EXPECT_EQ(Refusal({"ants", std::string(4097, 'b')}),
            "model: the name of class 2 is longer than 4 KiB\nGive it a shorter one.");
}

TEST(ClassNames, AreRefusedWhereTheyBecomeOne) {
  EXPECT_EQ(Refusal({"M\xfcller", "ants"}), "nothing was thrown");
  EXPECT_EQ(
      Refusal({"M\xfcller", "ants", "M\xf6ller"}),
      "model: the names of the classes 1 and 3 are not UTF-8, and 'M\xef\xbf\xbdller' is what "
      "is left of both\nRename them: folders and tables give names in UTF-8.");
  EXPECT_EQ(
      Refusal({"M\xef\xbf\xbdller", "ants", "M\xf6ller"}),
      "model: the name of class 3 is not UTF-8, and what is left of it is the name of class 1, "
      "'M\xef\xbf\xbdller'\nRename them: folders and tables give names in UTF-8.");
}

}  // namespace
}  // namespace weir
