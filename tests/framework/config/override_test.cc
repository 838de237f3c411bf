#include "framework/config/override.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "framework/config/yaml_emitter.h"
#include "tests/framework/config/yaml_text.h"
#include "tests/support/scoped_variable.h"

namespace weir {
namespace {

constexpr char kText[] =
    "threads: auto\n"
    "pipeline:\n"
    "  - directory: {path: data, split: 0.2}\n"
    "  - decode:\n"
    "  - train\n"
    "model:\n"
    "  head: [pool, {dense: {units: 8}}, {dense: {units: 2}}]\n"
    "list: []\n";

std::string After(const std::string& option, const std::string& key) {
  Problems problems;
  const YamlNode tree = ApplyOverride(YamlOf(kText, problems), option, problems);
  problems.ThrowIfAny();
  return EmitFlow(tree.Find(key).value_or(YamlNode()));
}

std::string Refusal(const std::string& option) {
  Problems problems;
  const YamlNode before = YamlOf(kText, problems);
  const YamlNode after = ApplyOverride(before, option, problems);
  EXPECT_EQ(EmitYaml(after), EmitYaml(before));
  return problems.text();
}

TEST(ApplyOverride, SetsAKeyByItsPath) {
  EXPECT_EQ(After("threads=2", "threads"), "2");
  EXPECT_EQ(After("memory.host=256MiB", "memory"), "{host: 256MiB}");
  EXPECT_EQ(After("model.frozen=none", "model"),
            "{head: [pool, {dense: {units: 8}}, {dense: {units: 2}}], frozen: none}");
  EXPECT_EQ(After("name=a=b", "name"), "a=b");
  EXPECT_EQ(After("a={b: [1, {c: 2}]}", "a"), "{b: [1, {c: 2}]}");
}

TEST(ApplyOverride, TakesAPlainTextAsItIs) {
  for (const std::string text :
       {"photos #1", "a #b #c", "it's #1", "my photos: new", "&x", "*x y", "!x", "@home", "%x", "|",
        ">x", "`x`", "-x", "? x", "#1", "a, b"}) {
    Problems problems;
    const YamlNode tree = ApplyOverride(YamlOf("", problems), "a=" + text, problems);
    EXPECT_EQ(problems.text(), "") << text;
    EXPECT_EQ(tree.Find("a")->scalar(), text);
  }
  EXPECT_EQ(After("a=  3 ", "a"), "3");
  EXPECT_EQ(After("a=", "a"), "~");
  EXPECT_EQ(After("a=null", "a"), "~");
  EXPECT_EQ(After("a=adam: {rate: 1}", "a"), "{adam: {rate: 1}}");
}

TEST(ApplyOverride, RefusesWhatWouldBeLostAsAComment) {
  const std::string how =
      ": a `#` begins a comment here: put the text that it belongs to in quotes\n";
  EXPECT_EQ(Refusal("a=[photos #1, b]"),
            "--set a=[photos #1, b]" + how + "  --set a=[photos #1, b]\n                  ^");
  EXPECT_EQ(Refusal("a=\"b\" #1"),
            "--set a=\"b\" #1" + how + "  --set a=\"b\" #1\n              ^");
  for (const std::string value : {"[1]#2", "{b: 1}#2", "\"b\"#2", "'b'#2", "b: {c: 1}#2"}) {
    EXPECT_EQ(Refusal("a=" + value).substr(8 + value.size(), how.size()), how) << value;
  }
  for (const std::string value : {"[b#2]", "[it'#2]", "{b: c#2}"}) {
    EXPECT_EQ(After("a=" + value, "a"), value);
  }
  EXPECT_EQ(After("a=b: c]#2", "a"), "{b: \"c]#2\"}");
  EXPECT_EQ(After("a=[\"photos #1\", 'b #2', it's#3]", "a"), "[\"photos #1\", \"b #2\", it's#3]");
  EXPECT_EQ(After("a=['it''s #1', \"a \\\" #2\"]", "a"), R"(["it's #1", "a \" #2"])");
}

TEST(ApplyOverride, SetsAStageByItsName) {
  EXPECT_EQ(After("pipeline.directory.path=photos", "pipeline"),
            "[{directory: {path: photos, split: 0.2}}, {decode: ~}, train]");
  EXPECT_EQ(After("pipeline.decode.max=3", "pipeline"),
            "[{directory: {path: data, split: 0.2}}, {decode: {max: 3}}, train]");
  EXPECT_EQ(After("pipeline.train.x=[64, 64]", "pipeline"),
            "[{directory: {path: data, split: 0.2}}, {decode: ~}, {train: {x: [64, 64]}}]");
}

TEST(ApplyOverride, SetsAnItemByItsIndex) {
  EXPECT_EQ(After("model.head.1.dense.units=64", "model"),
            "{head: [pool, {dense: {units: 64}}, {dense: {units: 2}}]}");
  EXPECT_EQ(After("model.head.0.pool.kind=max", "model"),
            "{head: [{pool: {kind: max}}, {dense: {units: 8}}, {dense: {units: 2}}]}");
  EXPECT_EQ(After("model.head.0=flatten", "model"),
            "{head: [flatten, {dense: {units: 8}}, {dense: {units: 2}}]}");
}

TEST(ApplyOverride, SaysWhatThereIs) {
  EXPECT_EQ(Refusal("pipeline.directry.path=x"),
            "--set pipeline.directry.path=x: no `directry` in `pipeline`; "
            "did you mean `directory`?\n"
            "  --set pipeline.directry.path=x\n"
            "                 ^");
  EXPECT_EQ(Refusal("pipeline.warp.x=1"),
            "--set pipeline.warp.x=1: no `warp` in `pipeline`; it has directory, decode and train\n"
            "  --set pipeline.warp.x=1\n"
            "                 ^");
  EXPECT_EQ(Refusal("model.head.dense.units=1"),
            "--set model.head.dense.units=1: there are 2 `dense` in `model.head`; "
            "write model.head.1.dense or model.head.2.dense\n"
            "  --set model.head.dense.units=1\n"
            "                   ^");
  EXPECT_EQ(Refusal("model.head.3.units=1"),
            "--set model.head.3.units=1: no item 3 in `model.head`, which has 0 to 2\n"
            "  --set model.head.3.units=1\n"
            "                   ^");
  EXPECT_EQ(Refusal("list.99999999999999999999=1"),
            "--set list.99999999999999999999=1: no item 99999999999999999999 in `list`, "
            "which is empty\n"
            "  --set list.99999999999999999999=1\n"
            "             ^");
  EXPECT_EQ(Refusal("threads.count=1"),
            "--set threads.count=1: `threads` is `auto` and has no keys\n"
            "  --set threads.count=1\n"
            "                ^");
}

TEST(ApplyOverride, SaysHowItIsWritten) {
  const std::string how = ": write a key and its value: --set KEY=VALUE\n";
  EXPECT_EQ(Refusal("epochs"), "--set epochs" + how + "  --set epochs\n              ^");
  EXPECT_EQ(Refusal("=3"), "--set =3" + how + "  --set =3\n        ^");
  EXPECT_EQ(Refusal("a..b=3"),
            "--set a..b=3: a name is missing in the path of the key\n"
            "  --set a..b=3\n"
            "          ^");
  EXPECT_EQ(Refusal("size=[1, 2"),
            "--set size=[1, 2: this `[` is never closed\n"
            "  --set size=[1, 2\n"
            "             ^");
}

struct Training {
  int epochs = 1;
  std::filesystem::path out;
  static auto Fields() {
    return std::tuple{Field{"epochs", &Training::epochs, "Times round."},
                      Field{"out", &Training::out, "Where."}};
  }
};
struct Whole {
  Training training;
  static auto Fields() { return std::tuple{Field{"training", &Whole::training, "How."}}; }
};

std::string ProblemsAfter(const std::string& option) {
  Problems problems;
  Parse<Whole>(ApplyOverride(YamlOf("training: {epochs: 2}", problems), option, problems),
               problems);
  return problems.text();
}

TEST(ApplyOverride, WhatTheSchemaRefusesIsShownInTheOption) {
  EXPECT_EQ(ProblemsAfter("training.epoch=3"),
            "--set training.epoch=3: unknown key `epoch` in training; did you mean `epochs`?\n"
            "  --set training.epoch=3\n"
            "                 ^");
  EXPECT_EQ(ProblemsAfter("training.epochs=ten"),
            "--set training.epochs=ten: `epochs` takes a whole number, not `ten`\n"
            "  --set training.epochs=ten\n"
            "                        ^");
  EXPECT_EQ(ProblemsAfter("training.epochs="),
            "--set training.epochs=: `epochs` takes a whole number, but nothing is written there\n"
            "  --set training.epochs=\n"
            "                        ^");
  EXPECT_EQ(ProblemsAfter("trainin.epochs=3"),
            "--set trainin.epochs=3: unknown key `trainin`; did you mean `training`?\n"
            "  --set trainin.epochs=3\n"
            "        ^");
}

TEST(ApplyOverride, PathsAreRelativeToTheWorkingDirectory) {
  Problems problems;
  const YamlNode tree = YamlOf("training: {out: runs}", problems);
  EXPECT_EQ(Parse<Whole>(tree).training.out, "cfg/runs");
  EXPECT_EQ(Parse<Whole>(ApplyOverride(tree, "training.out=runs", problems)).training.out, "runs");
}

TEST(ApplyOverride, ATildeIsTheHomeFolder) {
  const ScopedVariable home("HOME", "/users/ann");
  const auto out = [](const std::string& option) {
    Problems problems;
    const YamlNode tree =
        ApplyOverride(YamlOf("training: {out: ~/runs}", problems), option, problems);
    const Whole whole = Parse<Whole>(tree, problems);
    return problems.empty() ? whole.training.out.string() : problems.text();
  };
  EXPECT_EQ(out("training.epochs=1"), "/users/ann/runs") << "in the file";
  EXPECT_EQ(out("training.out=~"), "/users/ann");
  EXPECT_EQ(out("training.out=~/a b #1"), "/users/ann/a b #1");
  EXPECT_EQ(out("training.out=./~/x"), "./~/x");
  EXPECT_EQ(out("training.out=~bob/x"),
            "--set training.out=~bob/x: `out` takes a path, and the home folder `~bob` is not "
            "looked up: write it out (or ./~bob for a file of that name)\n"
            "  --set training.out=~bob/x\n"
            "                     ^");
  const ScopedVariable no_home("HOME", nullptr);
  EXPECT_EQ(out("training.out=~/x"),
            "--set training.out=~/x: `out` takes a path, and `~` has no meaning, as HOME is not "
            "set\n  --set training.out=~/x\n                     ^");
}

TEST(ApplyOverride, SurvivesGarbage) {
  const std::string alphabet = "pipelinetrain012..=={}[]:,-&*'\" \n";
  std::mt19937 random(3);
  Problems ignored;
  const YamlNode tree = YamlOf(kText, ignored);
  for (int i = 0; i < 4000; ++i) {
    std::string option = i % 2 == 0 ? "pipeline." : "model.head.";
    for (std::size_t length = random() % 30; length > 0; --length) {
      option += alphabet[random() % alphabet.size()];
    }
    Problems problems;
    EmitYaml(ApplyOverride(tree, option, problems));
    problems.text();
  }
}

}  // namespace
}  // namespace weir
