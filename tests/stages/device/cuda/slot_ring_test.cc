#include "stages/device/cuda/slot_ring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <set>

namespace weir {
namespace {

// A device that ends work only when it is told to.
class FakeTransfers final : public SlotTransfers {
 public:
  FakeTransfers(int slots, std::size_t bytes) : memory_(slots, std::vector<std::uint8_t>(bytes)) {}

  void Start(int slot, const std::uint8_t* pixels, std::size_t bytes) override {
    EXPECT_TRUE(IsIdle(slot)) << "slot " << slot << " was overwritten while it was read";
    std::memcpy(memory_[slot].data(), pixels, bytes);
    started.push_back(slot);
    busy.insert(slot);
  }
  bool IsIdle(int slot) override { return !busy.contains(slot); }
  const std::uint8_t* BeginUse(int slot, StreamHandle) override { return memory_[slot].data(); }
  void EndUse(int slot, StreamHandle) override { busy.insert(slot); }

  std::vector<int> started;
  std::set<int> busy;

 private:
  std::vector<std::vector<std::uint8_t>> memory_;
};

struct Ring {
  explicit Ring(int slots) {
    auto made = std::make_unique<FakeTransfers>(slots, 2 * 12);
    device = made.get();
    uploader = std::make_unique<RingUploader>(std::make_shared<SlotRing>(std::move(made), slots));
  }
  FakeTransfers* device;
  std::unique_ptr<RingUploader> uploader;
};

Batch MakeBatch(std::uint8_t value, int samples = 2) {
  Batch batch;
  batch.height = batch.width = 2;
  batch.samples.resize(samples);
  batch.pixels = AlignedBuffer<std::uint8_t>(2 * 12);
  std::fill_n(batch.pixels.data(), batch.pixels.size(), value);
  return batch;
}

std::uint8_t FirstPixelOnDevice(const Batch& batch) {
  return *static_cast<RingSlot&>(*batch.device).BeginUse(nullptr);
}

TEST(RingUploader, HandsTheBatchOverAndGivesItsPixelsBack) {
  Ring ring(2);
  Batch batch = MakeBatch(7);
  ring.uploader->Upload(batch);
  ASSERT_NE(batch.device, nullptr);
  EXPECT_EQ(batch.pixels.size(), 0u);
  EXPECT_EQ(batch.size(), 2);
  EXPECT_EQ(FirstPixelOnDevice(batch), 7);
}

TEST(RingUploader, LeavesTheBatchOnTheHostWhereEverySlotIsTaken) {
  Ring ring(1);
  Batch first = MakeBatch(1);
  Batch second = MakeBatch(2);
  ring.uploader->Upload(first);
  ring.device->busy.clear();
  ring.uploader->Upload(second);
  EXPECT_EQ(second.device, nullptr);
  EXPECT_EQ(second.pixels.data()[0], 2);
  EXPECT_EQ(FirstPixelOnDevice(first), 1);
}

// The batch is gone, and the device still reads its pixels.
TEST(RingUploader, DoesNotUseASlotAgainBeforeTheDeviceIsDoneWithIt) {
  Ring ring(1);
  {
    Batch first = MakeBatch(1);
    ring.uploader->Upload(first);
    static_cast<RingSlot&>(*first.device).EndUse(nullptr);
  }
  Batch second = MakeBatch(2);
  ring.uploader->Upload(second);
  EXPECT_EQ(second.device, nullptr);
  ring.device->busy.clear();
  ring.uploader->Upload(second);
  ASSERT_NE(second.device, nullptr);
  EXPECT_EQ(FirstPixelOnDevice(second), 2);
}

TEST(RingUploader, TakesItsSlotsInTurn) {
  Ring ring(3);
  for (int i = 0; i < 5; ++i) {
    Batch batch = MakeBatch(1);
    ring.uploader->Upload(batch);
    ring.device->busy.clear();
  }
  EXPECT_THAT(ring.device->started, testing::ElementsAre(0, 1, 2, 0, 1));
}

TEST(RingUploader, PassesOverASlotThatIsBusy) {
  Ring ring(3);
  Batch kept = MakeBatch(1);
  ring.uploader->Upload(kept);
  for (int i = 0; i < 3; ++i) {
    Batch batch = MakeBatch(2);
    ring.uploader->Upload(batch);
    ring.device->busy.clear();
  }
  EXPECT_THAT(ring.device->started, testing::ElementsAre(0, 1, 2, 1));
}

TEST(RingUploader, PassesAnEmptyBatchOn) {
  Ring ring(1);
  Batch batch = MakeBatch(1, 0);
  ring.uploader->Upload(batch);
  EXPECT_EQ(batch.device, nullptr);
  EXPECT_TRUE(ring.device->started.empty());
}

// A pass may end, and its uploader with it, while a batch is on its way.
TEST(RingUploader, MayEndBeforeItsBatches) {
  Ring ring(1);
  Batch batch = MakeBatch(9);
  ring.uploader->Upload(batch);
  ring.uploader.reset();
  EXPECT_EQ(FirstPixelOnDevice(batch), 9);
}

}  // namespace
}  // namespace weir
