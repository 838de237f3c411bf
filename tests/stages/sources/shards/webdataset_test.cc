#include "stages/sources/shards/webdataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/stages/sources/listed_pass.h"
#include "tests/stages/sources/shards/webdataset_fixture.h"

namespace weir {
namespace {

using testing::ElementsAre;

TEST_F(WebdatasetTest, PicturesAreReadWhereTheyLie) {
  const std::string longname = "deep/" + std::string(120, 'd') + "/" + std::string(90, 'n');
  for (const int format :
       {ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE}) {
    for (const bool compressed : {false, true}) {
      Members members = {{"folder/", ""}, {"README", "no sample"}, {".hidden.jpg", "no sample"}};
      members.emplace_back(longname + ".png", "a picture of a long name");
      members.emplace_back(longname + ".cls", "1\n");
      const Members more = Samples(0, 50);
      members.insert(members.end(), more.begin(), more.end());
      const auto shard = root_ / (compressed ? "t.tar.gz" : "t.tar");
      WriteTar(shard, members, format, compressed);
      Webdataset source = Make({.shards = {shard}, .shuffle = false});
      const ListedPass listed = RunPass(source, {.split = Split::kTrain});
      ASSERT_EQ(listed.names.size(), 51u);
      EXPECT_EQ(listed.names[0], std::string(90, 'n') + ".png");
      EXPECT_EQ(Content(listed.parts[0]), "a picture of a long name");
      EXPECT_EQ(listed.labels[0], 1);
      for (int i = 0; i < 50; ++i) {
        EXPECT_EQ(listed.names[i + 1], more[3 * i].first);
        EXPECT_EQ(Content(listed.parts[i + 1]), more[3 * i].second);
        EXPECT_EQ(listed.labels[i + 1], i % 2);
      }
    }
  }
}

TEST_F(WebdatasetTest, PicturesOfAShardThatWasChangedAreDroppedByName) {
  const std::string changed = "lies in a file that was changed since its parts were listed";
  const auto shard = root_ / "t.tar";
  const auto list = [&] {
    WriteTar(shard, Samples(0, 4));
    std::filesystem::last_write_time(
        shard, std::filesystem::last_write_time(shard) - std::chrono::hours(1));
    Webdataset source = Make({.shards = {shard}, .shuffle = false});
    return RunPass(source, {.split = Split::kTrain}).parts;
  };
  std::vector<FilePart> parts = list();
  std::fstream(shard, std::ios::in | std::ios::out | std::ios::binary).seekp(520) << "other";
  EXPECT_EQ(Content(parts[0]), changed) << "overwritten where it lies, in the same size";
  parts = list();
  WriteTar(root_ / "new.tar", Samples(4, 4));
  std::filesystem::rename(root_ / "new.tar", shard);
  EXPECT_EQ(Content(parts[3]), changed) << "replaced";
  parts = list();
  std::filesystem::resize_file(shard, std::filesystem::file_size(shard) - 1);
  EXPECT_EQ(Content(parts[0]), changed) << "cut short";
  parts = list();
  std::filesystem::remove(shard);
  EXPECT_EQ(Content(parts[0]), "cannot be opened: No such file or directory");
}

TEST_F(WebdatasetTest, WhatIsUnpackedLeavesNothingBehind) {
  WriteTar(root_ / "t.tar.gz", Samples(0, 4), ARCHIVE_FORMAT_TAR_USTAR, true);
  Webdataset source = Make({.shards = {root_ / "t.tar.gz"}});
  EXPECT_TRUE(std::filesystem::is_empty(root_ / "cache"));
  EXPECT_EQ(Content(RunPass(source, {.split = Split::kTest}).parts.at(3)),
            "picture 1003" + std::string(900, '.'));
}

TEST_F(WebdatasetTest, ShardsMayBeARangeOrAFolder) {
  std::filesystem::create_directories(root_ / "s");
  for (int i = 0; i < 3; ++i) {
    WriteTar(root_ / ("s/p-00" + std::to_string(i) + ".tar"), Samples(2 * i, 2));
  }
  root_.Write("s/notes.txt");
  const std::vector<std::string> all = {"1000.jpg", "1001.jpg", "1002.jpg",
                                        "1003.jpg", "1004.jpg", "1005.jpg"};
  Webdataset folder = Make({.shards = {root_ / "s"}, .shuffle = false});
  EXPECT_EQ(RunPass(folder, {.split = Split::kTrain}).names, all);
  Webdataset range = Make({.shards = {root_ / "s/p-{000..002}.tar"}, .shuffle = false});
  EXPECT_EQ(RunPass(range, {.split = Split::kTrain}).names, all);
  Webdataset listed = Make({.shards = {root_ / "s/p-00{2,0}.tar"}, .shuffle = false});
  EXPECT_THAT(RunPass(listed, {.split = Split::kTrain}).names,
              ElementsAre("1004.jpg", "1005.jpg", "1000.jpg", "1001.jpg"));
  EXPECT_EQ(RefusalOf({root_ / "s/p-{000..003}.tar"}),
            "$/s/p-003.tar does not exist\n"
            "Name tar files, folders of them, or a range: photos-{000000..000003}.tar.");
  EXPECT_EQ(RefusalOf({root_ / "s/p-{3..1}.tar"}),
            "webdataset.shards: {3..1} is no range of shards\n"
            "Write one as {000000..000012}, of a million at most.");
  const std::string many = "$/{000..999}{a,b}-{000..999}.tar";
  EXPECT_EQ(
      RefusalOf({root_ / many.substr(2)}),
      "webdataset.shards: " + many +
          " is more shards than are read\n"
          "Braces multiply: {00..99}{00..99} is 10,000. A million shards are the most, with 64 "
          "MiB of names.");
  EXPECT_EQ(RefusalOf({root_ / "s/p-{1..1000000000}.tar"}).substr(0, 40),
            "webdataset.shards: {1..1000000000} is no");
}

TEST_F(WebdatasetTest, SeveralBracesCountTheLastFastest) {
  int next = 0;
  for (const char* name : {"a-08", "a-09", "a-10", "b-08", "b-09", "b-10"}) {
    WriteTar(root_ / (std::string(name) + ".tar"), Samples(next++, 1));
  }
  Webdataset source = Make({.shards = {root_ / "{a,b}-{08..10}.tar"}, .shuffle = false});
  EXPECT_THAT(RunPass(source, {.split = Split::kTrain}).names,
              ElementsAre("1000.jpg", "1001.jpg", "1002.jpg", "1003.jpg", "1004.jpg", "1005.jpg"));
  EXPECT_EQ(RefusalOf({root_ / "{,.//}a-08.tar"}),
            "webdataset.shards: $/.//a-08.tar is named twice\nName it once.");
}

TEST_F(WebdatasetTest, ClassesHaveTheNamesThatTheNotesGive) {
  WriteTar(root_ / "t.tar", Samples(0, 4));
  EXPECT_THAT(Make({.shards = {root_ / "t.tar"}}).classes(), ElementsAre("ants", "bees"));
  Webdataset reversed = Make({.shards = {root_ / "t.tar"},
                              .classes = std::vector<std::string>{"bees", "ants"},
                              .shuffle = false});
  EXPECT_THAT(RunPass(reversed, {.split = Split::kTrain}).labels, ElementsAre(1, 0, 1, 0));
  WriteTar(root_ / "u.tar", {{"1.png", "x"}, {"1.cls", "10"}, {"2.png", "x"}, {"2.cls", "9"}});
  EXPECT_THAT(Make({.shards = {root_ / "u.tar"}}).classes(), ElementsAre("9", "10"));
  WriteTar(root_ / "v.tar", {{"1.png", "x"}, {"1.txt", "wasps"}, {"2.png", "x"}, {"2.txt", "0"}});
  Webdataset source = Make({.shards = {root_ / "v.tar"},
                            .label = "txt",
                            .classes = std::vector<std::string>{"flies", "wasps"},
                            .shuffle = false});
  EXPECT_THAT(RunPass(source, {.split = Split::kTrain}).labels, ElementsAre(1, 0));
}

TEST_F(WebdatasetTest, ShardsOfTheirOwnMayBeForValidation) {
  WriteTar(root_ / "t.tar", Samples(0, 6));
  WriteTar(root_ / "v.tar", Samples(6, 3));
  Webdataset source = Make({.shards = {root_ / "t.tar"}, .validation = {root_ / "v.tar"}});
  EXPECT_THAT(RunPass(source, {.split = Split::kValidation}).names,
              ElementsAre("1006.jpg", "1007.jpg", "1008.jpg"));
  EXPECT_EQ(source.size(Split::kTrain), 6u);
  Webdataset split = Make({.shards = {root_ / "t.tar"}, .validation_split = 0.4});
  EXPECT_THAT(RunPass(split, {.split = Split::kValidation}).names,
              ElementsAre("1000.jpg", "1001.jpg"));
}

TEST_F(WebdatasetTest, SamplesMayHaveNoLabels) {
  WriteTar(root_ / "t.tar", {{"1.png", "x"}, {"2.png", "y"}});
  WriteTar(root_ / "v.tar", {{"3.png", "z"}});
  Webdataset source =
      Make({.shards = {root_ / "t.tar"}, .validation = {root_ / "v.tar"}, .shuffle = false});
  EXPECT_TRUE(source.classes().empty());
  EXPECT_THAT(RunPass(source, {.split = Split::kTrain}).labels, ElementsAre(-1, -1));
  EXPECT_THAT(RunPass(source, {.split = Split::kValidation}).names, ElementsAre("3.png"));
}

TEST_F(WebdatasetTest, RefusesSamplesThatAreNotAsTheyShouldBe) {
  EXPECT_EQ(Refusal({{"1.jpg", "x"}, {"1.png", "x"}}),
            "$/t.tar: 1.png is the second picture of its sample\n`image` says which is meant.");
  EXPECT_EQ(
      Refusal({{"1.cls", "0"}, {"2.jpg", "x"}}),
      "$/t.tar: the sample '1' has a label and no picture\n"
      "The files of a sample lie one behind the other (tar --sort=name); pictures end in .jpg, "
      ".jpeg, .png, .bmp, .ppm, .tif, .tiff, .gif, .webp, .heif, .heic and .avif.");
  EXPECT_EQ(Refusal({{"1.jpg", "x"}, {"1.cls", "0"}, {"2.jpg", "x"}}),
            "$/t.tar: 2.jpg has no label, and those before it have\n"
            "All samples have their labels alike, or none has; `label` says what their files end "
            "in.");
  EXPECT_EQ(
      Refusal({{"1.jpg", "x"}, {"1.cls", "0"}, {"2.jpg", "x"}, {"2.json", "{\"class\": \"fish\"}"}})
          .substr(0, 67),
      "$/t.tar: 2.jpg has its label in another file than those before it\nA");
  EXPECT_EQ(Refusal({{"1.jpg", "x"},
                     {"1.cls", "0"},
                     {"1.json", "{\"class\": \"thing\"}"},
                     {"2.jpg", "x"},
                     {"2.cls", "1"},
                     {"2.json", "{\"class\": \"thing\"}"}}),
            "webdataset: the labels 0 and 1 are both named 'thing'\n"
            "`class_key` says which key has the names of the classes; \"\" leaves them out.");
  EXPECT_EQ(RefusalOf({root_ / "t.tar", root_ / "t.tar"}, {.shards = {}, .class_key = ""}),
            "webdataset.shards: $/t.tar is named twice\nName it once.");
  EXPECT_EQ(Refusal({{"1.jpg", "x"},
                     {"1.cls", "0"},
                     {"1.json", "{\"class\": \"a\"}"},
                     {"2.jpg", "x"},
                     {"2.cls", "0"},
                     {"2.json", "{\"class\": \"b\"}"}}),
            "$/t.tar: 2.jpg: the label 0 is 'b' here, and was 'a' before\n"
            "`class_key` says which key has the names of the classes; \"\" leaves them out.");
  EXPECT_EQ(Refusal({{"1.jpg", "x"}, {"1.cls", std::string(5000, '1')}}),
            "$/t.tar: 1.cls is too long for what it is\nIs it another kind of file?");
  EXPECT_EQ(Refusal({{"notes.txt", "x"}}),
            "webdataset.shards: the shards have no pictures, but 1 .txt\n"
            "Pictures end in .jpg, .jpeg, .png, .bmp, .ppm, .tif, .tiff, .gif, .webp, .heif, .heic "
            "and .avif.");
  EXPECT_EQ(Refusal({{"1.jpg", "x"}}, {.shards = {}, .validation_split = 0.2}),
            "webdataset.validation_split: the samples have no labels to split by\n"
            "`label` says what the files with the labels end in.");
}

TEST_F(WebdatasetTest, NamesOfClassesHaveTheLimitsOfLabels) {
  const std::string remedy =
      "\n`class_key` says which key has the names of the classes; \"\" leaves them out.";
  const auto sample = [](int number, std::size_t bytes) {
    const std::string key = std::to_string(100'000 + number);
    return Members{{key + ".jpg", "x"},
                   {key + ".cls", std::to_string(number)},
                   {key + ".json", "{\"class\": \"" + std::string(bytes, 'n') + "\"}"}};
  };
  EXPECT_EQ(Refusal(sample(1, 4097)),
            "$/t.tar: 100001.jpg: the name of the class is longer than 4 KiB" + remedy);
  Members members;
  for (int i = 0; i < 4097; ++i) {
    for (auto& member : sample(i, 4096)) members.push_back(std::move(member));
  }
  EXPECT_EQ(
      Refusal(members),
      "$/t.tar: 104096.jpg: the names of the classes up to here take more than 16 MiB" + remedy);
}

TEST_F(WebdatasetTest, WhatItHoldsIsLittle) {
  constexpr int kSamples = 5000;
  WriteTar(root_ / "t.tar", Samples(0, kSamples));
  Webdataset source = Make({.shards = {root_ / "t.tar"}});
  EXPECT_LE(source.footprint().held_bytes(), kSamples * 70u);
}

}  // namespace
}  // namespace weir
