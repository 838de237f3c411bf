#include "stages/ranks/gradient_sum.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

#include "framework/random.h"
#include "stages/ranks/piece_tree.h"
#include "tests/stages/ranks/thread_ranks.h"

namespace weir {
namespace {

using testing::OnRanks;

std::vector<float> GradientOf(int piece, std::size_t values) {
  CounterRandom random(5, "gradient", 0, static_cast<std::uint64_t>(piece));
  std::vector<float> gradient(values);
  for (float& value : gradient) value = static_cast<float>(random.Uniform(-1, 1));
  return gradient;
}

void Add(std::vector<float>& left, const std::vector<float>& right) {
  for (std::size_t i = 0; i < left.size(); ++i) left[i] += right[i];
}

// A rank's sums of its pieces, as it adds them up before it meets the others.
std::vector<std::vector<float>> SumsOf(int begin, int end, std::size_t values) {
  PieceTree<std::vector<float>> tree;
  for (int piece = begin; piece < end; ++piece) {
    tree.Push({0, piece}, GradientOf(piece, values), Add);
  }
  std::vector<std::vector<float>> sums;
  for (const auto& [node, sum] : tree.nodes()) sums.push_back(sum);
  return sums;
}

std::vector<float> SumAlone(int pieces, std::size_t values, float factor) {
  PieceTree<std::vector<float>> tree;
  for (int piece = 0; piece < pieces; ++piece) {
    tree.Push({0, piece}, GradientOf(piece, values), Add);
  }
  std::vector<float> sum = tree.Finish(Add);
  for (float& value : sum) value *= factor;
  return sum;
}

// Bit for bit, in a buffer that holds it all or a few values, for batches of which the last ranks
// have no piece, too.
TEST(GradientSum, HasTheSameBitsForAnyNumberOfRanks) {
  constexpr std::size_t kValues = 1001;
  constexpr float kFactor = 1.0f / 13;
  for (const int pieces : {1, 3, 7, 8}) {
    const std::vector<float> expected = SumAlone(pieces, kValues, kFactor);
    for (int ranks = 1; ranks <= 8; ++ranks) {
      for (const std::size_t room : {std::size_t{16}, std::size_t{333}, kSumBufferValues}) {
        OnRanks(ranks, [&](RankGroup& group) {
          const RankShare share{
              .rank = group.place().rank, .ranks = ranks, .batch_size = 16, .piece_size = 2};
          auto sums = SumsOf(std::min(share.first_piece(), pieces),
                             std::min(share.end_piece(), pieces), kValues);
          std::vector<float> own(kValues);
          std::vector<std::span<float>> mine(sums.begin(), sums.end());
          const std::span<float> sum = mine.empty() ? std::span(own) : mine.front();
          std::vector<float> buffer(room);
          SumOverRanks(group, share, pieces, mine, sum, kFactor, buffer);
          EXPECT_EQ(std::vector<float>(sum.begin(), sum.end()), expected)
              << pieces << " pieces, rank " << share.rank << " of " << ranks;
        });
      }
    }
  }
}

TEST(RankGroup, GathersWhatEachRankSays) {
  for (int ranks = 1; ranks <= 9; ++ranks) {
    OnRanks(ranks, [&](RankGroup& group) {
      const std::string mine(static_cast<std::size_t>(group.place().rank) % 4,
                             static_cast<char>('a' + group.place().rank));
      std::vector<std::string> expected;
      for (int rank = 0; rank < ranks; ++rank) {
        expected.emplace_back(static_cast<std::size_t>(rank) % 4, static_cast<char>('a' + rank));
      }
      EXPECT_EQ(GatherTexts(group, mine), expected);
    });
  }
}

}  // namespace
}  // namespace weir
