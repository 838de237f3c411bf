// A plugin whose stages declare all that a stage may: what of them can be lowered, which data they
// read, which resources they need; and one that means another type by the name of a resource.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "framework/plugin/plugin_entry.h"
#include "stages/payloads.h"

namespace {

using weir::Field;
using weir::Image;

// Puts a black margin around pictures.
class Frame final : public weir::ReadingMapStage<Image, Image> {
 public:
  static constexpr std::string_view kName = "frame";
  static constexpr std::string_view kDoc = "Puts a black margin around pictures.";
  struct Params {
    int margin = 0;
    static auto Fields() { return std::tuple{Field{"margin", &Params::margin, "Its pixels."}}; }
  };

  Frame(const Params& params, weir::BuildContext& context)
      : margin_(params.margin), upstream_(context.upstream) {}

  weir::ItemSpec output() const override {
    const std::int64_t height = upstream_.dims[0] + 2 * margin_;
    const std::int64_t width = upstream_.dims[1] + 2 * margin_;
    return {.dims = {height, width, 3}, .item_bytes = static_cast<std::size_t>(3 * height * width)};
  }
  weir::Footprint footprint() const override { return {.item_bytes = output().item_bytes}; }
  std::vector<weir::Lowerable> lowerable() const override {
    return {{.parameter = "margin",
             .now = std::to_string(margin_),
             .values = {"0"},
             .alters = weir::Lowerable::Alters::kSamples}};
  }
  weir::Outcome<Image> Map(const Image& image, weir::StageContext&) override {
    Image framed{image.sample, image.height + 2 * margin_, image.width + 2 * margin_,
                 weir::AlignedBuffer<std::uint8_t>(output().item_bytes)};
    std::fill_n(framed.pixels.data(), framed.pixels.size(), std::uint8_t{0});
    for (int row = 0; row < image.height; ++row) {
      std::copy_n(image.pixels.data() + 3 * row * image.width, 3 * image.width,
                  framed.pixels.data() + 3 * ((row + margin_) * framed.width + margin_));
    }
    return framed;
  }

 private:
  const int margin_;
  const weir::ItemSpec upstream_;
};

// The pictures of a text file: a line each, the class and the path.
class Album final : public weir::SourceStage<weir::ImageFile> {
 public:
  static constexpr std::string_view kName = "album";
  static constexpr std::string_view kDoc = "Takes the pictures that an .album lists.";
  struct Params {
    std::filesystem::path file{};
    std::vector<std::string> classes{};
    static auto Fields() {
      return std::tuple{Field{"file", &Params::file, "The .album.", weir::Required{}},
                        Field{"classes", &Params::classes, "In the order of their labels."}};
    }
  };

  static weir::DataReading<Params> Reads() {
    return {.use = weir::DataUse::kLabelled,
            .fit =
                [](const std::filesystem::path& data) {
                  const bool is_album = data.extension() == ".album";
                  return is_album ? weir::DataFit::kMade : weir::DataFit::kNone;
                },
            .parameter = "file",
            .member = &Params::file};
  }
  static std::vector<weir::ResourceUse> Provides() {
    return {weir::ResourceOf<weir::Classes>(), weir::ResourceOf<weir::SampleCounts>()};
  }

  Album(const Params& params, weir::BuildContext& context) {
    std::ifstream file(params.file);
    std::string name, path;
    while (file >> name >> path) {
      const auto label = std::find(params.classes.begin(), params.classes.end(), name);
      samples_.push_back({.index = samples_.size(),
                          .label = static_cast<int>(label - params.classes.begin()),
                          .path = path});
    }
    context.resources.Put(std::make_shared<weir::Classes>(weir::Classes{params.classes}));
    auto counts = std::make_shared<weir::SampleCounts>();
    counts->of_split[weir::Split::kTest] = samples_.size();
    context.resources.Put(counts);
  }

  void BeginPass(const weir::Pass&) override { next_ = 0; }
  std::optional<weir::ImageFile> Next(weir::StageContext&) override {
    if (next_ == samples_.size()) return std::nullopt;
    return weir::ImageFile{.sample = samples_[next_++]};
  }

 private:
  std::vector<weir::Sample> samples_;
  std::size_t next_ = 0;
};

struct Lens {
  static constexpr std::string_view kResource = "lens";
};

// Another type under a name that is weir's.
struct SampleCount {
  static constexpr std::string_view kResource = weir::SampleCounts::kResource;
};

// What is the same of stages that give what they take.
class Same : public weir::ReadingMapStage<Image, Image> {
 public:
  struct Params {
    static auto Fields() { return std::tuple{}; }
  };
  explicit Same(const weir::BuildContext& context) : upstream_(context.upstream) {}
  weir::ItemSpec output() const override { return upstream_; }
  weir::Outcome<Image> Map(const Image& image, weir::StageContext&) override { return image; }

 private:
  const weir::ItemSpec upstream_;
};

class Focus final : public Same {
 public:
  static constexpr std::string_view kName = "focus";
  static constexpr std::string_view kDoc = "Needs what nobody gives.";
  static std::vector<weir::ResourceUse> Needs() {
    return {weir::ResourceOf<Lens>("Put `camera` before it.")};
  }
  Focus(const Params&, weir::BuildContext& context) : Same(context) {}
};

class Miscount final : public Same {
 public:
  static constexpr std::string_view kName = "miscount";
  static constexpr std::string_view kDoc = "Reads a resource as another type.";
  Miscount(const Params&, weir::BuildContext& context) : Same(context) {
    context.resources.Find<SampleCount>();
  }
};

}  // namespace

void weir_plugin::AddStages(weir::Registry& registry) {
  registry.Add<Frame>();
  registry.Add<Album>();
  registry.Add<Focus>();
  registry.Add<Miscount>();
}
