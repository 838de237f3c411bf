// A plugin with a source `paint` that gives pictures themselves, no files, and other ones in each
// epoch. It says in a file how often its pictures were listed.
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "framework/plugin/plugin_entry.h"
#include "framework/random.h"
#include "stages/payloads.h"

namespace {

using weir::Image;
using weir::Pass;
using weir::Sample;
using weir::Split;

class Paint final : public weir::SourceStage<Image> {
 public:
  static constexpr std::string_view kName = "paint";
  static constexpr std::string_view kDoc = "Paints light and dark pictures.";
  struct Params {
    std::filesystem::path log{};
    static auto Fields() {
      return std::tuple{
          weir::Field{"log", &Params::log, "Gets a line for each listing.", weir::Required{}}};
    }
  };

  static std::vector<weir::ResourceUse> Provides() {
    return {weir::ResourceOf<weir::Classes>(), weir::ResourceOf<weir::SampleCounts>(),
            weir::ResourceOf<weir::SampleOrder>()};
  }

  Paint(const Params& params, weir::BuildContext& context) : seed_(context.seed) {
    std::ofstream(params.log, std::ios::app) << "listed\n";
    context.resources.Put(std::make_shared<weir::Classes>(weir::Classes{{"dark", "light"}}));
    auto counts = std::make_shared<weir::SampleCounts>();
    counts->of_split[Split::kTrain] = kTrained;
    counts->of_split[Split::kValidation] = kPictures - kTrained;
    context.resources.Put(counts);
    auto order = std::make_shared<weir::SampleOrder>();
    order->index_end = kPictures;
    order->begin = [](const Pass& pass) {
      return [index = FirstOf(pass), end = EndOf(pass)]() mutable {
        return index < end ? std::optional(At(index++)) : std::nullopt;
      };
    };
    context.resources.Put(order);
  }

  weir::ItemSpec output() const override {
    return {.dims = {kSize, kSize, 3}, .item_bytes = kBytes};
  }
  weir::Footprint footprint() const override {
    return {.held = {{"palette", weir::MemoryTag::kReserve, kHeldBytes}}, .item_bytes = kBytes};
  }
  void Open(weir::OpenContext& context) override {
    if (lease_) throw std::logic_error("it is opened twice");
    lease_ = context.budget.TryAcquire(weir::MemoryTag::kReserve, kHeldBytes);
  }
  void BeginPass(const Pass& pass) override {
    if (!lease_) throw std::logic_error("it is not open");
    pass_ = pass;
    next_ = FirstOf(pass);
  }
  std::optional<Image> Next(weir::StageContext&) override {
    if (next_ == EndOf(pass_)) return std::nullopt;
    Image image{At(next_), kSize, kSize, weir::AlignedBuffer<std::uint8_t>(kBytes)};
    weir::CounterRandom random(seed_, "paint", static_cast<std::uint64_t>(pass_.epoch), next_++);
    const int lightness = image.sample.label == 1 ? 120 : 0;
    for (std::size_t i = 0; i < kBytes; ++i) {
      image.pixels.data()[i] = static_cast<std::uint8_t>(lightness + random.Below(136));
    }
    return image;
  }
  std::optional<std::string> DependsOn(const Pass&, std::uint64_t) const override { return ""; }
  int variants(Split) const override { return 0; }

 private:
  static constexpr std::uint64_t kPictures = 24, kTrained = 16;
  static constexpr int kSize = 32;
  static constexpr std::size_t kBytes = std::size_t{3} * kSize * kSize;
  static constexpr std::size_t kHeldBytes = 1024;

  static std::uint64_t FirstOf(const Pass& pass) {
    return (pass.split == Split::kTrain ? 0 : kTrained) + pass.first_sample;
  }
  static std::uint64_t EndOf(const Pass& pass) {
    return pass.split == Split::kTrain ? kTrained : kPictures;
  }
  static Sample At(std::uint64_t index) {
    return {.index = index,
            .label = static_cast<int>(index % 2),
            .path = "picture " + std::to_string(index)};
  }

  const std::uint64_t seed_;
  std::optional<weir::Lease> lease_;
  Pass pass_;
  std::uint64_t next_ = 0;
};

}  // namespace

void weir_plugin::AddStages(weir::Registry& registry) { registry.Add<Paint>(); }
