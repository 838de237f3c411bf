#include "stages/device/micro_batches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace weir {
namespace {

using testing::ElementsAre;

struct Tried {
  int size;
  std::vector<int> sizes;  // all that were tried
};

Tried TryWithRoomFor(int most, int batch_size) {
  std::vector<int> sizes;
  const int size = LargestMicroBatch(batch_size, [&](int tried) {
    sizes.push_back(tried);
    return tried <= most;
  });
  return {size, sizes};
}

TEST(LargestMicroBatch, IsTheBatchWhereThatFits) {
  const Tried tried = TryWithRoomFor(100, 32);
  EXPECT_EQ(tried.size, 32);
  EXPECT_THAT(tried.sizes, ElementsAre(1, 32));
}

TEST(LargestMicroBatch, CutsTheBatchEvenly) {
  const Tried tried = TryWithRoomFor(12, 42);
  EXPECT_EQ(tried.size, 11);  // 11 + 11 + 11 + 9
  EXPECT_THAT(tried.sizes, ElementsAre(1, 42, 21, 11));
}

TEST(LargestMicroBatch, HasNoMoreSamplesThanLibTorchCanCountTheValuesOf) {
  EXPECT_THAT(TryWithRoomFor(10000, 2000).sizes, ElementsAre(1, 500));
  EXPECT_THAT(TryWithRoomFor(300, 2000).sizes, ElementsAre(1, 500, 250));
  EXPECT_THAT(TryWithRoomFor(10000, 512).sizes, ElementsAre(1, 512));
}

TEST(LargestMicroBatch, ComesDownToOne) {
  EXPECT_EQ(TryWithRoomFor(1, 5).size, 1);
  EXPECT_THAT(TryWithRoomFor(1, 5).sizes, ElementsAre(1, 5, 3, 2, 1));
  EXPECT_EQ(TryWithRoomFor(1, 1).size, 1);
  EXPECT_THAT(TryWithRoomFor(1, 1).sizes, ElementsAre(1));
}

TEST(LargestMicroBatch, TriesNoMoreWhereNotEvenOneFits) {
  const Tried tried = TryWithRoomFor(0, 32);
  EXPECT_EQ(tried.size, 0);
  EXPECT_THAT(tried.sizes, ElementsAre(1));
}

}  // namespace
}  // namespace weir
