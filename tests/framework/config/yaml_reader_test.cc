#include "framework/config/yaml_reader.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <random>

#include "framework/config/yaml_emitter.h"
#include "framework/error.h"
#include "tests/framework/config/yaml_text.h"

namespace weir {
namespace {

std::string ProblemsIn(std::string text) {
  Problems problems;
  YamlOf(std::move(text), problems);
  return problems.text();
}

std::string Reemitted(std::string text) {
  Problems problems;
  const YamlNode node = YamlOf(std::move(text), problems);
  problems.ThrowIfAny();
  return EmitFlow(node);
}

TEST(ParseYaml, FindsDuplicateKeys) {
  EXPECT_EQ(ProblemsIn("seed: 1\nname: x\nseed: 2\n"),
            "a.yaml:3:1: duplicate key `seed`; the first is in line 1\n"
            "    3 | seed: 2\n"
            "      | ^");
}

TEST(ParseYaml, ShowsWhereTheSyntaxIsWrong) {
  EXPECT_EQ(ProblemsIn("name: a\nmemory: {host: 1\nseed: 2\n"),
            "a.yaml:2:9: this `{` is never closed\n"
            "    2 | memory: {host: 1\n"
            "      |         ^");
  EXPECT_EQ(ProblemsIn("a: b: c"),
            "a.yaml:1:5: a `:` where none can stand: is this line indented right, is a text with "
            "`: ` quoted?\n"
            "    1 | a: b: c\n"
            "      |     ^");
  EXPECT_EQ(ProblemsIn("a: @x"),
            "a.yaml:1:4: a value that starts with this character must be quoted\n"
            "    1 | a: @x\n"
            "      |    ^");
  EXPECT_EQ(ProblemsIn("a: *x"),
            "a.yaml:1:4: no anchor of this name stands before it\n"
            "    1 | a: *x\n"
            "      |    ^");
  EXPECT_EQ(ProblemsIn("a: 1\nb:\n\tc: 2\n\td: 3\n"),
            "a.yaml:3:1: a tab in the indentation; YAML takes spaces\n"
            "    3 |  c: 2\n"
            "      | ^");
  EXPECT_EQ(ProblemsIn("a: 'it''s\nb: 2\n"),
            "a.yaml:1:4: this quote is never closed\n"
            "    1 | a: 'it''s\n"
            "      |    ^");
  EXPECT_EQ(ProblemsIn("a: 'it''s'\nb: \"\\\"\"\n"), "");
}

// Names and paths would end there: `runs/a` in place of what was written.
TEST(ParseYaml, RefusesNulsInAnyTextAndKey) {
  EXPECT_EQ(ProblemsIn("name: \"a\\0b\"\n"),
            "a.yaml:1:7: a text cannot hold the character NUL (`\\0`)\n"
            "    1 | name: \"a\\0b\"\n"
            "      |       ^");
  EXPECT_EQ(ProblemsIn("a: [1, {\"k\\x00\": 1}]\n"),
            "a.yaml:1:9: a text cannot hold the character NUL (`\\0`)\n"
            "    1 | a: [1, {\"k\\x00\": 1}]\n"
            "      |         ^");
  EXPECT_NE(ProblemsIn("a: \"\\u0000\"\n"), "");
}

TEST(ParseYaml, RefusesWhatIsNotOnePlainDocument) {
  EXPECT_EQ(ProblemsIn("- a\nb: 1\n"),
            "a.yaml:2:1: a second document starts here, and a configuration is one: "
            "is this line indented right?\n"
            "    2 | b: 1\n"
            "      | ^");
  EXPECT_EQ(ProblemsIn("a: !secret 3"),
            "a.yaml:1:4: tags such as `!secret` have no meaning here\n"
            "    1 | a: !secret 3\n"
            "      |    ^");
  EXPECT_EQ(ProblemsIn("? [a]\n: 3\n"),
            "a.yaml:1:3: a key must be a word, not a list\n"
            "    1 | ? [a]\n"
            "      |   ^");
}

TEST(ParseYaml, RefusesWhatIsNotText) {
  EXPECT_EQ(ProblemsIn(std::string("a: 1\nb\0c", 8)),
            "a.yaml:2:2: not UTF-8 text: byte `\\x00`\n"
            "    2 | b?c\n"
            "      |  ^");
  EXPECT_EQ(ProblemsIn("caf\xe9: 1"),
            "a.yaml:1:4: not UTF-8 text: byte `\\xe9`\n"
            "    1 | caf?: 1\n"
            "      |    ^");
  EXPECT_EQ(ProblemsIn("a: \x1b[31m"),
            "a.yaml:1:4: not UTF-8 text: byte `\\x1b`\n"
            "    1 | a: ?[31m\n"
            "      |    ^");
  EXPECT_EQ(ProblemsIn("a: \xed\xa0\x80").substr(0, 40),
            "a.yaml:1:4: not UTF-8 text: byte `\\xed`\n");
}

TEST(ParseYaml, TakesLineEndsAndByteOrderMarksOfOtherSystems) {
  EXPECT_EQ(Reemitted("\xEF\xBB\xBF"
                      "a: 1\r\nb: [2,\r\n3]\r\n"),
            "{a: 1, b: [2, 3]}");
  EXPECT_EQ(ProblemsIn("a: 1\r\na: 2\r\n"),
            "a.yaml:2:1: duplicate key `a`; the first is in line 1\n"
            "    2 | a: 2\n"
            "      | ^");
}

TEST(ParseYaml, AccentsDoNotMoveTheCaret) {
  EXPECT_EQ(ProblemsIn("{é: ü, é: 3}"),
            "a.yaml:1:8: duplicate key `é`; the first is in line 1\n"
            "    1 | {é: ü, é: 3}\n"
            "      |        ^");
}

TEST(ParseYaml, LongLinesAreShownAroundTheCaret) {
  const std::string pad(300, 'x');
  EXPECT_EQ(ProblemsIn("{a: " + pad + ", a: " + pad + "}"),
            "a.yaml:1:307: duplicate key `a`; the first is in line 1\n"
            "    1 | ..." +
                std::string(48, 'x') + ", a: " + std::string(47, 'x') +
                "...\n"
                "      | " +
                std::string(53, ' ') + "^");
}

TEST(ParseYaml, AliasesAndMergeKeysAreFollowed) {
  EXPECT_EQ(Reemitted("a: &x {p: 1, q: 2}\nb: *x\nc: {<<: *x, q: 3}\n"),
            "{a: {p: 1, q: 2}, b: {p: 1, q: 2}, c: {q: 3, p: 1}}");
  EXPECT_EQ(ProblemsIn("a: {<<: 3}"),
            "a.yaml:1:5: `<<` takes a map or a list of maps, not `3`\n"
            "    1 | a: {<<: 3}\n"
            "      |     ^");
  EXPECT_EQ(ProblemsIn("a: &x [*x]"),
            "a.yaml:1:8: an alias inside the value that it stands for\n"
            "    1 | a: &x [*x]\n"
            "      |        ^");
}

TEST(ParseYaml, AliasesCannotMultiplyWithoutBound) {
  std::string text = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]\n";
  for (int i = 1; i < 20; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int copy = 0; copy < 8; ++copy) text += ", " + last;
    text += "]\n";
  }
  EXPECT_EQ(ProblemsIn(text).substr(0, 66),
            "a.yaml:6:5: more than 100000 values, with every alias written out\n");
}

TEST(ParseYaml, MergeKeysCannotMultiplyWithoutBound) {
  std::string text = "a: &a {";
  for (int i = 0; i < 1000; ++i) text += "k" + std::to_string(i) + ": 1, ";
  text += "}\nb:\n";
  for (int i = 0; i < 200; ++i) text += "- <<: *a\n";
  EXPECT_EQ(ProblemsIn(text),
            "a.yaml:102:3: `<<` makes more than 100000 values in all\n"
            "  102 | - <<: *a\n"
            "      |   ^");
}

TEST(ParseYaml, NestingIsBounded) {
  EXPECT_EQ(ProblemsIn(std::string(200, '[') + std::string(200, ']')).substr(0, 57),
            "a.yaml:1:100: more than 100 values inside one another\n   ");
  for (const char* open : {"[", "{", "- ", "{a: ", "? "}) {
    std::string text;
    for (int i = 0; i < 20'000; ++i) text += open;
    EXPECT_NE(ProblemsIn(text).find("too many values inside one another"), std::string::npos);
  }
}

TEST(ParseYaml, AMissingItemIsShownAtItsDash) {
  Problems problems;
  const YamlNode node = YamlOf("a:\n  - x\n  -\n  # remark\n  - y\n", problems);
  const YamlNode item = node.Find("a")->items().at(1);
  EXPECT_TRUE(item.is_null());
  EXPECT_EQ(item.position().line, 2u);
  EXPECT_EQ(item.position().column, 2u);
}

TEST(YamlNode, KnowsHowItIsAddressed) {
  Problems problems;
  const YamlNode root = YamlOf("pipeline: [train, {augment: {size: [1, 2]}}]", problems);
  const YamlNode size = *root.Find("pipeline")->items()[1].entries()[0].value.Find("size");
  EXPECT_EQ(size.path(), "pipeline.augment.size");
  EXPECT_EQ(size.items()[1].path(), "pipeline.augment.size.1");
  EXPECT_EQ(size.items()[1].name(), "size[1]");
  EXPECT_EQ(root.Find("pipeline")->items()[0].path(), "pipeline.0");
}

class ReadYamlTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) /
              ("weir_read_yaml_" + std::to_string(::getpid()));
    std::filesystem::create_directory(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string ProblemsOfFile(const std::string& name) {
    Problems problems;
    ReadYaml(folder_ / name, problems);
    std::string text = problems.text();
    for (std::size_t at; (at = text.find(folder_.string())) != std::string::npos;) {
      text.replace(at, folder_.string().size(), "DIR");
    }
    return text;
  }
  void Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }

  std::filesystem::path folder_;
};

TEST_F(ReadYamlTest, SaysWhyAFileCannotBeRead) {
  Write("article.yaml", "a: 1\n");
  Write("empty.yaml", "# nothing\n");
  Write("large.yaml", std::string((1 << 20) + 1, '#'));
  EXPECT_EQ(ProblemsOfFile("artcle.yaml"),
            "DIR/artcle.yaml: no such file; did you mean `DIR/article.yaml`?");
  EXPECT_EQ(ProblemsOfFile("z.yaml"), "DIR/z.yaml: no such file");
  EXPECT_EQ(ProblemsOfFile("nowhere/z.yaml"), "DIR/nowhere/z.yaml: no such file");
  EXPECT_EQ(ProblemsOfFile("."), "DIR/.: is a folder, not a file; a configuration is a YAML file");
  EXPECT_EQ(ProblemsOfFile("empty.yaml"), "DIR/empty.yaml: the file is empty");
  EXPECT_EQ(ProblemsOfFile("large.yaml"),
            "DIR/large.yaml: too large for a configuration, which has at most 1 MiB");
  EXPECT_EQ(ProblemsOfFile("article.yaml"), "");
}

TEST_F(ReadYamlTest, RefusesAPipeThatNobodyWritesTo) {
  ASSERT_EQ(::mkfifo((folder_ / "pipe.yaml").c_str(), 0600), 0);
  EXPECT_EQ(ProblemsOfFile("pipe.yaml"),
            "DIR/pipe.yaml: is a named pipe, not a file; a configuration is a YAML file");
}

TEST(Problems, AreThrownTogether) {
  Problems problems;
  problems.Add({}, "one");
  problems.Add({}, "two");
  try {
    problems.ThrowIfAny();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfig);
    EXPECT_STREQ(error.what(), "one\ntwo");
  }
}

TEST(Problems, ShowsTheFirstFiftyAndCountsTheRest) {
  Problems problems;
  for (int i = 0; i < 60; ++i) problems.Add({}, "p");
  EXPECT_EQ(problems.text().substr(98), "p\nand 10 more problems");
  EXPECT_EQ(problems.messages().size(), 60u);
}

// Garbage that is nearly YAML: it may be refused, and never more than that; what is read is
// written and read back as the same.
TEST(ParseYaml, SurvivesGarbage) {
  const std::string alphabet = "ab1:-{}[],&*<#|>'\"?!%@`~. \n\n  \t\\=é";
  std::mt19937 random(20240229);
  int understood = 0;
  for (int i = 0; i < 6000; ++i) {
    std::string text;
    for (std::size_t length = random() % 60; text.size() < length;) {
      text += i % 3 == 0 ? static_cast<char>(random() % 256) : alphabet[random() % alphabet.size()];
    }
    Problems problems;
    const YamlNode node = YamlOf(text, problems);
    problems.text();
    if (!problems.empty()) continue;
    ++understood;
    EXPECT_EQ(Reemitted(EmitYaml(node)), EmitFlow(node)) << text;
  }
  EXPECT_GT(understood, 500);
}

// Every cut and every changed byte of a sensible file.
TEST(ParseYaml, SurvivesDamage) {
  const std::string sound =
      "name: x  # remark\npipeline:\n  - directory: {path: \"a b\", split: 0.2}\n  - &t train\n"
      "model: {head: [*t, {dense: {units: 3}}]}\ntext: |\n  one\n  two\n";
  for (std::size_t cut = 0; cut < sound.size(); ++cut) ProblemsIn(sound.substr(0, cut));
  std::mt19937 random(7);
  for (int i = 0; i < 4000; ++i) {
    std::string text = sound;
    text[random() % text.size()] = static_cast<char>(' ' + random() % 95);
    text[random() % text.size()] = sound[random() % sound.size()];
    ProblemsIn(text);
  }
}

}  // namespace
}  // namespace weir
