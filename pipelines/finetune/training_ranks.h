// A training that several processes share: how this one joins the others, and what they agree on
// beside the batches. Rank 0 speaks for all, and writes the run; every rank decides as it does, as
// all have the same figures.
//
//   const auto ranks = TrainingRanks::Join(recipe, 4);   // recipe.ranks says so from now on
//   ranks->Agree([&] { session.Open(); });
//
// Every rank makes the same calls in the same order. One thread. Holds what the group holds.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "framework/error.h"
#include "pipelines/job/rank_processes.h"
#include "pipelines/recipe/recipe.h"
#include "pipelines/record/run_folder.h"
#include "stages/chosen_device.h"
#include "stages/learner.h"
#include "stages/model/model.h"
#include "stages/ranks/ranks.h"

namespace weir {

class TrainingRanks {
 public:
  // As a launcher invites this process, or with `start` of them, of which it starts the others.
  // Null where it is the only one. Sets what the recipe says of ranks, and of their machine.
  // Standard output of all but rank 0 is shut. Throws Error(kConfig) where the batch cannot be
  // shared so, or `start` is not what the launcher says.
  static std::unique_ptr<TrainingRanks> Join(Recipe& recipe, int start);
  TrainingRanks(const TrainingRanks&) = delete;
  TrainingRanks& operator=(const TrainingRanks&) = delete;
  // The group ends before the processes are waited for, so that they notice.
  ~TrainingRanks();

  int rank() const { return group_->place().rank; }
  int count() const { return group_->place().ranks; }
  bool is_first() const { return rank() == 0; }

  // Does `work` on every rank, and returns once all have. Where it throws an Error on one, each
  // throws: that rank what it threw, the others the same with its name.
  void Agree(const std::function<void()>& work);

  // Each rank's text, by rank.
  std::vector<std::string> Gather(const std::string& text) { return GatherTexts(*group_, text); }

  // Throws Error(kConfig) on every rank where one has another configuration than rank 0, or
  // `another` thing, as the texts tell.
  void CompareConfigurations(const std::string& resolved_yaml);
  void Compare(const std::string& another, const std::string& text);

  // Lets the ranks' devices exchange gradients without the hosts, where those of `model` are added
  // up and all ranks have a device that can. Gives what is to be said of it. Throws Error(kConfig)
  // on every rank where one has another device than rank 0, and Error as Device::JoinRanks. Called
  // before anything is made on the device, which is kept until LeaveDevices.
  std::string JoinDevices(const ChosenDevice& device, const Model& model);
  void LeaveDevices() { ranks_->device_group.reset(); }

  // What a rank beside the first leaves in the folder of the run: its plan, its memory, and the
  // pictures that it lost. Throws Error(kConfig) where it does not see that folder.
  RunFolder OpenOwnFolder(const std::filesystem::path& run) const;

  // What went wrong, with the rank that says it, and where this one started the rank that is the
  // reason with how that ended.
  Error Explained(const Error& error);

  // From now on this rank says no more, as rank 0 says the same.
  void Hush() const;

 private:
  [[noreturn]] void Refuse(std::size_t rank, const std::string& another) const;
  TrainingRanks(std::shared_ptr<Ranks> ranks, std::unique_ptr<RankProcesses> processes,
                std::chrono::milliseconds timeout)
      : timeout_(timeout),
        processes_(std::move(processes)),
        ranks_(std::move(ranks)),
        group_(ranks_->group) {}

  const std::chrono::milliseconds timeout_;
  std::unique_ptr<RankProcesses> processes_;  // null where a launcher started them
  std::shared_ptr<Ranks> ranks_;
  std::shared_ptr<RankGroup> group_;
};

// What ranks left in a run's folder in an earlier start: of that the first rank takes over which
// pictures were lost, as they may not have told it yet, and removes the rest.
void TakeOverFromRanks(RunFolder& folder);

// Where the training stands, with a digest of all numbers of its model.
std::string StateText(const Learner& learner);

}  // namespace weir
