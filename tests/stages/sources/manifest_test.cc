#include "stages/sources/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "stages/picture_lists.h"
#include "tests/stages/sources/listed_pass.h"
#include "tests/support/caught_error.h"
#include "tests/support/hostile_bytes.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

using testing::ElementsAre;

class ManifestTest : public testing::Test {
 protected:
  Manifest Make(const Manifest::Params& params, bool training = true) {
    resources_ = Resources();
    BuildContext context{.upstream = {}, .resources = resources_, .seed = 1, .training = training};
    return Manifest(params, context);
  }

  // What a table of that text ends with, the scratch folder written as $.
  std::string Refusal(const std::string& text, const std::string& name = "t.csv",
                      Manifest::Params params = {}) {
    params.path = root_.Write(name, text);
    return root_.Shortened(CaughtError([&] { Make(params); }));
  }

  void SetUp() override { root_.Write("a.jpg"); }

  ScratchFolder root_;
  Resources resources_;
};

TEST_F(ManifestTest, ReadsTheThreeKindsAlike) {
  const std::vector<std::filesystem::path> tables = {
      root_.Write("t.csv", "path,size,label\na.jpg,3,wasps\n\"b, c.jpg\",4,ants\nd.jpg,5,wasps\n"),
      root_.Write("t.tsv", "label\tpath\r\nwasps\ta.jpg\r\nants\tb, c.jpg\r\nwasps\td.jpg"),
      root_.Write("t.jsonl",
                  "{\"path\": \"a.jpg\", \"label\": \"wasps\", \"size\": [3]}\n\n"
                  "{\"label\": \"ants\", \"path\": \"b, c.jpg\"}\n"
                  "{\"label\": \"wasps\", \"path\": \"d.jpg\"}\n")};
  for (const std::filesystem::path& table : tables) {
    Manifest source = Make({.path = table, .shuffle = false});
    EXPECT_THAT(source.classes(), ElementsAre("ants", "wasps"));
    const ListedPass listed = RunPass(source, {.split = Split::kTrain});
    EXPECT_THAT(listed.names, ElementsAre("a.jpg", "b, c.jpg", "d.jpg")) << table;
    EXPECT_THAT(listed.labels, ElementsAre(1, 0, 1));
    EXPECT_THAT(listed.indices, ElementsAre(0, 1, 2));
    EXPECT_EQ(listed.parts.at(0).path, (root_ / "a.jpg").string());
  }
}

TEST_F(ManifestTest, ColumnsHaveOtherNamesAndLabelsMayBeNumbers) {
  const auto table = root_.Write("tables/t.csv", "file,species\na.jpg,1\na.jpg,0\n");
  Manifest source = Make({.path = table,
                          .path_column = "file",
                          .label_column = "species",
                          .root = root_.path(),
                          .classes = std::vector<std::string>{"bees", "ants"},
                          .shuffle = false});
  EXPECT_THAT(source.classes(), ElementsAre("bees", "ants"));
  EXPECT_THAT(RunPass(source, {.split = Split::kTrain}).labels, ElementsAre(1, 0));
}

TEST_F(ManifestTest, ASlashBehindTheRootMakesNoOtherList) {
  const auto table = root_.Write("tables/t.csv", "path,label\na.jpg,ants\na.jpg,bees\n");
  const auto list = [&](const std::string& end) {
    Make({.path = table, .root = root_.path().string() + end});
    return resources_.Find<PictureLists>()->training;
  };
  EXPECT_EQ(list("/"), list(""));
}

TEST_F(ManifestTest, APartOfEachClassIsForValidation) {
  std::string text = "path,label\n";
  for (int i = 0; i < 10; ++i) text += "a.jpg," + std::string(i % 2 ? "odd" : "even") + "\n";
  Manifest source =
      Make({.path = root_.Write("t.csv", text), .validation_split = 0.4, .shuffle = false});
  EXPECT_THAT(RunPass(source, {.split = Split::kValidation}).indices, ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(RunPass(source, {.split = Split::kTrain}).indices, ElementsAre(4, 5, 6, 7, 8, 9));
  EXPECT_EQ(source.size(Split::kTest), 10u);
}

TEST_F(ManifestTest, AColumnMaySayWhatIsForValidation) {
  const auto table = root_.Write("t.csv",
                                 "path,label,split\na.jpg,x,Train\nb.jpg,y,val\nc.jpg,y,TEST\n"
                                 "d.jpg,y,train\ne.jpg,x,validation\n");
  Manifest source = Make({.path = table, .split_column = "split", .shuffle = false});
  EXPECT_THAT(RunPass(source, {.split = Split::kTrain}).names, ElementsAre("a.jpg", "d.jpg"));
  EXPECT_THAT(RunPass(source, {.split = Split::kValidation}).names, ElementsAre("b.jpg", "e.jpg"));

  root_.Write("c.jpg");
  Manifest tested = Make({.path = table, .split_column = "split"}, /*training=*/false);
  EXPECT_THAT(RunPass(tested, {.split = Split::kTest}).names, ElementsAre("c.jpg"));
  root_.Write("t.csv", "path,label,split\na.jpg,x,train\n");
  EXPECT_EQ(
      root_.Shortened(CaughtError([&] { Make({.path = table, .split_column = "split"}, false); })),
      "$/t.csv lists no pictures to test with\n"
      "The column `split` says what each row is for.");
}

TEST_F(ManifestTest, ATableOfItsOwnMayBeForValidation) {
  const auto table = root_.Write("t.csv", "path,label\na.jpg,x\na.jpg,y\n");
  Manifest source =
      Make({.path = table, .validation = root_.Write("v.csv", "path,label\na.jpg,y\n")});
  const ListedPass listed = RunPass(source, {.split = Split::kValidation});
  EXPECT_THAT(listed.indices, ElementsAre(2));
  EXPECT_THAT(listed.labels, ElementsAre(1));
  EXPECT_EQ(source.size(Split::kTrain), 2u);
  EXPECT_EQ(source.size(Split::kTest), 2u);

  root_.Write("v.csv", "path,label\na.jpg,z\n");
  EXPECT_EQ(
      root_.Shortened(CaughtError([&] { Make({.path = table, .validation = root_ / "v.csv"}); })),
      "$/v.csv:2: the label 'z' is none of the 2 trained with\nThey are 'x' and 'y'.");
}

TEST_F(ManifestTest, QuotedValuesMayGoOverLines) {
  const auto table =
      root_.Write("t.csv", "note,path,label\n\"two\nlines, \"\"quoted\"\"\",a.jpg,x\n,a.jpg,y\n");
  EXPECT_EQ(Make({.path = table}).size(Split::kTrain), 2u);
  EXPECT_EQ(Refusal("note,path,label\n\"two\nlines\",a.jpg,x\n,a.jpg,\n"),
            "$/t.csv:4: the label is empty\nGive it one, or take its line out.");
}

TEST_F(ManifestTest, NotesLabelsThatLookAlikeOrAreSeveral) {
  Make({.path = root_.Write("t.csv",
                            "path,label\na.jpg,ants\na.jpg,Ants\na.jpg,\"ants \"\na.jpg,bees\n"
                            "a.jpg,ants;bees\n")});
  EXPECT_THAT(resources_.Find<SourceNotes>()->Lines(),
              ElementsAre("the classes 'Ants' and 'ants' differ in case alone",
                          "the classes 'Ants' and 'ants\\u0020' differ in case, and in what cannot "
                          "be seen",
                          "'ants;bees' is one class, beside 'ants' and 'bees': a picture has one "
                          "label"));
}

TEST_F(ManifestTest, RefusesATableThatIsNotAsItShouldBe) {
  EXPECT_EQ(
      Refusal("paths,label\na.jpg,x\n"),
      "$/t.csv has no column `path`; did you mean `paths`?\n"
      "Its columns are `paths` and `label`; `path_column`, `label_column` and `split_column` say "
      "which are meant.");
  EXPECT_EQ(Refusal("path,label,label\na.jpg,x,y\n"),
            "$/t.csv has the column `label` twice\nRename one of them.");
  EXPECT_EQ(Refusal("path,label\na.jpg,x\nb.jpg\n"),
            "$/t.csv:3: the row has 1 column, and the first row 2\n"
            "A value that holds the sign between columns, or a quote, stands in quotes.");
  EXPECT_EQ(Refusal("path,label\na.jpg,x\n\"b.jpg,y\n"),
            "$/t.csv:3: a quote is not closed\n"
            "A value with quotes stands in quotes, and each of its own is written twice: "
            "\"a \"\"b\"\"\".");
  EXPECT_EQ(Refusal("path,label\na \"b\".jpg,x\n").substr(0, 47),
            "$/t.csv:2: a quote stands within a value\nA valu");
  EXPECT_EQ(Refusal("path,label\ra.jpg,x\r"),
            "$/t.csv:1: the line holds several rows\n"
            "Save it with line ends as Linux or Windows have them.");
  EXPECT_EQ(Refusal("path,label\n" + std::string(70'000, ',')),
            "$/t.csv:2: the row has more than 65536 columns\nIs this the right file?");
  EXPECT_EQ(Refusal("path,label\n"), "$/t.csv lists no pictures\nAdd a row for each.");
  EXPECT_EQ(Refusal("path,label\n,x\n"),
            "$/t.csv:2: the path is empty\nGive the path of a picture.");
  EXPECT_EQ(Refusal("path,label\nb.jpg,x\n"),
            "$/t.csv:2: '$/b.jpg' does not exist\n"
            "Paths begin at '$'; `root` gives another folder.");
  EXPECT_EQ(Refusal("x", "t.txt"),
            "'$/t.txt' is no manifest that weir reads\n"
            "Manifests end in .csv, .tsv, .jsonl and .ndjson.");
  EXPECT_EQ(
      Refusal("path,label,split\na.jpg,x,trian\n", "t.csv", {.path = "", .split_column = "split"}),
      "$/t.csv:2: 'trian' is no split\nThere are train, validation and test.");
}

TEST_F(ManifestTest, RefusesLinesThatAreNoObjects) {
  EXPECT_EQ(Refusal("{\"path\": \"a.jpg\", \"label\": 1}\n[1]\n", "t.jsonl"),
            "$/t.jsonl:2: is no JSON object\n"
            "Each line is one: {\"path\": \"a.jpg\", \"label\": \"ants\"}");
  EXPECT_EQ(
      Refusal("{\"path\": \"a.jpg\", \"label\": 1}\n{\"path\": \"a.jpg\"}\n", "t.jsonl"),
      "$/t.jsonl:2 has no column `label`\n"
      "Its columns are `path`; `path_column`, `label_column` and `split_column` say which are "
      "meant.");
  EXPECT_EQ(Refusal("{\"path\": \"a.jpg\\u0000b\", \"label\": 1}\n", "t.jsonl"),
            "$/t.jsonl:1: `path` is neither text nor a whole number\nWrite it as one.");
  EXPECT_EQ(Refusal("{\"path\": \"a.jpg\", \"label\": [\"x\"]}\n", "t.jsonl"),
            "$/t.jsonl:1: `label` is neither text nor a whole number\nWrite it as one.");
  EXPECT_EQ(
      Refusal("{\"path\": \"a.jpg\", \"more\": {\"label\": 1}}\n", "t.jsonl"),
      "$/t.jsonl:1 has no column `label`\n"
      "Its columns are `path` and `more`; `path_column`, `label_column` and `split_column` say "
      "which are meant.");
  EXPECT_EQ(Refusal("{\"path\": \"a.jpg\", \"label\": 1.5}\n", "t.jsonl"),
            "$/t.jsonl:1: `label` is neither text nor a whole number\nWrite it as one.");
}

TEST_F(ManifestTest, ADamagedTableIsReadOrRefused) {
  std::string csv = "path,note,label\n", lines;
  for (int i = 0; i < 20; ++i) {
    csv += "a.jpg,\"a \"\"note\"\",\nof two lines\"," + std::to_string(i % 3) + "\n";
    lines += "{\"path\": \"a.jpg\", \"note\": [1, {}], \"label\": " + std::to_string(i % 3) + "}\n";
  }
  int read = 0;
  for (const bool is_csv : {true, false}) {
    for (std::uint32_t seed = 0; seed < 1000; ++seed) {
      const auto table =
          root_.Write(is_csv ? "t.csv" : "t.jsonl", Damaged(is_csv ? csv : lines, seed));
      try {
        Manifest source = Make({.path = table}, false);
        read += !RunPass(source, {.split = Split::kTest}).names.empty();
      } catch (const Error& error) {
        ASSERT_EQ(error.kind(), ErrorKind::kData) << error.what();
      }
    }
  }
  EXPECT_GT(read, 100);
  EXPECT_LT(read, 1900);
}

TEST_F(ManifestTest, ARowTakesLittle) {
  constexpr int kRows = 50'000;
  std::string text = "path,label\na.jpg,c0\n";
  for (int i = 1; i < kRows; ++i) {
    text += "images/" + std::to_string(i) + ".jpg,c" + std::to_string(i % 100) + "\n";
  }
  Manifest source = Make({.path = root_.Write("t.csv", text), .validation_split = 0.1});
  EXPECT_LE(source.footprint().held_bytes(), kRows * 40u);
}

TEST(ManifestParams, ThatContradictEachOtherAreShown) {
  Problems problems;
  Parse<Manifest::Params>(YamlNode::Map({{"path", YamlNode::Scalar("t.csv")},
                                         {"split_column", YamlNode::Scalar("split")},
                                         {"validation", YamlNode::Scalar("v.csv")}}),
                          problems);
  EXPECT_THAT(CaughtError([&] { problems.ThrowIfAny(); }),
              testing::HasSubstr("`split_column` says what is for validation, and so does"));
}

}  // namespace
}  // namespace weir
