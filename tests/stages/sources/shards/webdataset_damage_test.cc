// Shards that are damaged, or are not what they are taken for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/stages/sources/listed_pass.h"
#include "tests/stages/sources/shards/webdataset_fixture.h"
#include "tests/support/file_text.h"
#include "tests/support/hostile_bytes.h"

namespace weir {
namespace {

using testing::ElementsAre;

TEST_F(WebdatasetTest, RefusesShardsThatAreDamaged) {
  WriteTar(root_ / "t.tar", Samples(0, 20));
  const std::string whole = FileText(root_ / "t.tar");
  WriteTar(root_ / "z.tgz", Samples(0, 20), ARCHIVE_FORMAT_TAR_USTAR, true);
  const std::string packed = FileText(root_ / "z.tgz");
  EXPECT_EQ(RefusalOf({root_.Write("cut.tar", whole.substr(0, 512 + 5))}),
            "$/cut.tar: 1000.jpg is cut off\nCopy the shard anew.");
  EXPECT_EQ(RefusalOf({root_.Write("cut.tgz", packed.substr(0, packed.size() / 2))}),
            "$/cut.tgz cannot be read as a tar file: truncated gzip input\n"
            "Copy the shard anew, or leave it out.");
  for (const char* name : {"text.tar", "empty.tar"}) {
    root_.Write(name, name[0] == 't' ? "no tar\n" : "");
    EXPECT_EQ(RefusalOf({root_ / name}), "$/" + std::string(name) +
                                             " cannot be read as a tar file: Unrecognized archive "
                                             "format\nCopy the shard anew, or leave it out.");
  }
  EXPECT_EQ(RefusalOf({root_.path()}).substr(0, 9), "$/cut.tar");
}

TEST_F(WebdatasetTest, AShardThatIsCutOffIsRefusedWhereverThatIs) {
  WriteTar(root_ / "t.tar", Samples(0, 20));
  const std::string whole = FileText(root_ / "t.tar");
  const std::size_t zeros = whole.size() - whole.find_last_not_of('\0');
  for (std::size_t size = 1; size + zeros < whole.size(); size += size % 512 == 0 ? 1 : 511) {
    root_.Write("cut.tar", whole.substr(0, size));
    ASSERT_NE(RefusalOf({root_ / "cut.tar"}), "nothing was thrown") << size;
    if (size % 512 > 0) continue;
    std::system(("gzip -kf " + (root_ / "cut.tar").string()).c_str());
    ASSERT_NE(RefusalOf({root_ / "cut.tar.gz"}), "nothing was thrown") << size;
  }
  EXPECT_EQ(Make({.shards = {root_ / "t.tar"}}).size(Split::kTrain), 20u);
}

TEST_F(WebdatasetTest, TarFilesOneBehindTheOtherAreRead) {
  WriteTar(root_ / "a.tar", Samples(0, 3));
  WriteTar(root_ / "b.tar", Samples(3, 2));
  root_.Write("c.tar", FileText(root_ / "a.tar") + FileText(root_ / "b.tar"));
  EXPECT_EQ(Make({.shards = {root_ / "c.tar"}}).size(Split::kTrain), 5u);
}

TEST_F(WebdatasetTest, GzipFilesOneBehindTheOtherAreOneShard) {
  WriteTar(root_ / "t.tar", Samples(0, 20));
  const std::string whole = FileText(root_ / "t.tar");
  std::string packed;
  for (const auto& [name, part] :
       {std::pair("1", whole.substr(0, 5000)), std::pair("2", std::string()),
        std::pair("3", whole.substr(5000))}) {
    root_.Write(name, part);
    ASSERT_EQ(std::system(("gzip -k " + (root_ / name).string()).c_str()), 0);
    packed += FileText(root_ / (std::string(name) + ".gz"));
  }
  Webdataset source =
      Make({.shards = {root_.Write("t.tgz", packed + std::string(100, '\0'))}, .shuffle = false});
  const ListedPass listed = RunPass(source, {.split = Split::kTrain});
  ASSERT_EQ(listed.parts.size(), 20u);
  EXPECT_EQ(Content(listed.parts[19]), "picture 1019" + std::string(1500, '.'));
  packed[packed.size() - 5] ^= 1;  // the last member's checksum and length are its last 8 bytes
  EXPECT_EQ(RefusalOf({root_.Write("t.tgz", packed)}),
            "$/t.tgz cannot be read as a tar file: damaged gzip input\n"
            "Copy the shard anew, or leave it out.");
}

TEST_F(WebdatasetTest, WhatIsNotMeantIsPassedOver) {
  std::string notes = "{\"class\": \"a\", \"more\": \"";
  notes += std::string(2 << 20, 'x') + "\"}";
  WriteTar(root_ / "t.tar", {{"meta.txt", "x"},
                             {"1.JPG", "one"},
                             {"1.mask.png", "x"},
                             {"1.CLS", "0"},
                             {"1.json", notes},
                             {"2.jpg", "two"},
                             {"2.png", "a mask"},
                             {"2.cls", "1"}});
  std::filesystem::create_symlink("elsewhere", root_ / "README.link");
  ASSERT_EQ(std::system(("cd " + root_.path().string() + " && tar -rf t.tar README.link").c_str()),
            0);
  Webdataset source = Make(
      {.shards = {root_ / "t.tar"}, .image = std::vector<std::string>{"JPG"}, .shuffle = false});
  const ListedPass listed = RunPass(source, {.split = Split::kTrain});
  EXPECT_THAT(listed.names, ElementsAre("1.JPG", "2.jpg"));
  EXPECT_EQ(Content(listed.parts.at(1)), "two");
  EXPECT_THAT(source.classes(), ElementsAre("0", "1"));
}

TEST_F(WebdatasetTest, WhatATerminalWouldObeyIsNotShown) {
  EXPECT_EQ(Refusal({{"\x1b[2J.cls", std::string(5000, '1')}}),
            "$/t.tar: ?[2J.cls is too long for what it is\nIs it another kind of file?");
  EXPECT_EQ(Refusal({{"\x1b[2J.jpg", "x"}, {"\x1b[2J.cls", "a\nb"}}).substr(0, 25),
            "$/t.tar: ?[2J.jpg: the la");
}

TEST_F(WebdatasetTest, RefusesNamesThatAreNoPaths) {
  EXPECT_EQ(RefusalOf({[&] {
              WriteTar(root_ / "t.tar", {{std::string(5000, 'n') + ".jpg", "x"}},
                       ARCHIVE_FORMAT_TAR_GNUTAR);
              return root_ / "t.tar";
            }()}),
            "$/t.tar: " + std::string(40, 'n') + " ... has too long a name\nGive it another one.");
}

TEST_F(WebdatasetTest, ADamagedShardIsReadOrRefused) {
  int read = 0;
  for (const int format : {ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE, ARCHIVE_FORMAT_TAR_GNUTAR}) {
    for (const bool compressed : {false, true}) {
      const auto path = root_ / (compressed ? "t.tgz" : "t.tar");
      WriteTar(path, Samples(0, 6), format, compressed);
      const std::string whole = FileText(path);
      for (std::uint32_t seed = 0; seed < 500; ++seed) {
        root_.Write(compressed ? "t.tgz" : "t.tar", Damaged(whole, seed));
        try {
          Webdataset source = Make({.shards = {path}}, false);
          for (const FilePart& part : RunPass(source, {.split = Split::kTest}).parts) Content(part);
          ++read;
        } catch (const Error& error) {
          ASSERT_EQ(error.kind(), ErrorKind::kData) << error.what();
        }
      }
    }
  }
  EXPECT_GT(read, 100);
  EXPECT_LT(read, 1900);
}

}  // namespace
}  // namespace weir
