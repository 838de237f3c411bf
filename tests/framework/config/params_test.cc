#include "framework/config/params.h"

#include <gtest/gtest.h>

#include <random>

#include "framework/config/yaml_emitter.h"
#include "tests/framework/config/yaml_text.h"

namespace weir {

enum class Fill { kNearest, kConstant };
template <>
struct EnumNames<Fill> {
  static constexpr std::array kNames{std::pair{"nearest", Fill::kNearest},
                                     std::pair{"constant", Fill::kConstant}};
};

namespace {

enum class Loss { kSquared, kAbsolute };

struct Cache {
  std::filesystem::path folder;
  ByteSize limit{64 << 20};
  static auto Fields() {
    return std::tuple{Field{"folder", &Cache::folder, "Where.", Required{}},
                      Field{"limit", &Cache::limit, "At most.", AtLeast{ByteSize{1 << 20}}}};
  }
};

struct Params {
  int epochs = 10;
  double shear = 0;
  double scale = 1;
  bool flip = false;
  std::uint64_t seed = 1;
  std::int64_t offset = 0;
  std::string note = "none";
  std::string optimizer = "adam";
  Fill fill = Fill::kNearest;
  Loss loss = Loss::kSquared;
  std::array<int, 2> size{224, 224};
  std::vector<double> steps;
  std::optional<int> limit;
  Auto<int> threads;
  YamlNode raw;

  static auto Fields() {
    return std::tuple{Field{"epochs", &Params::epochs, "Times round."},
                      Field{"shear", &Params::shear, "In degrees.", Range{0, 180}},
                      Field{"scale", &Params::scale, "Factor.", MoreThan{0}},
                      Field{"flip", &Params::flip, "Half of them."},
                      Field{"seed", &Params::seed, "Of the numbers."},
                      Field{"offset", &Params::offset, "Added."},
                      Field{"note", &Params::note, "Free."},
                      Field{"optimizer", &Params::optimizer, "Which.", Choices{"adam", "sgd"}},
                      Field{"fill", &Params::fill, "Outside."},
                      Field{"loss", &Params::loss, "Of one.",
                            Choices{{"squared", Loss::kSquared}, {"absolute", Loss::kAbsolute}}},
                      Field{"size", &Params::size, "Height, width.", Range{32, 4096}},
                      Field{"steps", &Params::steps, "When."},
                      Field{"limit", &Params::limit, "Or none."},
                      Field{"threads", &Params::threads, "Workers.", Range{1, 1024}},
                      Field{"raw", &Params::raw, "Read elsewhere."}};
  }
  void Check(const Blame& blame) const {
    if (limit && *limit > epochs) blame("limit", "`limit` takes at most `epochs`");
  }
};

struct Outer {
  Cache cache;
  std::vector<Cache> more;
  static auto Fields() {
    return std::tuple{Field{"cache", &Outer::cache, "One."}, Field{"more", &Outer::more, "Many."}};
  }
};

TEST(Parse, ReadsEveryType) {
  const Params params = Read<Params>(
      "{epochs: 3, shear: 0.2, scale: 1/255, flip: true, seed: 18446744073709551615, offset: -7,\n"
      " note: 2024, optimizer: sgd, fill: constant, loss: absolute, size: [64, 96],\n"
      " steps: [1, .5, 1e-3], limit: 2, threads: 4, raw: {x: [1]}}\n");
  EXPECT_EQ(params.epochs, 3);
  EXPECT_DOUBLE_EQ(params.shear, 0.2);
  EXPECT_DOUBLE_EQ(params.scale, 1.0 / 255);
  EXPECT_TRUE(params.flip);
  EXPECT_EQ(params.seed, UINT64_MAX);
  EXPECT_EQ(params.offset, -7);
  EXPECT_EQ(params.note, "2024");
  EXPECT_EQ(params.optimizer, "sgd");
  EXPECT_EQ(params.fill, Fill::kConstant);
  EXPECT_EQ(params.loss, Loss::kAbsolute);
  EXPECT_EQ(params.size, (std::array{64, 96}));
  EXPECT_EQ(params.steps, (std::vector<double>{1, .5, 1e-3}));
  EXPECT_EQ(params.limit, 2);
  EXPECT_EQ(params.threads.value(), 4);
  EXPECT_EQ(params.raw.Find("x")->items().at(0).scalar(), "1");
}

TEST(Parse, WhatIsNotWrittenKeepsItsDefault) {
  for (const char* text : {"", "{}", "threads: auto\nlimit: ~\n"}) {
    const Params params = Read<Params>(text);
    EXPECT_EQ(params.epochs, 10);
    EXPECT_FALSE(params.limit);
    EXPECT_TRUE(params.threads.is_auto());
  }
}

TEST(Parse, PathsAreRelativeToTheFolderOfTheFile) {
  const Outer outer =
      Read<Outer>("cache: {folder: x, limit: 1.5GiB}\nmore: [{folder: /y}, {folder: ../z}]\n");
  EXPECT_EQ(outer.cache.folder, "cfg/x");
  EXPECT_EQ(outer.cache.limit, (ByteSize{1610612736}));
  EXPECT_EQ(outer.more.at(0).folder, "/y");
  EXPECT_EQ(outer.more.at(1).folder, "cfg/../z");
}

TEST(Parse, AnAddressLiesInNoFolder) {
  const auto outer = Read<Outer>("cache: {folder: 'https://host/a/../b.tar'}\n");
  EXPECT_EQ(outer.cache.folder, "https://host/a/../b.tar");
  EXPECT_EQ(ToYaml(outer).Find("cache")->Find("folder")->scalar(), "https://host/a/../b.tar");
  EXPECT_EQ(Read<Outer>("cache: {folder: '://x'}\n").cache.folder, "cfg/://x");
}

TEST(Parse, NamesAnUnknownKeyAndWhatWasMeant) {
  EXPECT_EQ(ProblemsOf<Params>("epoch: 3"),
            "a.yaml:1:1: unknown key `epoch`; did you mean `epochs`?\n"
            "    1 | epoch: 3\n"
            "      | ^");
  EXPECT_EQ(ProblemsOf<Outer>("cache: {folder: x, colour: red}"),
            "a.yaml:1:20: unknown key `colour` in cache; it takes folder and limit\n"
            "    1 | cache: {folder: x, colour: red}\n"
            "      |                    ^");
}

TEST(Parse, ListsAllProblemsInTheOrderOfTheFile) {
  EXPECT_EQ(ProblemsOf<Params>("flip: maybe\nepochs: ten\nshear: -4\n"),
            "a.yaml:1:7: `flip` takes true or false, not `maybe`\n"
            "    1 | flip: maybe\n"
            "      |       ^\n"
            "a.yaml:2:9: `epochs` takes a whole number, not `ten`\n"
            "    2 | epochs: ten\n"
            "      |         ^\n"
            "a.yaml:3:8: `shear` takes 0 to 180, not -4\n"
            "    3 | shear: -4\n"
            "      |        ^");
}

// The first line of what is wrong, without the place.
template <class P>
std::string Wrong(const std::string& text) {
  const std::string all = ProblemsOf<P>(text);
  const std::string line = all.substr(0, all.find('\n'));
  const std::size_t begin = line.find(": ");
  return begin == std::string::npos ? line : line.substr(begin + 2);
}

TEST(Parse, TakesOnlyWholeNumbersWhereTheyAreAskedFor) {
  const std::string takes = "`epochs` takes a whole number, not ";
  EXPECT_EQ(Wrong<Params>("epochs: 3.5"), takes + "`3.5`");
  EXPECT_EQ(Wrong<Params>("epochs: 1e3"), takes + "`1e3`");
  EXPECT_EQ(Wrong<Params>("epochs: yes"), takes + "`yes`");
  EXPECT_EQ(Wrong<Params>("epochs: true"), takes + "`true`");
  EXPECT_EQ(Wrong<Params>("epochs: '3'"), takes + "the text `3`");
  EXPECT_EQ(Wrong<Params>("epochs: 0x10"), takes + "`0x10`");
  EXPECT_EQ(Wrong<Params>("epochs: +-1"), takes + "`+-1`");
  EXPECT_EQ(Wrong<Params>("epochs: [1]"), takes + "a list");
  EXPECT_EQ(Wrong<Params>("epochs: {a: 1}"), takes + "a map");
  EXPECT_EQ(Wrong<Params>("epochs:"),
            "`epochs` takes a whole number, but nothing is written there");
}

TEST(Parse, NumbersThatDoNotFitSaySo) {
  EXPECT_EQ(Wrong<Params>("epochs: 99999999999"),
            "`epochs` takes a whole number of at most 2147483647, not `99999999999`");
  EXPECT_EQ(Wrong<Params>("epochs: -99999999999"),
            "`epochs` takes a whole number of at least -2147483648, not `-99999999999`");
  EXPECT_EQ(Wrong<Params>("seed: -1"), "`seed` takes a whole number of at least 0, not `-1`");
  EXPECT_EQ(Wrong<Params>("size: [32, 99999999999]"),
            "`size[1]` takes 32 to 4096, not `99999999999`");
  EXPECT_EQ(Wrong<Params>("scale: 1e999"),
            "`scale` takes a number that a double can hold, not `1e999`");
}

TEST(Parse, TakesOnlyFiniteNumbers) {
  EXPECT_EQ(Wrong<Params>("scale: nan"), "`scale` takes a finite number, not `nan`");
  EXPECT_EQ(Wrong<Params>("scale: .inf"), "`scale` takes a number, not `.inf`");
  EXPECT_EQ(Wrong<Params>("scale: 1/0"), "`scale` takes a finite number, not `1/0`");
  EXPECT_EQ(Wrong<Params>("scale: 1/2/3"), "`scale` takes a number, not `1/2/3`");
  EXPECT_EQ(Wrong<Params>("scale: 0"), "`scale` takes more than 0, not 0");
}

// A schema cannot tell '256MiB' from 256MiB, so quotes do not matter where a text can be meant.
TEST(Parse, QuotesDoNotMatterWhereTheSchemaTakesATextToo) {
  EXPECT_EQ(Read<Params>("scale: '1/4'").scale, 0.25);
  EXPECT_EQ(Read<Params>("scale: \"1e-3\"").scale, 1e-3);
  EXPECT_TRUE(Read<Params>("threads: 'auto'").threads.is_auto());
  EXPECT_EQ(Wrong<Params>("scale: 'x'"), "`scale` takes a number, not the text `x`");
}

TEST(Parse, NamesTheChoices) {
  EXPECT_EQ(Wrong<Params>("fill: neares"),
            "`fill` takes nearest or constant, not `neares`; did you mean `nearest`?");
  EXPECT_EQ(Wrong<Params>("loss: cubed"), "`loss` takes squared or absolute, not `cubed`");
  EXPECT_EQ(Wrong<Params>("optimizer: []"), "`optimizer` takes adam or sgd, not a list");
}

TEST(Parse, ChecksListsAndTheirElements) {
  EXPECT_EQ(Wrong<Params>("size: [224]"), "`size` takes a list of 2 whole numbers, not 1");
  EXPECT_EQ(Wrong<Params>("size: 224"), "`size` takes a list of 2 whole numbers, not `224`");
  EXPECT_EQ(Wrong<Params>("size: [224, 8]"), "`size[1]` takes 32 to 4096, not 8");
  EXPECT_EQ(Wrong<Params>("steps: [1, x]"), "`steps[1]` takes a number, not `x`");
  EXPECT_EQ(Wrong<Params>("threads: 0"), "`threads` takes auto or 1 to 1024, not 0");
  EXPECT_EQ(Wrong<Params>("threads: many"), "`threads` takes auto or a whole number, not `many`");
}

TEST(Parse, MissesWhatIsRequired) {
  EXPECT_EQ(Wrong<Outer>("{}"), "missing required key `folder` in cache");
  EXPECT_EQ(Wrong<Outer>("cache: {}"), "missing required key `folder` in cache");
  EXPECT_EQ(Wrong<Outer>("cache:"), "missing required key `folder` in cache");
  EXPECT_EQ(Wrong<Outer>("cache: {folder: ''}"), "`folder` takes a path, not the text ``");
  EXPECT_EQ(Wrong<Outer>("cache: {folder: x, limit: 5}"), "`limit` takes 1MiB or more, not 5");
  EXPECT_EQ(Wrong<Outer>("cache: {folder: x, limit: 9G}"),
            "`limit` takes a size, and `9G` has no unit that weir knows; write 9GiB or 9GB");
  EXPECT_EQ(Wrong<Outer>("cache: 3"), "`cache` takes a map of keys, not `3`");
  EXPECT_EQ(Wrong<Outer>("- 3"), "the configuration takes a map of keys, not a list");
}

TEST(Parse, ConditionsBetweenFieldsBlameOne) {
  EXPECT_EQ(ProblemsOf<Params>("epochs: 3\nlimit: 5\n"),
            "a.yaml:2:8: `limit` takes at most `epochs`\n"
            "    2 | limit: 5\n"
            "      |        ^");
}

TEST(ToYaml, ReadsBackToTheSame) {
  const std::string text =
      "{epochs: 3, scale: 1/255, note: 'true', fill: constant, size: [64, 96], steps: [1e-9],\n"
      " limit: 2, threads: 4, raw: {x: [a, {b: ~}]}}\n";
  const std::string written = EmitYaml(ToYaml(Read<Params>(text)));
  EXPECT_EQ(EmitYaml(ToYaml(Read<Params>(written))), written);
  EXPECT_EQ(written,
            "epochs: 3\nshear: 0\nscale: 0.00392156862745098\nflip: false\nseed: 1\noffset: 0\n"
            "note: \"true\"\noptimizer: adam\nfill: constant\nloss: squared\nsize: [64, 96]\n"
            "steps: [1e-09]\nlimit: 2\nthreads: 4\n"
            "raw:\n  x:\n    - a\n    - b: ~\n");
}

// Any value under any key is read or refused in words, and never more than that.
TEST(Parse, SurvivesGarbage) {
  std::vector<std::string> keys = {"none"};
  for (const FieldDoc& field : Describe<Params>()) keys.push_back(field.name);
  const std::string alphabet = "0123456789eE+-./~[]{},: aut'MGiB_x";
  std::mt19937 random(11);
  int refused = 0;
  for (int i = 0; i < 6000; ++i) {
    std::string value;
    for (std::size_t length = random() % 12; length > 0; --length) {
      value += alphabet[random() % alphabet.size()];
    }
    const std::string problems = ProblemsOf<Params>(keys[random() % keys.size()] + ": " + value);
    if (!problems.empty()) ++refused;
  }
  EXPECT_GT(refused, 1000);
}

TEST(Describe, GivesTheHelpText) {
  const std::vector<FieldDoc> docs = Describe<Params>();
  ASSERT_EQ(docs.size(), 15u);
  EXPECT_EQ(docs[1].name, "shear");
  EXPECT_EQ(docs[1].type, "a number");
  EXPECT_EQ(docs[1].default_value, "0");
  EXPECT_EQ(docs[1].range, "0 to 180");
  EXPECT_EQ(docs[1].doc, "In degrees.");
  EXPECT_EQ(docs[2].range, "more than 0");
  EXPECT_EQ(docs[8].choices, (std::vector<std::string>{"nearest", "constant"}));
  EXPECT_EQ(docs[10].type, "a list of 2 whole numbers");
  EXPECT_EQ(docs[10].default_value, "[224, 224]");
  EXPECT_EQ(docs[13].type, "auto or a whole number");

  const std::vector<FieldDoc> outer = Describe<Outer>();
  EXPECT_EQ(outer[1].type, "a list of maps");
  ASSERT_EQ(outer[1].nested.size(), 2u);
  EXPECT_TRUE(outer[1].nested[0].required);
  EXPECT_EQ(outer[1].nested[0].default_value, "");
  EXPECT_EQ(outer[1].nested[1].range, "1MiB or more");
}

struct Sharing {
  int epochs = 10;
  Cache common{.folder = "kept"};
  static auto Fields() {
    return std::tuple_cat(std::tuple{Field{"epochs", &Sharing::epochs, "Times round."}},
                          FieldsOf(&Sharing::common));
  }
};

TEST(FieldsOf, PutsTheKeysOfAMemberBesideTheOthers) {
  const Sharing read = Read<Sharing>("{limit: 2MiB, epochs: 3, folder: /a}");
  EXPECT_EQ(read.epochs, 3);
  EXPECT_EQ(read.common.folder, "/a");
  EXPECT_EQ(read.common.limit.bytes, std::size_t{2} << 20);
  EXPECT_EQ(EmitFlow(ToYaml(read)), "{epochs: 3, folder: /a, limit: 2MiB}");
  EXPECT_EQ(ProblemsOf<Sharing>("{folder: /a, limit: 1KiB}"),
            "a.yaml:1:21: `limit` takes 1MiB or more, not 1KiB\n"
            "    1 | {folder: /a, limit: 1KiB}\n"
            "      |                     ^");
  EXPECT_EQ(ProblemsOf<Sharing>("{epochs: 3}"),
            "a.yaml:1:1: missing required key `folder`\n"
            "    1 | {epochs: 3}\n"
            "      | ^");
  const std::vector<FieldDoc> docs = Describe<Sharing>();
  ASSERT_EQ(docs.size(), 3u);
  EXPECT_EQ(docs[2].name, "limit");
  EXPECT_EQ(docs[2].default_value, "64MiB");
  EXPECT_TRUE(SchemaOf<Sharing>().Find("properties")->Find("limit"));
}

struct Renamed {
  Duration interval{60};
  int rate = 1;

  static auto Fields() {
    return std::tuple{Field{"interval", &Renamed::interval, "How often.", AtLeast{Duration{1}},
                            WasCalled{"interval_seconds"}, WasCalled{"every"}},
                      Field{"rate", &Renamed::rate, "How many.", Range{1, 8}}};
  }
};

TEST(Parse, ReadsALengthOfTime) {
  EXPECT_EQ(Read<Renamed>("interval: 5min").interval.seconds, 300);
  EXPECT_EQ(Read<Renamed>("interval: 5").interval.seconds, 5);
  EXPECT_EQ(Read<Renamed>("interval: '5min'").interval.seconds, 300);
  EXPECT_EQ(ProblemsOf<Renamed>("interval: 10ms"),
            "a.yaml:1:11: `interval` takes 1s or more, not 10ms\n"
            "    1 | interval: 10ms\n"
            "      |           ^");
  EXPECT_EQ(ProblemsOf<Renamed>("interval: 5m"),
            "a.yaml:1:11: `interval` takes a length of time, and `5m` has no unit that weir knows; "
            "write ms, s, min, h or d\n"
            "    1 | interval: 5m\n"
            "      |           ^");
  EXPECT_EQ(EmitFlow(ToYaml(Renamed{})), "{interval: 1min, rate: 1}");
}

TEST(Parse, ReadsAnOldNameAndGivesTheNewOne) {
  Problems problems;
  const auto params = Parse<Renamed>(YamlOf("interval_seconds: 7", problems), problems);
  EXPECT_EQ(params.interval.seconds, 7);
  EXPECT_TRUE(problems.empty());
  ASSERT_EQ(problems.warnings().size(), 1u);
  EXPECT_EQ(problems.warnings()[0],
            "a.yaml:1:19: `interval_seconds` is called `interval` now\n"
            "    1 | interval_seconds: 7\n"
            "      |                   ^");
  EXPECT_EQ(ProblemsOf<Renamed>("interval: 7\nevery: 8"),
            "a.yaml:2:8: `every` is called `interval` now, which stands there too: remove one of "
            "them\n"
            "    2 | every: 8\n"
            "      |        ^");
  const FieldDoc doc = Describe<Renamed>()[0];
  EXPECT_EQ(doc.old_names, (std::vector<std::string>{"interval_seconds", "every"}));
}

TEST(SchemaOf, SaysWhatEachTypeTakes) {
  EXPECT_EQ(EmitFlow(SchemaOf<Cache>()),
            R"({type: ["object", "null"], properties: {folder: {type: ["string", "number", )"
            R"("boolean"], description: "Where."}, limit: {anyOf: [{type: "integer", minimum: 0}, )"
            R"({type: "string", pattern: "^[0-9]+(\\.[0-9]{1,6})? ?([kKmMgGtT][iI]?)?[bB]$"}], )"
            R"(description: "At most.", default: 64MiB}}, additionalProperties: false, required: )"
            R"(["folder"]})");
  const YamlNode properties = *SchemaOf<Params>().Find("properties");
  const auto form = [&](const char* name) {
    return EmitFlow(properties.Find(name)->Without("description").Without("default"));
  };
  EXPECT_EQ(form("epochs"), R"({type: "integer"})");
  EXPECT_EQ(form("flip"), R"({type: "boolean"})");
  EXPECT_EQ(form("optimizer"), R"({enum: ["adam", "sgd"]})");
  EXPECT_EQ(form("fill"), R"({enum: ["nearest", "constant"]})");
  EXPECT_EQ(form("size"),
            R"({type: "array", items: {type: "integer", minimum: 32, maximum: 4096}, )"
            R"(minItems: 2, maxItems: 2})");
  EXPECT_EQ(form("limit"), R"({anyOf: [{type: "null"}, {type: "integer"}]})");
  EXPECT_EQ(form("threads"),
            R"({anyOf: [{enum: ["auto"]}, {type: "integer", minimum: 1, maximum: 1024}]})");
  EXPECT_EQ(form("raw"), "{}");
  const YamlNode scale = properties.Find("scale")->Find("anyOf")->items()[0];
  EXPECT_EQ(EmitFlow(scale), R"({type: "number", exclusiveMinimum: 0})");
  EXPECT_EQ(EmitFlow(*SchemaOf<Renamed>().Find("properties")->Find("every")->Find("deprecated")),
            "true");
}

}  // namespace
}  // namespace weir
