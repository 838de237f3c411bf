#include "pipelines/finetune/training_ranks.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <span>
#include <system_error>
#include <thread>
#include <utility>

#include "pipelines/job/host_ceiling.h"
#include "pipelines/job/model_setup.h"
#include "pipelines/job/rank_invitation.h"
#include "pipelines/job/signals.h"
#include "pipelines/recipe/recipe_ranks.h"
#include "pipelines/record/config_changes.h"
#include "pipelines/record/ending.h"
#include "stages/device/device.h"
#include "stages/files/sha256.h"
#include "stages/ranks/gloo_group.h"
#include "stages/train/torch/torch_library.h"
#include "stages/train/train.h"

namespace weir {
namespace {

const char* FromEnvironment(const char* name) {
  return std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing sets one
}

void Shut(int descriptor) {
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere < 0) return;
  dup2(nowhere, descriptor);
  close(nowhere);
}

// What the recipe says from now on.
void Share(Recipe& recipe, const RankPlace& place, std::shared_ptr<RankGroup> group) {
  recipe.ranks = RanksOf(recipe, place, std::move(group));
  recipe.config.processes = place.local_ranks;
  recipe.config.process = place.local_rank;
}

// Ends this process as one ends that it started and that has not joined yet, which nobody else
// notices.
class JoiningWatch {
 public:
  explicit JoiningWatch(RankProcesses& processes)
      : thread_([this, &processes] {
          while (!is_over_) {
            if (const std::optional<int> status = processes.StatusOfEnded()) {
              std::fprintf(stderr, "weir: %s before all ranks had joined\n",
                           processes.HowEnded().c_str());
              _exit(*status);
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
          }
        }) {}
  JoiningWatch(const JoiningWatch&) = delete;
  JoiningWatch& operator=(const JoiningWatch&) = delete;
  ~JoiningWatch() {
    is_over_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> is_over_{false};
  std::thread thread_;
};

std::chrono::milliseconds TimeoutOf(const Recipe& recipe) {
  return std::chrono::milliseconds(
      static_cast<std::int64_t>(recipe.config.ranks->timeout.seconds * 1000));
}

// A text that holds an Error: its kind, its text, its remedy.
std::string Packed(const Error& error) {
  return std::to_string(static_cast<int>(error.kind())) + '\0' + error.what() + '\0' +
         error.remedy();
}

Error Unpacked(const std::string& text, int rank) {
  const std::size_t first = text.find('\0'), second = text.find('\0', first + 1);
  return {static_cast<ErrorKind>(std::stoi(text.substr(0, first))),
          "rank " + std::to_string(rank) + ": " + text.substr(first + 1, second - first - 1),
          text.substr(second + 1)};
}

}  // namespace

std::unique_ptr<TrainingRanks> TrainingRanks::Join(Recipe& recipe, int start) {
  const auto invitation = InvitationIn(FromEnvironment);
  if (invitation && start > 0 && start != invitation->place.ranks) {
    throw Error(ErrorKind::kConfig,
                "--ranks is " + std::to_string(start) + ", and the launcher has started " +
                    std::to_string(invitation->place.ranks),
                "Leave --ranks out where a launcher starts the ranks.");
  }
  const int count = invitation ? invitation->place.ranks : start;
  if (count > 0 && !recipe.config.ranks) recipe.config.ranks.emplace();
  if (count == 1) recipe.ranks = RanksOf(recipe, {}, nullptr);
  if (count <= 1) return nullptr;

  GlooOptions options{.address = "127.0.0.1", .timeout = TimeoutOf(recipe)};
  options.place = {.ranks = count, .local_ranks = count};
  if (invitation) {
    options.place = invitation->place;
    options.address = invitation->address;
    options.port = invitation->port;
    options.has_store = invitation->has_store;
    options.job = invitation->job;
  }
  Share(recipe, options.place, nullptr);  // refuses before it starts others
  // What must be fetched is fetched by one process of a machine, before others wait for it.
  if (options.place.local_rank == 0) ModelOf(recipe, Fetching::kAllowed);
  std::unique_ptr<RankProcesses> processes;
  std::optional<JoiningWatch> watch;
  if (!invitation) {
    options.on_open = [&](std::uint16_t port) {
      processes = std::make_unique<RankProcesses>(count, port);
      watch.emplace(*processes);
    };
  }
  std::shared_ptr<RankGroup> group;
  {
    const SignalsEndTheProcess meanwhile;
    group = OpenTorchLibrary().join_by_gloo(options);
    watch.reset();
  }
  if (FromEnvironment(RankProcesses::kStartedBy) != nullptr) OutliveStarter();
  if (options.place.rank > 0) Shut(STDOUT_FILENO);
  Share(recipe, options.place, group);
  recipe.ranks->threads = 0;
  for (const std::string& threads : GatherTexts(*group, std::to_string(Workers(recipe.config)))) {
    recipe.ranks->threads += std::stoi(threads);
  }
  return std::unique_ptr<TrainingRanks>(
      new TrainingRanks(recipe.ranks, std::move(processes), options.timeout));
}

void TrainingRanks::Agree(const std::function<void()>& work) {
  std::optional<Error> refusal;
  try {
    work();
  } catch (const std::exception& error) {
    refusal = AsError(error);
  }
  const std::vector<std::string> said = Gather(refusal ? Packed(*refusal) : "");
  if (refusal) {
    if (!is_first()) Hush();
    throw Error(*refusal);
  }
  for (int rank = 0; rank < count(); ++rank) {
    const std::string& text = said[static_cast<std::size_t>(rank)];
    if (text.empty()) continue;
    if (!is_first()) Hush();
    throw Unpacked(text, rank);
  }
}

void TrainingRanks::CompareConfigurations(const std::string& resolved_yaml) {
  const std::vector<std::string> all = Gather(resolved_yaml);
  for (std::size_t rank = 1; rank < all.size(); ++rank) {
    if (all[rank] == all[0]) continue;
    const std::vector<std::string> changes =
        ChangesBetween(all[0], all[rank], [](std::string_view) { return false; });
    Refuse(rank, changes.empty()
                     ? "another configuration"
                     : "another " + changes.front().substr(0, changes.front().find(' ')));
  }
}

void TrainingRanks::Compare(const std::string& another, const std::string& text) {
  const std::vector<std::string> all = Gather(text);
  for (std::size_t rank = 1; rank < all.size(); ++rank) {
    if (all[rank] != all[0]) Refuse(rank, another + " (" + all[rank] + ", not " + all[0] + ")");
  }
}

std::string TrainingRanks::JoinDevices(const ChosenDevice& device, const Model& model) {
  Compare("another device", device.device ? device.device->name() : "the processor");
  if (!device.device || !SumsGradients(model)) return "";
  std::string why_not;
  Agree([&] {
    JoinedDevices joined = device.device->JoinRanks(group_, timeout_);
    why_not = std::move(joined.why_not);
    if (!joined.group) return;
    RankGroup* const group = joined.group.get();
    ranks_->device_group = {group, [keep = device.device, held = std::move(joined.group)](
                                       RankGroup*) mutable { held.reset(); }};
  });
  return why_not.empty() ? "the ranks' GPUs add up gradients by NCCL"
                         : "the ranks add up gradients over their hosts, not by NCCL: " + why_not;
}

void TrainingRanks::Refuse(std::size_t rank, const std::string& another) const {
  if (!is_first()) Hush();
  throw Error(ErrorKind::kConfig,
              "rank " + std::to_string(rank) + " has " + another + " than rank 0",
              "Start all ranks with the same command line, over the same data and the same run.");
}

TrainingRanks::~TrainingRanks() {
  LeaveDevices();
  ranks_->group.reset();
  group_.reset();
}

Error TrainingRanks::Explained(const Error& error) {
  const std::string what = error.what();
  if (!is_first()) {
    const bool is_said = error.kind() == ErrorKind::kInterrupted && !what.starts_with("rank 0");
    if (is_said) Hush();
    return {error.kind(), "rank " + std::to_string(rank()) + ": " + what, error.remedy()};
  }
  const std::string how =
      error.kind() == ErrorKind::kInterrupted && processes_ ? processes_->HowEnded() : "";
  return {error.kind(), how.empty() ? what : what + ": " + how, error.remedy()};
}

void TrainingRanks::Hush() const {
  std::fflush(stderr);
  Shut(STDERR_FILENO);
}

RunFolder TrainingRanks::OpenOwnFolder(const std::filesystem::path& run) const {
  std::error_code unknown;
  if (std::filesystem::is_directory(run, unknown)) {
    return RunFolder::Create(run / "ranks" / std::to_string(rank()));
  }
  throw Error(ErrorKind::kConfig, run.string() + " is not the folder that rank 0 sees",
              "Give a folder by --out that all machines share.");
}

void TakeOverFromRanks(RunFolder& folder) {
  std::error_code unknown;
  const std::filesystem::path ranks = folder.path() / "ranks";
  for (const auto& entry : std::filesystem::directory_iterator(ranks, unknown)) {
    folder.TakeOverDropped(RunFolder::At(entry.path()).dropped_list());
  }
  std::filesystem::remove_all(ranks, unknown);
}

std::string StateText(const Learner& learner) {
  Sha256 digest;
  learner.ForEachTensor(
      [&digest](const NamedTensor& tensor) { digest.Add(std::as_bytes(tensor.values)); });
  const TrainingPosition position = learner.position();
  return "epoch " + std::to_string(position.epoch + 1) + ", step " + std::to_string(position.step) +
         ", sha256 " + digest.Finish();
}

}  // namespace weir
