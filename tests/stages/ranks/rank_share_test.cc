#include "stages/ranks/rank_share.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "stages/ranks/piece_tree.h"

namespace weir {
namespace {

using ::testing::ElementsAre;

RankShare Share(int rank, int ranks, int batch = 32, int piece = 4) {
  return {.rank = rank, .ranks = ranks, .batch_size = batch, .piece_size = piece};
}

TEST(RankShare, OfOneRankIsEverySampleInItsOrder) {
  const RankShare alone = RankShare::Alone(32);
  EXPECT_EQ(alone.pieces(), 1);
  for (std::uint64_t n = 0; n < 100; ++n) {
    EXPECT_EQ(alone.OrderOf(n), n);
    EXPECT_EQ(Share(0, 1).OrderOf(n), n);
  }
}

// Whatever the sizes: no sample is left out or given twice, and a rank has whole pieces.
TEST(RankShare, OfAllRanksTogetherIsEverySampleOnce) {
  for (const int batch : {1, 5, 10, 32, 33}) {
    for (const int piece : {1, 3, 4, 33}) {
      for (int ranks = 1; ranks <= Share(0, 1, batch, piece).pieces(); ++ranks) {
        std::vector<int> times(3 * batch);
        for (int rank = 0; rank < ranks; ++rank) {
          const RankShare share = Share(rank, ranks, batch, piece);
          EXPECT_EQ(share.first_sample() % piece, 0);
          ASSERT_GT(share.size(), 0);
          for (int n = 0; n < 3 * share.size(); ++n) ++times[share.OrderOf(n)];
        }
        EXPECT_THAT(times, ::testing::Each(1)) << batch << " " << piece << " " << ranks;
      }
    }
  }
}

TEST(RankShare, IsOfThePiecesInARow) {
  EXPECT_EQ(Share(0, 3).first_piece(), 0);
  EXPECT_EQ(Share(1, 3).first_piece(), 2);
  EXPECT_EQ(Share(1, 3).end_piece(), 5);
  EXPECT_EQ(Share(2, 3).end_piece(), 8);
  EXPECT_EQ(Share(1, 3).OrderOf(0), 8u);
  EXPECT_EQ(Share(1, 3).OrderOf(12), 40u);
  EXPECT_EQ(Share(0, 1).PiecesOf(9), 3);
}

std::string SumOf(const std::vector<std::string>& pieces) {
  PieceTree<std::string> tree;
  const auto add = [](std::string& left, const std::string& right) {
    left = "(" + left + right + ")";
  };
  for (int i = 0; i < static_cast<int>(pieces.size()); ++i) tree.Push({0, i}, pieces[i], add);
  return tree.Finish(add);
}

TEST(PieceTree, AddsNeighboursFirst) {
  EXPECT_EQ(SumOf({"a"}), "a");
  EXPECT_EQ(SumOf({"a", "b", "c"}), "((ab)c)");
  EXPECT_EQ(SumOf({"a", "b", "c", "d", "e", "f", "g", "h"}), "(((ab)(cd))((ef)(gh)))");
  EXPECT_EQ(SumOf({"a", "b", "c", "d", "e", "f", "g"}), "(((ab)(cd))((ef)g))");
}

TEST(PieceTree, SaysWhatPiecesAddUpToAndHowMuchIsHeld) {
  EXPECT_THAT(NodesOf(0, 8), ElementsAre(PieceNode{3, 0}));
  EXPECT_THAT(NodesOf(2, 5), ElementsAre(PieceNode{1, 1}, PieceNode{0, 4}));
  EXPECT_THAT(NodesOf(5, 5), ElementsAre());
  EXPECT_EQ(SumsAtOnce(0, 1), 1);
  EXPECT_EQ(SumsAtOnce(0, 2), 2);
  EXPECT_EQ(SumsAtOnce(0, 8), 4);
  EXPECT_EQ(SumsAtOnce(0, 1024), 11);
}

}  // namespace
}  // namespace weir
