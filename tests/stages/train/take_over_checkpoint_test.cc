// What a phase takes over of what the phase before saved.
#include <gtest/gtest.h>

#include <set>
#include <span>
#include <string>

#include "stages/train/checkpoint.h"
#include "tests/stages/train/checkpoint_state.h"
#include "tests/support/caught_error.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

// Where the arrays have a parameter more than the file.
struct WiderState : State {
  WiderState() : State(5) {
    table.Add("head.2.bias", {4});
    values.resize(table.values(), 5);
    slots.resize(table.values(), 5);
  }
  CheckpointArrays two_slots() {
    return {{{"optimizer.momentum.", &table, slots}, {"optimizer.variance.", &table, values}}};
  }
};

TEST(TakeOverCheckpoint, ReadsWhatIsThereAndSaysWhatIsMissing) {
  const ScratchFolder folder;
  State saved(1);
  WiderState other;
  SaveCheckpoint(folder / "state", saved.arrays(), kDeclaration, Position(), "");
  const TakenOver taken = TakeOverCheckpoint(
      folder / "state", {{{"optimizer.momentum.", &other.table, other.slots}}}, kDeclaration);
  EXPECT_EQ(taken.missing, std::set<std::string>{"head.2.bias"});
  EXPECT_EQ(taken.position.optimizer_step, 16u);
  EXPECT_EQ(other.slots[0], 2);
  EXPECT_EQ(other.slots.back(), 5);
}

TEST(TakeOverCheckpoint, LeavesTheStateAloneWhereItCannotTakeAllOfIt) {
  const ScratchFolder folder;
  const std::string file = (folder / "state").string();
  const std::string remedy = "\nResume from another checkpoint, or begin anew.";
  State saved(1);
  WiderState other;
  SaveCheckpoint(file, saved.arrays(), kDeclaration, Position(), "");
  const auto refusal = [&] {
    return CaughtError([&] { TakeOverCheckpoint(file, other.two_slots(), kDeclaration); });
  };
  EXPECT_EQ(refusal(), "'" + file +
                           "' has optimizer.momentum.head.1.bias, but not all that the optimizer "
                           "keeps of it" +
                           remedy);
  ParameterTable turned;
  turned.Add("head.1.bias", {2});
  turned.Add("head.1.weight", {3, 2});
  EXPECT_EQ(CaughtError([&] {
              const std::span<float> values(other.slots);
              TakeOverCheckpoint(
                  file, {{{"optimizer.momentum.", &turned, values.first(turned.values())}}},
                  kDeclaration);
            }),
            "'" + file + "' has optimizer.momentum.head.1.weight in another shape than the model" +
                remedy);
  EXPECT_EQ(CaughtError([&] {
              TakeOverCheckpoint(file, {}, {{"classes", "ants, wasps"}});
            }),
            "'" + file +
                "' is of another training: classes was `ants, bees`, and is `ants, wasps` now\n"
                "Resume with the configuration, the weights and the pictures that it was begun "
                "with, or begin anew in another folder.");
  EXPECT_EQ(other.slots[0], 10) << "as it was";
}

}  // namespace
}  // namespace weir
