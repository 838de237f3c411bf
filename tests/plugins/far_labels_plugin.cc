// A plugin with a source `far_labels`, whose labels are of no class that anybody has named.
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "framework/plugin/plugin_entry.h"
#include "stages/payloads.h"

namespace {

class FarLabels final : public weir::SourceStage<weir::ImageFile> {
 public:
  static constexpr std::string_view kName = "far_labels";
  static constexpr std::string_view kDoc = "Gives one picture over and over.";
  struct Params {
    std::filesystem::path path{};
    static auto Fields() {
      return std::tuple{weir::Field{"path", &Params::path, "The picture.", weir::Required{}}};
    }
  };

  FarLabels(const Params& params, weir::BuildContext& context) : path_(params.path) {
    auto order = std::make_shared<weir::SampleOrder>();
    order->index_end = kPictures;
    order->begin = [this](const weir::Pass& pass) {
      return [this, index = pass.first_sample]() mutable { return At(index++); };
    };
    context.resources.Put(order);
  }

  weir::ItemSpec output() const override { return {}; }
  void BeginPass(const weir::Pass& pass) override { next_ = pass.first_sample; }
  std::optional<weir::ImageFile> Next(weir::StageContext&) override {
    std::optional<weir::Sample> sample = At(next_++);
    if (!sample) return std::nullopt;
    return weir::ImageFile{.sample = *std::move(sample)};
  }

 private:
  static constexpr std::uint64_t kPictures = 3;

  std::optional<weir::Sample> At(std::uint64_t index) const {
    if (index >= kPictures) return std::nullopt;
    return weir::Sample{.index = index, .label = 2'000'000'000, .path = path_};
  }

  const std::string path_;
  std::uint64_t next_ = 0;
};

}  // namespace

void weir_plugin::AddStages(weir::Registry& registry) { registry.Add<FarLabels>(); }
