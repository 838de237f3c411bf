#include "stages/train/checkpoint.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "stages/files/bounded_json.h"
#include "stages/model/weights/safetensors_writer.h"
#include "stages/train/schedules/schedule.h"
#include "tests/stages/train/checkpoint_state.h"
#include "tests/support/caught_error.h"
#include "tests/support/file_text.h"
#include "tests/support/head_layers.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

TEST(Checkpoint, ComesBackAsItWas) {
  const ScratchFolder folder;
  State saved(1.5f), restored(0);
  SaveCheckpoint(folder / "state", saved.arrays(), kDeclaration, Position(), "best: 0.9\n\"é\"");
  const RestoredState state = RestoreCheckpoint(folder / "state", restored.arrays(), kDeclaration);
  for (const Parameter& each : saved.table.all()) {
    for (std::size_t i = 0; i < each.values; ++i) {
      EXPECT_EQ(restored.values[each.offset + i], 1.5f);
      EXPECT_EQ(restored.slots[each.offset + i], 3);
    }
  }
  EXPECT_EQ(state.extra, "best: 0.9\n\"é\"");
  EXPECT_EQ(state.position.epoch, 5);
  EXPECT_EQ(state.position.next_sample, 64u);
  EXPECT_EQ(state.position.step, 17u);
  EXPECT_EQ(state.position.phase_step, 14u);
  EXPECT_EQ(state.position.optimizer_step, 16u);
  EXPECT_EQ(state.position.phase_epoch, 3);
  EXPECT_EQ(state.position.averaged_epochs, 2);
  EXPECT_EQ(state.position.begun, Position().begun);
  EXPECT_EQ(state.position.metrics.loss_sum, 0.1 + 0.2);
  EXPECT_EQ(state.position.metrics.images, 64u);
  EXPECT_EQ(state.position.metrics.accuracy(), 60. / 64);
  ASSERT_EQ(state.position.metrics.means.size(), 2u);
  EXPECT_EQ(state.position.metrics.means[1].name, "another");
  EXPECT_EQ(state.position.metrics.means[1].value(), 1.5 / 8);
  EXPECT_EQ(state.position.monitored, Position().monitored);
}

TEST(Checkpoint, KeepsTheFiguresOfVeryManyEpochs) {
  const ScratchFolder folder;
  State state(1);
  TrainingPosition position = Position();
  position.epoch = position.phase_epoch = ScheduleClock::kMostMonitored + 1;
  position.monitored.assign(ScheduleClock::kMostMonitored, -1.2345678901234567e-300);
  SaveCheckpoint(folder / "state", state.arrays(), kDeclaration, position, "");
  const auto restored = RestoreCheckpoint(folder / "state", state.arrays(), kDeclaration);
  EXPECT_EQ(restored.position.monitored, position.monitored);
  position.monitored.push_back(1);
  SaveCheckpoint(folder / "state", state.arrays(), kDeclaration, position, "");
  EXPECT_EQ(CaughtError([&] { RestoreCheckpoint(folder / "state", state.arrays(), kDeclaration); }),
            "'" + (folder / "state").string() +
                "' has damaged metadata\nResume from another checkpoint, or begin anew.");
}

// An earlier version knew of one phase, of one optimizer's state, and of no figures.
TEST(Checkpoint, OfAnEarlierVersionGoesOnInItsOnlyPhase) {
  const ScratchFolder folder;
  State state(1);
  SaveCheckpoint(folder / "state", state.arrays(), kDeclaration, Position(), "");
  std::string bytes = FileText(folder / "state");
  for (const std::string key :
       {"phase_step", "optimizer_step", "phase_epoch", "averaged_epochs", "monitored", "begun"}) {
    bytes.replace(bytes.find(key + R"(\":)"), 3, "not");
  }
  folder.Write("state", bytes);
  const auto restored = RestoreCheckpoint(folder / "state", state.arrays(), kDeclaration);
  EXPECT_TRUE(restored.position.monitored.empty());
  EXPECT_TRUE(restored.position.begun.empty());
  EXPECT_EQ(restored.position.step, 17u);
  EXPECT_EQ(restored.position.phase_step, 17u);
  EXPECT_EQ(restored.position.optimizer_step, 17u);
  EXPECT_EQ(restored.position.phase_epoch, 5);
  EXPECT_EQ(restored.position.averaged_epochs, 0);
}

TEST(Checkpoint, SaysWhatDiffers) {
  const ScratchFolder folder;
  const std::string file = (folder / "state").string();
  State state(1);
  SaveCheckpoint(file, state.arrays(), kDeclaration, Position(), "");
  Declaration other = kDeclaration;
  other[1].second = "ants, bees, wasps";
  EXPECT_EQ(
      CaughtError([&] { RestoreCheckpoint(file, state.arrays(), other); }),
      "'" + file +
          "' is of another training: classes was `ants, bees`, and is `ants, bees, wasps` "
          "now\n"
          "Resume with the configuration, the weights and the pictures that it was begun with, "
          "or begin anew in another folder.");
}

TEST(Checkpoint, OfAnEarlierVersionIsComparedAsFarAsItSays) {
  const ScratchFolder folder;
  State state(1);
  SaveCheckpoint(folder / "state", state.arrays(), kDeclaration, Position(), "");
  Declaration more = kDeclaration;
  more.insert(more.begin() + 1, {"batch size", "32"});
  EXPECT_EQ(RestoreCheckpoint(folder / "state", state.arrays(), more).position.epoch, 5);
}

TEST(Checkpoint, OfALaterVersionIsRefused) {
  const ScratchFolder folder;
  const std::string file = (folder / "state").string();
  State state(1);
  Declaration more = kDeclaration;
  more.emplace_back("moon", "full");
  SaveCheckpoint(file, state.arrays(), more, Position(), "");
  EXPECT_EQ(CaughtError([&] { RestoreCheckpoint(file, state.arrays(), kDeclaration); }),
            "'" + file +
                "' is of a later version of weir, and declares its moon\n"
                "Go on with that version, or begin anew in another folder.");
}

TEST(Checkpoint, LeavesTheStateAloneWhereATensorIsMissing) {
  const ScratchFolder folder;
  const std::string file = (folder / "state").string();
  State saved(1), other(5);
  SaveCheckpoint(file, saved.arrays(), kDeclaration, Position(), "");
  other.table.Add("head.2.bias", {4});
  other.values.resize(other.table.values());
  other.slots.resize(other.table.values());
  EXPECT_EQ(CaughtError([&] { RestoreCheckpoint(file, other.arrays(), kDeclaration); }),
            "'" + file +
                "' has no tensor head.2.bias\n"
                "Resume from another checkpoint, or begin anew.");
  EXPECT_EQ(other.values[0], 5);
}

TEST(Checkpoint, LeavesTheStateAloneWhereATensorCannotBeRead) {
  const ScratchFolder folder;
  const std::string file = (folder / "state").string();
  State saved(1), other(5);
  SaveCheckpoint(file, saved.arrays(), kDeclaration, Position(), "");
  std::string bytes = FileText(file);
  const std::string last = R"("optimizer.momentum.head.1.weight":{"dtype":"F32")";
  bytes.replace(bytes.find(last) + last.size() - 4, 3, "U32");
  folder.Write("state", bytes);
  EXPECT_EQ(CaughtError([&] { RestoreCheckpoint(file, other.arrays(), kDeclaration); }),
            "'" + file +
                "' cannot be used: its optimizer.momentum.head.1.weight is of type U32, which is "
                "not read\nResume from another checkpoint, or begin anew.");
  EXPECT_EQ(other.values[0], 5);
}

TEST(Checkpoint, ThatCannotBeOpenedIsNotCalledDamaged) {
  const ScratchFolder folder;
  State state(1);
  const auto refusal = [&](const std::filesystem::path& path) {
    return CaughtError([&] { RestoreCheckpoint(path, state.arrays(), kDeclaration); });
  };
  EXPECT_EQ(refusal(folder.path()),
            folder.path().string() +
                ": cannot be read: it is a folder\ncheck the path and the file's permissions");
  EXPECT_EQ(refusal(folder.Write("state", "{}")),
            (folder / "state").string() +
                ": is a text in JSON: '{}'\n"
                "The checkpoint is damaged: remove it, and the run begins anew.");
}

TEST(Checkpoint, OfLongTextsShowsWhereTheyDiffer) {
  const ScratchFolder folder;
  const std::string file = (folder / "state").string();
  State state(1);
  std::string names;
  for (int i = 0; i < 1000; ++i) names += "M\xc3\xbcller " + std::to_string(i) + ", ";
  SaveCheckpoint(file, state.arrays(), {{"classes", names + "bees, moths"}}, Position(), "");
  const std::string error = CaughtError([&] {
    RestoreCheckpoint(file, state.arrays(), {{"classes", names + "wasps, moths"}});
  });
  EXPECT_NE(error.find("classes was `... "), error.npos) << error;
  EXPECT_NE(error.find("999, bees, moths`, and is `... "), error.npos) << error;
  EXPECT_NE(error.find("999, wasps, moths` now\n"), error.npos) << error;
  EXPECT_LT(error.size(), 600u);
  EXPECT_EQ(ToUtf8(error), error) << "a letter was cut in two";
}

TEST(Checkpoint, RefusesOtherSafetensorsAndTruncatedOnes) {
  const ScratchFolder folder;
  const std::string file = (folder / "state").string();
  State state(1);
  WriteSafetensors(file, {TensorToWrite::Of("head.1.bias", {2}, std::span(state.values).first(2))});
  EXPECT_EQ(CaughtError([&] { RestoreCheckpoint(file, state.arrays(), kDeclaration); }),
            "'" + file +
                "' is not a checkpoint of this version of weir\n"
                "Give the checkpoint of a run.");
  SaveCheckpoint(file, state.arrays(), kDeclaration, Position(), "");
  for (std::uintmax_t bytes : {std::filesystem::file_size(file) - 4, std::uintmax_t{100}}) {
    std::filesystem::resize_file(file, bytes);
    EXPECT_NE(CaughtError([&] { RestoreCheckpoint(file, state.arrays(), kDeclaration); }),
              "nothing was thrown");
  }
}

TEST(Checkpoint, RefusesACountThatIsNone) {
  const ScratchFolder folder;
  const std::string file = (folder / "state").string();
  State state(1);
  TrainingPosition position = Position();
  position.epoch = 33;
  position.next_sample = 1234567890123456;
  position.step = 1700;
  position.phase_step = 1600;
  position.optimizer_step = 1650;
  position.begun = {{"head.1.weight", 1600}};
  position.metrics.means[1].images = 18;
  position.metrics.means[1].name = "accuracz";
  position.phase_epoch = 12;
  position.averaged_epochs = 13;
  SaveCheckpoint(file, state.arrays(), kDeclaration, position, "");
  const std::string whole = FileText(file);
  // Each in the place of as many bytes.
  for (const auto& [count, damaged] : std::vector<std::pair<std::string, std::string>>{
           {R"("epoch\":33)", R"("epoch\":-3)"},
           {R"(next_sample\":1234567890123456)", R"(next_sample\":9007199254740993)"},
           {R"(next_sample\":1234567890123456)", R"(next_sample\":-123456789012345)"},
           {R"("step\":1700)", R"("step\":17.5)"},
           {R"(phase_step\":1600)", R"(phase_step\":-160)"},
           {R"(phase_step\":1600)", R"(phase_step\":1701)"},
           {R"(optimizer_step\":1650)", R"(optimizer_step\":1701)"},
           {R"(phase_epoch\":12)", R"(phase_epoch\":34)"},
           {R"(phase_epoch\":12)", R"(phase_epoch\":11)"},  // fewer than were averaged
           {R"(phase_epoch\":12)", R"(phase_epoch\":[])"},
           {R"(averaged_epochs\":13)", R"(averaged_epochs\":14)"},
           {R"(weight\":1600)", R"(weight\":1651)"},
           {R"(weight\":1600)", R"(weight\":-160)"},
           {R"({\"head.1.weight\":1600})", R"([                 1600 ])"},
           {R"(correct\":60)", R"(correct\":65)"},
           {R"(accuracz)", R"(accuracy)"},
           {R"([1.5,18])", R"([1.5,65])"},
           {R"([1.5,18])", R"([true,8])"},
           {R"(1.0,0.75])", R"(null,0.5])"},
           {R"(1.0,0.75])", R"(true,0.5])"}}) {
    const std::size_t at = whole.find(count);
    ASSERT_NE(at, whole.npos) << count;
    folder.Write("state", std::string(whole).replace(at, count.size(), damaged));
    EXPECT_EQ(CaughtError([&] { RestoreCheckpoint(file, state.arrays(), kDeclaration); }),
              "'" + file + "' has damaged metadata\nResume from another checkpoint, or begin anew.")
        << damaged;
  }
}

Declaration DeclarationOfClasses(std::vector<std::string> classes) {
  ModelConfig config;
  config.backbone.width = 0.35;
  config.head = {HeadAveragePooling(), HeadDenseOfClasses(Activation::kSoftmax)};
  const Model model(config, Convention::Keras(), {32, 32}, std::move(classes), 1);
  return DeclarationOf(model, "adam");
}

TEST(DeclarationOf, TellsLongListsOfClassesApartAndStaysShort) {
  std::vector<std::string> classes;
  for (int i = 0; i < 65'536; ++i) {
    classes.push_back("\"" + std::to_string(i) + std::string(194, 'x'));
  }
  const ScratchFolder folder;
  const std::string file = (folder / "state").string();
  State state(1);
  const Declaration declaration = DeclarationOfClasses(classes);
  SaveCheckpoint(file, state.arrays(), declaration, Position(), "");
  EXPECT_EQ(RestoreCheckpoint(file, state.arrays(), declaration).position.epoch, 5);
  EXPECT_LT(std::filesystem::file_size(file), 8192u);
  classes[65'535] += "y";
  const std::string error =
      CaughtError([&] { RestoreCheckpoint(file, state.arrays(), DeclarationOfClasses(classes)); });
  EXPECT_NE(error.find("is of another training: classes was `\"0xxx"), error.npos) << error;
  EXPECT_NE(error.find("... (65536 classes, SHA-256 "), error.npos) << error;
}

TEST(Checkpoint, OfClassesWhoseNamesAreNotUtf8ComesBack) {
  const ScratchFolder folder;
  const std::string file = (folder / "state").string();
  State state(1);
  const Declaration declaration = DeclarationOfClasses({"M\xfcller", "ants"});
  SaveCheckpoint(file, state.arrays(), declaration, Position(), "");
  EXPECT_EQ(RestoreCheckpoint(file, state.arrays(), declaration).position.epoch, 5);
}

TEST(DeclarationOf, NamesWhatATrainingIs) {
  ModelConfig config;
  config.backbone.width = 0.35;
  config.frozen = {.kind = FrozenConfig::Kind::kThrough, .through = "block_16"};
  config.head = {HeadAveragePooling(), HeadDense(6, Activation::kTanh),
                 HeadDenseOfClasses(Activation::kSoftmax)};
  const Model model(config, Convention::Keras(), {32, 32}, {"ants", "bees", "wasps"}, 7);
  const Declaration declaration = DeclarationOf(model, "sgd with momentum");
  const Declaration expected = {{"backbone", "mobilenet_v2, width 0.35"},
                                {"picture size", "32 x 32"},
                                {"padding", "same"},
                                {"batch norm epsilon", "0.0010000000474974513"},
                                {"preprocessing", "scale 0.007843137718737125, offset -1.0"},
                                {"batch norm", "stored"},
                                {"layers that learn", "Conv_1"},
                                {"head", "global_average_pooling, dense 6 tanh, dense 3 softmax"},
                                {"classes", "ants, bees, wasps"},
                                {"optimizer", "sgd with momentum"},
                                {"seed", "7"}};
  EXPECT_EQ(declaration, expected);
}

}  // namespace
}  // namespace weir
