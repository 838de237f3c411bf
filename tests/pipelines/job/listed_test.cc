#include "pipelines/job/listed.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <utility>

#include "stages/payloads.h"

namespace weir {
namespace {

// A source that waits for a server.
class Waiting final : public SourceStage<ImageFile> {
 public:
  std::optional<ImageFile> Next(StageContext&) override { return std::nullopt; }
  bool IsReady() override { return is_ready; }
  void set_on_ready(std::function<void()> given) override { on_ready = std::move(given); }

  bool is_ready = false;
  std::function<void()> on_ready;
};

TEST(Listed, IsReadyWhenTheSourceIsThatItStandsFor) {
  auto made = std::make_unique<Waiting>();
  Waiting& source = *made;
  const PlacedStage placed = Place("waiting", std::move(made));
  Listed listed(*placed.any);
  EXPECT_FALSE(listed.IsReady());
  bool was_told = false;
  listed.set_on_ready([&was_told] { was_told = true; });
  source.is_ready = true;
  source.on_ready();
  EXPECT_TRUE(was_told);
  EXPECT_TRUE(listed.IsReady());
}

}  // namespace
}  // namespace weir
