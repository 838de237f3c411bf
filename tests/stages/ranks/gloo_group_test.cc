#include "stages/ranks/gloo_group.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/caught_error.h"

namespace weir {
namespace {

// Each in a thread of its own, joined on this machine; the store's port goes from rank 0 to others.
void OnGlooRanks(int ranks, std::chrono::milliseconds timeout,
                 const std::function<void(std::shared_ptr<RankGroup>&)>& work) {
  std::promise<std::uint16_t> opened;
  const std::shared_future<std::uint16_t> port = opened.get_future().share();
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      GlooOptions options{
          .place = {rank, ranks, rank, ranks}, .address = "127.0.0.1", .timeout = timeout};
      if (rank == 0) {
        options.on_open = [&](std::uint16_t at) { opened.set_value(at); };
      } else {
        options.port = port.get();
      }
      std::shared_ptr<RankGroup> group = JoinByGloo(options);
      work(group);
    });
  }
  for (std::thread& each : threads) each.join();
}

TEST(GlooGroup, GathersTextsAndSendsBlocksInTheirOrder) {
  OnGlooRanks(3, std::chrono::seconds(30), [](std::shared_ptr<RankGroup>& group) {
    const int rank = group->place().rank;
    EXPECT_THAT(GatherTexts(*group, std::string(static_cast<std::size_t>(rank), 'x')),
                ::testing::ElementsAre("", "x", "xx"));
    const std::vector<std::byte> small(3, std::byte{1}), large(1 << 20, std::byte{2});
    std::vector<std::byte> first(3), second(1 << 20);
    const int next = (rank + 1) % 3, before = (rank + 2) % 3;
    const std::vector<OutBlock> out = {{next, small}, {next, large}};
    const std::vector<InBlock> in = {{before, first}, {before, second}};
    for (int i = 0; i < 3; ++i) group->Exchange(out, in);
    EXPECT_EQ(first, small);
    EXPECT_EQ(second, large);
  });
}

TEST(GlooGroup, NamesTheRankThatIsGone) {
  OnGlooRanks(3, std::chrono::seconds(30), [](std::shared_ptr<RankGroup>& group) {
    GatherTexts(*group, "all are there");
    if (group->place().rank == 2) {
      group.reset();
      return;
    }
    EXPECT_EQ(CaughtError([&] {
                for (;;) GatherTexts(*group, "still there");
              }),
              "rank 2 is gone\n"
              "Go on from the last checkpoint with --resume, with any number of ranks.");
  });
}

TEST(GlooGroup, NamesTheRankThatDoesNotAnswer) {
  std::promise<void> is_over;
  const std::shared_future<void> over = is_over.get_future().share();
  std::atomic<int> ended{0};
  OnGlooRanks(3, std::chrono::seconds(1), [&](std::shared_ptr<RankGroup>& group) {
    GatherTexts(*group, "all are there");
    if (group->place().rank == 1) return over.wait();
    EXPECT_EQ(CaughtError([&] { GatherTexts(*group, "still there"); }),
              "rank 1 has not answered for 1 s\n"
              "Go on from the last checkpoint with --resume, with any number of ranks.");
    if (++ended == 2) is_over.set_value();
  });
}

}  // namespace
}  // namespace weir
