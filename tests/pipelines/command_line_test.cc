// The words of the command line and of the configuration: those that there are, those that other
// programs have for them, and what explains both.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/drawn_pictures.h"
#include "tests/support/weir_process.h"

namespace weir {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Override, ThatIsWrongIsNamedWithItsPlace) {
  const ProcessOutcome outcome = Weir(DrawnDemo("run", {"--set", "training.epoch=3"}));
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, AllOf(StartsWith("weir: --set training.epoch=3:"),
                                 HasSubstr("`epoch` is called `epochs` here\n")));
  const ProcessOutcome typo = Weir(DrawnDemo("run", {"--set", "training.epocs=3"}));
  EXPECT_THAT(typo.err, HasSubstr("did you mean `epochs`?"));
}

TEST(Override, OfOtherProgramsGetsTheWordThatThereIs) {
  const ProcessOutcome outcome =
      Weir(DrawnDemo("run", {"--set", "training.batch_size=64", "--set", "lr=0.1"}));
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("`batch_size` is `size` of the stage `batch` here: --set "
                              "pipeline.batch.size=64\n"),
                    HasSubstr("`lr` is `training.optimizer.adam.learning_rate` here: --set "
                              "training.optimizer.adam.learning_rate=0.1\n")));
}

TEST(CommandLine, SaysWhatTheCommandsOfOtherProgramsAreHere) {
  const ProcessOutcome train = Weir({"train", "configs/demo.yaml"});
  EXPECT_EQ(train.status, 2);
  EXPECT_EQ(train.err, "weir: `train` is `run` here: weir run CONFIG\n");
  EXPECT_EQ(Weir({"fit"}).err, "weir: `fit` is `run` here: weir run CONFIG\n");
  EXPECT_EQ(Weir({"convert", "first"}).err,
            "weir: `convert` is `export` here: weir export RUN --to FORMAT\n");
  for (const char* word : {"val", "test"}) {
    EXPECT_EQ(
        Weir({word, "first"}).err,
        "weir: `" + std::string(word) + "` is `evaluate` here: weir evaluate RUN_DIR [DATA]\n");
  }
}

TEST(CommandLine, SaysWhatTheOptionsOfOtherProgramsAreHere) {
  const ProcessOutcome outcome =
      Weir(DrawnDemo("run", {"--epochs", "3", "--lr=0.1", "--batch-size", "64", "--seed", "7",
                             "--workers", "2", "--output-dir", "here", "--amp"}));
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err,
            "weir: `--epochs` is no option here: --set training.epochs=3\n"
            "weir: `--lr` is no option here: --set training.optimizer.adam.learning_rate=0.1\n"
            "weir: `--batch-size` is no option here: --set pipeline.batch.size=64\n"
            "weir: `--seed` is no option here: --set seed=7\n"
            "weir: `--workers` is no option here: --set threads=2\n"
            "weir: `--output-dir` is given on the command line here: weir run CONFIG --out DIR\n"
            "weir: `--amp` is no option here: --set pipeline.features.precision=bfloat16\n");
  EXPECT_EQ(outcome.out, "");
  const ProcessOutcome other = Weir(DrawnDemo("run", {"--fly"}));
  EXPECT_EQ(other.status, 2);
  EXPECT_THAT(other.err, HasSubstr("--fly"));
  EXPECT_EQ(Weir(DrawnDemo("preview", {"--epoch", "none"})).status, 2);
}

TEST(CommandLine, RecommendsCommandsThatThereAre) {
  const std::string help = Weir({"--help"}).out;
  for (const char* word :
       {"train", "resume", "val", "infer", "verify", "summary", "show", "gpus"}) {
    const std::string said = Weir({word}).err;
    const std::size_t begin = said.find(" here: weir ");
    ASSERT_NE(begin, std::string::npos) << said;
    const std::string rest = said.substr(begin + 12);
    const std::string command = rest.substr(0, rest.find_first_of(" \n"));
    EXPECT_THAT(help, HasSubstr("\n  " + command + " ")) << word;
    EXPECT_EQ(Weir({command, "--help"}).status, 0);
  }
}

TEST(Device, AtTheTopOfTheFileIsThatOfPrefetch) {
  EXPECT_THAT(Weir(DrawnDemo("plan", {"--set", "device=cpu"})).out,
              HasSubstr("\ndevice: cpu, as `device: cpu` says so\n"));
  const ProcessOutcome both =
      Weir(DrawnDemo("plan", {"--set", "device=cpu", "--set", "pipeline.prefetch.device=cuda"}));
  EXPECT_EQ(both.status, 2);
  EXPECT_THAT(both.err, StartsWith("weir: --set pipeline.prefetch.device=cuda: the stage "
                                   "`prefetch` says `device: cuda`, and --set device=cpu says "
                                   "`device: cpu`: remove one of them\n"));
  const ProcessOutcome nowhere =
      Weir({"run", "configs/contact_sheet.yaml", "--set", "device=cuda", "--set",
            "pipeline.directory.path=" + DrawnPictures().string()});
  EXPECT_EQ(nowhere.status, 2);
  EXPECT_THAT(nowhere.err, HasSubstr("put `prefetch` behind `batch`"));
}

TEST(Size, MayBeOneNumber) {
  const auto batch_bytes = [](const std::string& size) {
    const auto plan = nlohmann::json::parse(
        Weir(DrawnDemo("plan", {"--json", "--set", "pipeline.augment.size=" + size})).out);
    for (const auto& row : plan["rows"]) {
      if (row["stage"] == "batch") return row["bytes_each"].get<int>();
    }
    return 0;
  };
  EXPECT_GT(batch_bytes("64"), 0);
  EXPECT_EQ(batch_bytes("64"), batch_bytes("[64, 64]"));
  EXPECT_LT(batch_bytes("64"), batch_bytes("[64, 96]"));
}

TEST(Help, TeachesAndUnknownCommandsAreRefused) {
  const ProcessOutcome help = Weir({"--help"});
  EXPECT_EQ(help.status, 0);
  EXPECT_THAT(help.out, AllOf(HasSubstr("weir draw pictures"), HasSubstr("Exit status")));
  EXPECT_EQ(Weir({"fly"}).status, 2);
  EXPECT_EQ(Weir({}).status, 2);
}

TEST(Stages, AreListedAndExplained) {
  EXPECT_THAT(Weir({"stages"}).out, HasSubstr("decode"));
  const ProcessOutcome one = Weir({"stages", "decode"});
  EXPECT_THAT(one.out, AllOf(HasSubstr("takes image/file, gives image/u8hwc"),
                             HasSubstr("max_megapixels: a whole number, 1 to 2000; default 200")));
  EXPECT_THAT(Weir({"stages", "training"}).out, HasSubstr("learning_rate"));
  EXPECT_THAT(Weir({"stages", "batch"}).out,
              HasSubstr("\n    Elsewhere called batch_size, bs or train_batch_size.\n"));
  EXPECT_THAT(Weir({"stages", "--markdown"}).out,
              AllOf(HasSubstr("\n## decode\n"),
                    HasSubstr("| `max_megapixels` | a whole number, 1 to "
                              "2000 | `200` | Refuse larger"),
                    HasSubstr("\n## The top level\n"),
                    HasSubstr("| `device` | auto, cpu, cuda or cuda:N | `auto` |"),
                    HasSubstr("| `memory.host` | auto or a size such as"),
                    HasSubstr("\n## The section `training:`\n"),
                    HasSubstr("| `optimizer.adam.learning_rate` |")));
  EXPECT_THAT(Weir({"stages", "train"}).out,
              HasSubstr("\n  takes batch/features, gives nothing\n  needs the model source, "
                        "training and model\n  provides the learner\n\n"));
  const auto train = nlohmann::json::parse(Weir({"stages", "train", "--json"}).out);
  EXPECT_EQ(train["needs"], (nlohmann::json{"model source", "training", "model"}));
  EXPECT_EQ(train["provides"], nlohmann::json{"learner"});
  const ProcessOutcome none = Weir({"stages", "decod"});
  EXPECT_EQ(none.status, 2);
  EXPECT_THAT(none.err, HasSubstr("did you mean `decode`?"));
}

}  // namespace
}  // namespace weir
