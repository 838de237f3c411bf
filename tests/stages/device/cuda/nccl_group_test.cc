// Ranks that are threads, each with a GPU of its own that is simulated, which exchange what is
// there.
#include "stages/device/cuda/nccl_group.h"

#include <cuda_runtime_api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "stages/ranks/gradient_sum.h"
#include "tests/stages/device/cuda/cuda_gpu.h"
#include "tests/stages/ranks/thread_ranks.h"
#include "tests/stages/train/running_train.h"
#include "tests/support/caught_error.h"
#include "tests/support/sim_cuda/sim_cuda.h"

namespace weir {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::chrono::seconds kTimeout{20};

std::shared_ptr<RankGroup> Shared(RankGroup& group) {
  return {&group, [](RankGroup*) {}};
}

std::shared_ptr<Device> Gpu(int index) {
  const auto device = ChooseDevice({DeviceSelection::Kind::kCuda, index}, BuiltDeviceSide()).device;
  device->SetLimit(device->usage().used_bytes + (std::size_t{1} << 30));
  return device;
}

// A rank with the card of its number.
struct Rank {
  RankGroup& hosts;
  Device& device;
  JoinedDevices joined;
};

void OnCards(std::chrono::milliseconds timeout, const std::function<void(Rank&)>& work) {
  testing::OnRanks(sim::kCards, [&](RankGroup& hosts) {
    const std::shared_ptr<Device> device = Gpu(hosts.place().rank);
    Rank rank{hosts, *device, device->JoinRanks(Shared(hosts), timeout)};
    work(rank);
  });
}

// What each value of a card's run is: another on each card, and at each place.
float ValueOf(int card, int i) { return static_cast<float>(card * 1000 + i); }

TEST(NcclGroup, ExchangesWhatIsOnTheCards) {
  constexpr int kCount = 300'000;  // more than a socket takes at once
  OnCards(kTimeout, [&](Rank& rank) {
    ASSERT_TRUE(rank.joined.group) << rank.joined.why_not;
    const int own = rank.hosts.place().rank, other = 1 - own;
    std::vector<float> values(kCount);
    for (int i = 0; i < kCount; ++i) values[i] = ValueOf(own, i);
    rank.device.Issue("a test", [&] {
      const std::size_t bytes = kCount * sizeof(float);
      std::byte *sent = nullptr, *received = nullptr;
      ASSERT_EQ(cudaMalloc(reinterpret_cast<void**>(&sent), bytes), cudaSuccess);
      ASSERT_EQ(cudaMalloc(reinterpret_cast<void**>(&received), bytes), cudaSuccess);
      cudaMemcpy(sent, values.data(), bytes, cudaMemcpyHostToDevice);
      // In two blocks, which arrive in their order.
      const std::vector<OutBlock> out = {{other, {sent, 40}}, {other, {sent + 40, bytes - 40}}};
      const std::vector<InBlock> in = {{other, {received, 40}},
                                       {other, {received + 40, bytes - 40}}};
      rank.joined.group->Exchange(out, in);
      cudaMemcpy(values.data(), received, bytes, cudaMemcpyDeviceToHost);
      cudaFree(sent);
      cudaFree(received);
    });
    for (int i = 0; i < kCount; ++i) ASSERT_EQ(values[i], ValueOf(other, i)) << i;
    rank.joined.group.reset();
  });
}

TEST(NcclGroup, SaysOnAllRanksWhyTheyCannotJoin) {
  testing::OnRanks(2, [](RankGroup& hosts) {
    const std::shared_ptr<Device> same = Gpu(0);
    const JoinedDevices joined = same->JoinRanks(Shared(hosts), kTimeout);
    EXPECT_FALSE(joined.group);
    EXPECT_EQ(joined.why_not, "several ranks have the same GPU");
  });
  for (const char* function : {"ncclGetUniqueId", "ncclCommInitRankConfig"}) {
    sim::FailCall(function, 1, cudaErrorUnknown);
    OnCards(kTimeout, [&](Rank& rank) {
      EXPECT_FALSE(rank.joined.group);
      EXPECT_THAT(rank.joined.why_not,
                  ::testing::MatchesRegex("rank [01]: unhandled system error"));
    });
  }
}

// Both have told each other on the hosts that they are there.
TEST(NcclGroup, EndsWhereARankDoesNotTakePart) {
  for (const bool leaves : {true, false}) {
    OnCards(std::chrono::seconds(3), [&](Rank& rank) {
      ASSERT_TRUE(rank.joined.group) << rank.joined.why_not;
      if (rank.hosts.place().rank == 1) {
        if (leaves) rank.joined.group.reset();
        GatherTexts(rank.hosts, "");
        return;
      }
      std::byte* bytes = nullptr;
      rank.device.Issue("a test", [&] {
        ASSERT_EQ(cudaMalloc(reinterpret_cast<void**>(&bytes), 100), cudaSuccess);
      });
      const std::string text = CaughtError([&] {
        rank.device.Issue("a test", [&] {
          const InBlock in{1, {bytes, 100}};
          rank.joined.group->Exchange({}, {&in, 1});
        });
      });
      rank.device.Issue("a test", [&] { cudaFree(bytes); });
      EXPECT_THAT(text,
                  StartsWith("the GPUs of the ranks do not reach each other any more (NCCL: "));
      EXPECT_THAT(text, HasSubstr(leaves ? "remote process exited" : "no answer for 3 s"));
    });
  }
}

std::vector<float> Learn(const SmallTraining& training, RankGroup* hosts, int card, bool by_nccl) {
  constexpr int kSamples = 13;  // the last batch has pieces of the first rank alone
  const std::shared_ptr<Device> device = Gpu(card);
  const auto ranks =
      std::make_shared<Ranks>(Ranks{.share = {.rank = hosts ? hosts->place().rank : 0,
                                              .ranks = hosts ? hosts->place().ranks : 1,
                                              .batch_size = 8,
                                              .piece_size = 1}});
  if (hosts) ranks->group = Shared(*hosts);
  if (by_nccl) ranks->device_group = device->JoinRanks(Shared(*hosts), kTimeout).group;
  EXPECT_EQ(ranks->device_group != nullptr, by_nccl);
  std::vector<float> state;
  {
    Running running(training, {.device = device,
                               .counts = SampleCounts{.of_split = {{Split::kTrain, kSamples}}},
                               .ranks = ranks});
    running.Pass(Split::kTrain, 0, kSamples);
    state = running.State();
  }
  ranks->device_group.reset();
  return state;
}

TEST(NcclGroup, AddsUpGradientsToTheBitsOfOneCard) {
  SmallTraining training = PartlyFrozen();
  training.config->micro_batch = 1;
  const std::vector<float> alone = Learn(training, nullptr, 0, false);
  for (const bool by_nccl : {false, true}) {
    testing::OnRanks(2, [&](RankGroup& hosts) {
      const int rank = hosts.place().rank;
      const int sent = sim::Calls("ncclSend");
      EXPECT_TRUE(Learn(training, &hosts, rank, by_nccl) == alone) << rank << by_nccl;
      if (by_nccl) {
        EXPECT_GT(sim::Calls("ncclSend"), sent);
      }
    });
  }
}

}  // namespace
}  // namespace weir
