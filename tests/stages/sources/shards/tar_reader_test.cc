#include "stages/sources/shards/tar_reader.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "tests/stages/sources/shards/tar_member.h"
#include "tests/support/caught_error.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

TEST(TarReader, DoesNotHoldTheMapOfASparseFileHoweverLongItIs) {
  const ScratchFolder folder;
  const std::string records =
      "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n25 GNU.sparse.name=1.jpg\n"
      "27 GNU.sparse.realsize=100\n";
  for (const int pieces : {3, 2'000'000}) {
    std::string map = std::to_string(pieces) + "\n";
    for (int i = 0; i < pieces; ++i) map += "0\n0\n";
    map.resize((map.size() + 511) / 512 * 512);
    const std::string shard = TarMember("x", 'x', records) + TarMember("1.jpg", '0', map) +
                              TarMember("2.jpg", '0', "a picture") + std::string(1024, '\0');
    const std::string path = folder.Write("t.tar", shard).string();
    ASSERT_EQ(std::system(("gzip -kf " + path).c_str()), 0);
    for (const std::string& name : {path, path + ".gz"}) {
      std::string names;
      const std::string error = CaughtError([&] {
        TarReader tar(name);
        while (tar.Next()) names += tar.name() + (tar.is_file() ? " " : " (no plain file) ");
      });
      if (pieces == 3) {
        EXPECT_EQ(names, "1.jpg (no plain file) 2.jpg ");
        EXPECT_EQ(error, "nothing was thrown");
      } else {
        EXPECT_EQ(error, name +
                             " cannot be read as a tar file: the header of a file, or its map, is "
                             "too long\nCopy the shard anew, or leave it out.");
      }
    }
  }
}

}  // namespace
}  // namespace weir
