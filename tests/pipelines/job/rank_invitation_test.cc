#include "pipelines/job/rank_invitation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>

#include "tests/support/caught_error.h"

namespace weir {
namespace {

using Variables = std::map<std::string, std::string>;

std::optional<RankInvitation> Invitation(const Variables& variables) {
  return InvitationIn([&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

void ExpectPlace(const RankPlace& place, int rank, int ranks, int local_rank, int local_ranks) {
  EXPECT_EQ(place.rank, rank);
  EXPECT_EQ(place.ranks, ranks);
  EXPECT_EQ(place.local_rank, local_rank);
  EXPECT_EQ(place.local_ranks, local_ranks);
}

TEST(RankInvitation, IsNotThereWithoutALauncherOrWithOneProcess) {
  EXPECT_FALSE(Invitation({}));
  EXPECT_FALSE(Invitation({{"RANK", "3"}}));
  EXPECT_FALSE(Invitation({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "8"}}));  // a batch script
  EXPECT_FALSE(Invitation({{"OMPI_COMM_WORLD_RANK", "0"}, {"OMPI_COMM_WORLD_SIZE", "1"}}));
}

TEST(RankInvitation, IsReadAsTorchrunWritesIt) {
  const auto invitation = Invitation({{"RANK", "5"},
                                      {"WORLD_SIZE", "8"},
                                      {"LOCAL_RANK", "1"},
                                      {"LOCAL_WORLD_SIZE", "4"},
                                      {"MASTER_ADDR", "node7"},
                                      {"MASTER_PORT", "1234"},
                                      {"TORCHELASTIC_USE_AGENT_STORE", "True"},
                                      {"TORCHELASTIC_RUN_ID", "none"},
                                      {"TORCHELASTIC_RESTART_COUNT", "2"}});
  ASSERT_TRUE(invitation);
  ExpectPlace(invitation->place, 5, 8, 1, 4);
  EXPECT_EQ(invitation->address, "node7");
  EXPECT_EQ(invitation->port, 1234);
  EXPECT_TRUE(invitation->has_store);
  EXPECT_EQ(invitation->job, "none.2");
}

TEST(RankInvitation, IsReadAsSrunWritesIt) {
  Variables variables = {{"SLURM_PROCID", "3"},       {"SLURM_STEP_NUM_TASKS", "5"},
                         {"SLURM_LOCALID", "1"},      {"SLURM_STEP_TASKS_PER_NODE", "2(x2),1"},
                         {"SLURM_JOB_ID", "1234567"}, {"SLURM_STEP_NODELIST", "gpu[07-09,12],x"},
                         {"SLURM_STEP_ID", "2"}};
  const auto invitation = Invitation(variables);
  ASSERT_TRUE(invitation);
  ExpectPlace(invitation->place, 3, 5, 1, 2);
  EXPECT_EQ(invitation->address, "gpu07");
  EXPECT_EQ(invitation->job, "1234567.2");
  variables["SLURM_STEP_NODELIST"] = "alone,other";
  EXPECT_EQ(Invitation(variables)->address, "alone");
  variables["MASTER_ADDR"] = "chosen";
  variables["MASTER_PORT"] = "77";
  EXPECT_EQ(Invitation(variables)->address, "chosen");
  EXPECT_EQ(Invitation(variables)->port, 77);
}

TEST(RankInvitation, IsReadAsOpenMpiWritesIt) {
  Variables variables = {{"OMPI_COMM_WORLD_RANK", "1"},
                         {"OMPI_COMM_WORLD_SIZE", "2"},
                         {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
                         {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}};
  const auto invitation = Invitation(variables);
  ASSERT_TRUE(invitation);
  ExpectPlace(invitation->place, 1, 2, 1, 2);
  EXPECT_EQ(invitation->address, "127.0.0.1");
  EXPECT_EQ(invitation->port, 29500);
  variables["OMPI_COMM_WORLD_LOCAL_SIZE"] = "1";
  EXPECT_EQ(CaughtError([&] { Invitation(variables); }),
            "mpirun does not say on which machine rank 0 is\n"
            "Set MASTER_ADDR to its name: mpirun -x MASTER_ADDR=NAME ...");
}

// Two starts on a machine meet at a port each; where it is the same one, they are told apart there.
TEST(RankInvitation, IsToOneStartOfALauncher) {
  const Variables slurm = {{"SLURM_PROCID", "0"},
                           {"SLURM_STEP_NUM_TASKS", "2"},
                           {"SLURM_JOB_ID", "7"},
                           {"SLURM_STEP_NODELIST", "a"}};
  const Variables open_mpi = {{"OMPI_COMM_WORLD_RANK", "1"},
                              {"OMPI_COMM_WORLD_SIZE", "2"},
                              {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}};
  for (const auto& [variables, name] :
       {std::pair{slurm, "SLURM_STEP_ID"}, std::pair{open_mpi, "PMIX_NAMESPACE"}}) {
    const auto start = [&, &of = variables, &name = name](const char* text) {
      Variables changed = of;
      changed[name] = text;
      return *Invitation(changed);
    };
    EXPECT_EQ(start("41680897").port, start("41680897").port);
    EXPECT_EQ(start("41680897").job, start("41680897").job);
    EXPECT_NE(start("41680897").port, start("41680898").port) << name;
    EXPECT_NE(start("41680897").job, start("41680898").job) << name;
    EXPECT_GE(start("41680897").port, 29500);
    EXPECT_LT(start("41680897").port, 32500);
  }
}

TEST(RankInvitation, IsRefusedWhereItMakesNoSense) {
  const Variables whole = {
      {"RANK", "1"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "a"}, {"MASTER_PORT", "5"}};
  ASSERT_TRUE(Invitation(whole));
  const auto with = [&](const char* name, const char* value) {
    Variables changed = whole;
    changed[name] = value;
    return CaughtError([&] { Invitation(changed); });
  };
  EXPECT_EQ(with("RANK", "2"),
            "the environment has RANK=2, which is no whole number from 0 to 1\n"
            "Start the ranks with torchrun, srun or mpirun, or with `weir run --ranks N`.");
  EXPECT_THAT(with("RANK", "-1"), ::testing::StartsWith("the environment has RANK=-1,"));
  EXPECT_THAT(
      with("WORLD_SIZE", "two"),
      ::testing::StartsWith("the environment has WORLD_SIZE=two, which is no whole number"));
  EXPECT_THAT(with("MASTER_PORT", "65536"),
              ::testing::StartsWith("the environment has MASTER_PORT=65536,"));
  EXPECT_EQ(with("MASTER_ADDR", ""),
            "the environment has RANK and WORLD_SIZE, and no MASTER_ADDR\n"
            "Set it to where rank 0 is reached, or take RANK out of the environment.");
}

}  // namespace
}  // namespace weir
