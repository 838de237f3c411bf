#include "pipelines/finetune/resumed_run.h"

#include <charconv>
#include <system_error>

#include "framework/error.h"
#include "framework/text.h"
#include "stages/train/checkpoint.h"

namespace weir {

std::filesystem::path ResumedFolder(const RunOptions& options, const std::string& name) {
  if (!options.resume) return {};
  return options.out.empty() ? RunFolder::Youngest(name) : options.out;
}

std::optional<Tally> ReadTally(const RunFolder& folder) {
  if (!std::filesystem::exists(folder.checkpoint())) return std::nullopt;
  auto tally = Tally::FromText(ReadCheckpointExtra(folder.checkpoint()));
  if (tally) return tally;
  throw Error(ErrorKind::kData, folder.checkpoint().string() + " has a damaged tally",
              "The checkpoint is damaged: remove it, and the run begins anew.");
}

void CheckPhase(const std::vector<Recipe>& phases, const PhasePosition& at) {
  const bool is_there = at.index >= 0 && at.index < static_cast<int>(phases.size()) &&
                        phases[static_cast<std::size_t>(at.index)].phase_name == at.name;
  if (is_there) return;
  const auto text = [](int index, const std::string& name) {
    return name.empty() ? std::string("a training without phases")
                        : "phase " + std::to_string(index + 1) + ", " + InBackticks(name);
  };
  throw Error(ErrorKind::kConfig,
              "the checkpoint is of " + text(at.index, at.name) +
                  ", which training.phases does not have there",
              "Put the phase back as it was, or begin anew in another folder.");
}

bool IsOfPhaseBefore(std::string_view key, int phase) {
  constexpr std::string_view kPhases = "training.phases.";
  if (!key.starts_with(kPhases)) return false;
  int index = 0;
  const char* const digits = key.data() + kPhases.size();
  const auto [end, error] = std::from_chars(digits, key.data() + key.size(), index);
  return error == std::errc() && end != digits && index < phase;
}

}  // namespace weir
