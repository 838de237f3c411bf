// What a training remembers of itself, in a checkpoint that may be damaged. What is read is written
// as it was.
#include <cstdlib>

#include "pipelines/record/tally.h"
#include "tests/fuzz/fuzz_target.h"

namespace weir {

std::vector<std::string> FuzzSeeds() {
  Tally tally{.seconds = 1.5, .epoch_seconds = 0.5, .images = 100};
  tally.best_validation_accuracy = 0.9;
  tally.phase = {.index = 1, .name = "fine_tune", .first_epoch = 5, .is_begun = false};
  tally.kept = {.epoch = 4,
                .phase = "head",
                .why = "best accuracy",
                .weights = "ema",
                .figures = {{"loss", 0.3}, {"accuracy", 0.9}}};
  tally.best = 0.9;
  tally.config = "name: \"a\\u00fc\"\ntraining: {epochs: 2}\n";
  // As earlier versions wrote it, without a phase.
  const std::string earlier = R"({"seconds": 1.5, "epoch_seconds": 0.5, "images": 100, )"
                              R"("best_validation_accuracy": 0.9})";
  return {tally.ToText(), earlier, R"({"seconds": 1, "kept": {"figures": [[1, "a"], []]}})"};
}

void FuzzRead(std::string_view bytes) {
  const auto tally = Tally::FromText(std::string(bytes));
  if (!tally) return;
  const std::string text = tally->ToText();
  const auto again = Tally::FromText(text);
  if (!again || again->ToText() != text) std::abort();
}

}  // namespace weir
