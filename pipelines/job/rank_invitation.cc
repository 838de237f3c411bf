#include "pipelines/job/rank_invitation.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <system_error>

#include "framework/error.h"
#include "framework/random.h"

namespace weir {
namespace {

constexpr int kDefaultPort = 29500;  // PyTorch's
constexpr int kMostRanks = 65536;
constexpr int kMostPort = 65535;

class Variables {
 public:
  explicit Variables(const Environment& environment) : environment_(environment) {}

  std::string Text(const char* name) const {
    const char* const value = environment_(name);
    return value == nullptr ? "" : value;
  }
  bool Has(const char* name) const { return !Text(name).empty(); }

  // Throws Error(kConfig) where it is no whole number of [least, most].
  int Number(const char* name, int least, int most) const {
    const std::string text = Text(name);
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size() && !text.empty() &&
        number >= least && number <= most) {
      return number;
    }
    throw Error(ErrorKind::kConfig,
                "the environment has " + std::string(name) + "=" + text +
                    ", which is no whole number from " + std::to_string(least) + " to " +
                    std::to_string(most),
                "Start the ranks with torchrun, srun or mpirun, or with `weir run --ranks N`.");
  }
  int NumberOr(const char* name, int least, int most, int otherwise) const {
    return Has(name) ? Number(name, least, most) : otherwise;
  }

 private:
  const Environment& environment_;
};

// What each launcher calls it.
struct Names {
  const char *rank, *ranks, *local_rank, *local_ranks;
};
constexpr Names kTorchrun{"RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"};
constexpr Names kSlurm{"SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID", ""};
constexpr Names kOpenMpi{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE",
                         "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE"};

RankPlace PlaceOf(const Variables& of, const Names& names) {
  RankPlace place{.ranks = of.Number(names.ranks, 1, kMostRanks)};
  place.rank = of.Number(names.rank, 0, place.ranks - 1);
  place.local_ranks = of.NumberOr(names.local_ranks, 1, place.ranks, 1);
  place.local_rank = of.NumberOr(names.local_rank, 0, place.ranks - 1, 0);
  return place;
}

// The first host of "node[07-09,12],other" is node07, that of "a1,a2" is a1.
std::string FirstHost(std::string_view list) {
  const std::string_view head = list.substr(0, list.find(','));
  const std::size_t bracket = head.find('[');
  if (bracket == std::string_view::npos) return std::string(head);
  const std::string_view range = head.substr(bracket + 1);
  return std::string(head.substr(0, bracket)) +
         std::string(range.substr(0, range.find_first_of("-,]")));
}

// "2(x3),1" and "4" begin with the tasks of the first machine; the largest is taken, so that no
// machine is asked for more than it has.
int MostTasksOfAMachine(const std::string& text, int ranks) {
  int most = 1;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    int tasks = 0;
    const auto [behind, error] = std::from_chars(at, end, tasks);
    if (error != std::errc()) break;
    most = std::max(most, std::min(tasks, ranks));
    at = std::find(behind, end, ',');
    if (at < end) ++at;
  }
  return most;
}

std::uint16_t PortOf(const Variables& of, int otherwise) {
  return static_cast<std::uint16_t>(of.NumberOr("MASTER_PORT", 1, kMostPort, otherwise));
}

// Sets what tells this start from another one, and a port that another start on this machine hardly
// has. Ports from 32,768 on are those that Linux itself gives away.
void TellApart(RankInvitation& invitation, const Variables& of, const std::string& start) {
  constexpr std::uint64_t kPorts = 3000;
  invitation.job = start;
  invitation.port =
      PortOf(of, kDefaultPort + static_cast<int>(start.empty() ? 0 : StableHash(start) % kPorts));
}

RankInvitation ByTorchrun(const Variables& of) {
  RankInvitation invitation{.place = PlaceOf(of, kTorchrun)};
  for (const char* name : {"MASTER_ADDR", "MASTER_PORT"}) {
    if (of.Has(name)) continue;
    throw Error(ErrorKind::kConfig,
                "the environment has RANK and WORLD_SIZE, and no " + std::string(name),
                "Set it to where rank 0 is reached, or take RANK out of the environment.");
  }
  invitation.address = of.Text("MASTER_ADDR");
  invitation.port = PortOf(of, kDefaultPort);
  invitation.has_store = of.Text("TORCHELASTIC_USE_AGENT_STORE") == "True";
  if (of.Has("TORCHELASTIC_RUN_ID")) {
    invitation.job = of.Text("TORCHELASTIC_RUN_ID") + "." + of.Text("TORCHELASTIC_RESTART_COUNT");
  }
  return invitation;
}

RankInvitation BySlurm(const Variables& of) {
  RankInvitation invitation{.place = PlaceOf(of, kSlurm)};
  invitation.place.local_ranks =
      MostTasksOfAMachine(of.Text("SLURM_STEP_TASKS_PER_NODE"), invitation.place.ranks);
  invitation.address =
      of.Has("MASTER_ADDR") ? of.Text("MASTER_ADDR") : FirstHost(of.Text("SLURM_STEP_NODELIST"));
  if (invitation.address.empty()) {
    throw Error(ErrorKind::kConfig, "srun does not say on which machine rank 0 is",
                "Set MASTER_ADDR to its name.");
  }
  TellApart(invitation, of, of.Text("SLURM_JOB_ID") + "." + of.Text("SLURM_STEP_ID"));
  return invitation;
}

RankInvitation ByOpenMpi(const Variables& of) {
  RankInvitation invitation{.place = PlaceOf(of, kOpenMpi)};
  const bool is_one_machine = invitation.place.local_ranks == invitation.place.ranks;
  if (!of.Has("MASTER_ADDR") && !is_one_machine) {
    throw Error(ErrorKind::kConfig, "mpirun does not say on which machine rank 0 is",
                "Set MASTER_ADDR to its name: mpirun -x MASTER_ADDR=NAME ...");
  }
  invitation.address = of.Has("MASTER_ADDR") ? of.Text("MASTER_ADDR") : "127.0.0.1";
  TellApart(invitation, of, of.Text("PMIX_NAMESPACE"));
  return invitation;
}

}  // namespace

std::optional<RankInvitation> InvitationIn(const Environment& environment) {
  const Variables of(environment);
  std::optional<RankInvitation> invitation;
  if (of.Has("RANK") && of.Has("WORLD_SIZE")) {
    invitation = ByTorchrun(of);
  } else if (of.Has("SLURM_PROCID") && of.Has("SLURM_STEP_NUM_TASKS")) {
    invitation = BySlurm(of);
  } else if (of.Has("OMPI_COMM_WORLD_RANK") && of.Has("OMPI_COMM_WORLD_SIZE")) {
    invitation = ByOpenMpi(of);
  }
  if (invitation && invitation->place.ranks == 1) return std::nullopt;
  return invitation;
}

}  // namespace weir
