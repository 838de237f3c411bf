// Which members of a shard are pictures, and what is said of the others.
#include "stages/sources/shards/shard_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

#include "stages/files/file_bytes.h"
#include "tests/stages/sources/shards/tar_shards.h"
#include "tests/support/caught_error.h"
#include "tests/support/scoped_variable.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

using testing::ElementsAre;

const std::string kJpeg = "\xff\xd8\xff\xe0 and so on";
const std::string kPng = "\x89PNG\r\n\x1a\n and so on";

class ShardIndexTest : public testing::Test {
 protected:
  // The names of the pictures in a shard of these members, and their contents.
  std::vector<std::string> Pictures(const Members& members, bool compressed,
                                    const ShardIndex::Endings& endings = {}) {
    const auto shard = root_ / (compressed ? "t.tgz" : "t.tar");
    WriteTar(shard, members, ARCHIVE_FORMAT_TAR_USTAR, compressed);
    ShardIndex index;
    index.AddShard(shard.string(), endings, [](const ShardIndex::Notes&, const std::string&) {});
    left_out_ = index.left_out().Text();
    std::vector<std::string> pictures;
    for (std::uint64_t i = 0; i < index.size(); ++i) {
      Outcome<FileBytes> opened = FileBytes::Open(index.part(i));
      std::string content(std::get<FileBytes>(opened).size(), '\0');
      EXPECT_TRUE(std::get<FileBytes>(opened).Read(0, content.data(), content.size()));
      const std::string name = index.name(i);
      pictures.push_back(name.substr(shard.string().size() + 1) + ": " + content);
    }
    return pictures;
  }

  ScratchFolder root_;
  const ScopedVariable cache_{"WEIR_CACHE", (root_ / "cache").c_str()};
  std::string left_out_;
};

TEST_F(ShardIndexTest, WhatBeginsAsAPictureIsOneWhateverItsEnding) {
  const std::string large = kPng + std::string(20'000, '.');
  for (const bool compressed : {false, true}) {
    EXPECT_THAT(
        Pictures({{"1.jfif", kJpeg},
                  {"1.cls", "0"},
                  {"2.cls", "1"},
                  {"2.img", large},
                  {"3.JPEG", "anything"},
                  {"4.WebP", "anything"}},
                 compressed),
        ElementsAre("1.jfif: " + kJpeg, "2.img: " + large, "3.JPEG: anything", "4.WebP: anything"));
    EXPECT_EQ(left_out_, "");
  }
}

TEST_F(ShardIndexTest, WhatIsNoPartOfASampleIsCounted) {
  for (const bool compressed : {false, true}) {
    EXPECT_THAT(Pictures({{"README", "x"},
                          {"._1.jpg", "x"},
                          {"a/.DS_Store", "x"},
                          {"a/1.depth", kPng},  // beside a picture: a mask
                          {"a/1.jpg", "one"},
                          {"a/1.npy", "x"},
                          {"a/1.seg", kPng},
                          {"a/1.txt", "a caption"},
                          {"a/2.jpg", "two"},
                          {"a/2.txt", "a caption"}},
                         compressed),
                ElementsAre("a/1.jpg: one", "a/2.jpg: two"));
    EXPECT_EQ(left_out_,
              "6 files were left out: 1 .depth, 1 .npy, 1 .seg, 2 .txt and 1 without an ending");
  }
}

TEST_F(ShardIndexTest, EndingsThatAreGivenAreAllThatCount) {
  EXPECT_THAT(Pictures({{"1.img", kJpeg}, {"1.seg", kPng}}, false, {.images = {"seg"}}),
              ElementsAre("1.seg: " + kPng));
  EXPECT_EQ(left_out_, "1 file was left out: 1 .img");
}

TEST_F(ShardIndexTest, RefusesTwoThatMayBeThePicture) {
  EXPECT_EQ(root_.Shortened(CaughtError([&] {
    Pictures({{"1.img", kJpeg}, {"1.seg", kPng}}, false);
  })),
            "$/t.tar: both 1.img and 1.seg may be the picture of their sample\n"
            "`image` says what pictures end in.");
}

}  // namespace
}  // namespace weir
