// How model/ gets the model that is kept, so that a process that is killed at any instant leaves
// the model that the checkpoint tells of: it is written beside the checkpoint, the checkpoint is
// saved, and only then the one folder takes the place of the other.
//
//   KeptModelFolder kept(run_folder);
//   kept.Stage(epoch, [&](const std::filesystem::path& folder) { SaveModel(folder, ...); });
//   learner.Save(...);                // with a tally that names the epoch
//   kept.Publish(epoch);
//
// One thread, and one process (folder_lock.h). Holds nothing.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <utility>

namespace weir {

class KeptModelFolder {
 public:
  // `model` is the place of the model; `checkpoints` a folder beside it, on the same file system.
  KeptModelFolder(std::filesystem::path model, std::filesystem::path checkpoints)
      : model_(std::move(model)), checkpoints_(std::move(checkpoints)) {}

  // Has `write` write the model of an epoch, which counts from 1.
  void Stage(int epoch, const std::function<void(const std::filesystem::path&)>& write) const;

  // Puts it in its place at once; what was there is removed. Throws Error(kData) where the file
  // system refuses.
  void Publish(int epoch) const;

  // Does what a killed process left undone, where the checkpoint tells of the model of `epoch`: 0
  // where it tells of none. `epoch_of` reads the epoch of the model in a folder, and throws Error
  // where it cannot. Gives why that model is not in its place; empty where it is. As long as it is
  // not, nothing is removed: a folder that cannot be read now may hold the only copy.
  std::string Recover(int epoch,
                      const std::function<int(const std::filesystem::path&)>& epoch_of) const;

 private:
  std::filesystem::path Staged(int epoch) const;

  std::filesystem::path model_, checkpoints_;
};

}  // namespace weir
