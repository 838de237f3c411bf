// Decoding in pictures a second (items_per_second), on one thread and on two. The pictures are the
// photos of $WEIR_SHARED (default ../shared) and one of 12 megapixels, made here. "Vips" reads the
// same JPEGs by libvips alone.

#include <benchmark/benchmark.h>
#include <vips/vips.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "stages/decode/decode.h"
#include "stages/decode/formats.h"
#include "stages/decode/vips/vips_decoder.h"

namespace weir {
namespace {

using Paths = std::vector<std::string>;

const Paths& Hymenoptera() {
  static const Paths paths = [] {
    const char* root = std::getenv("WEIR_SHARED");
    const std::filesystem::path folder =
        std::filesystem::path(root ? root : "../shared") / "data/hymenoptera";
    Paths found;
    std::error_code absent;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, absent)) {
      if (entry.path().extension() == ".jpg") found.push_back(entry.path());
    }
    return found;
  }();
  return paths;
}

// A real photo, enlarged, with what a camera's noise would add.
std::string LargePhoto(const std::string& suffix) {
  const std::string path =
      (std::filesystem::temp_directory_path() / "weir_decode_benchmark").string() + suffix;
  VipsImage *photo = nullptr, *large = nullptr, *noise = nullptr, *sum = nullptr, *bytes = nullptr;
  vips_thumbnail(Hymenoptera().front().c_str(), &photo, 4000, "height", 3000, "size",
                 VIPS_SIZE_FORCE, nullptr);
  vips_gaussnoise(&noise, 4000, 3000, "mean", 0.0, "sigma", 4.0, nullptr);
  vips_add(photo, noise, &sum, nullptr);
  vips_cast_uchar(sum, &bytes, nullptr);
  vips_copy(bytes, &large, "interpretation", VIPS_INTERPRETATION_sRGB, nullptr);
  vips_image_write_to_file(large, path.c_str(), nullptr);
  for (VipsImage* image : {photo, noise, sum, bytes, large}) g_object_unref(image);
  return path.substr(0, path.find('['));
}

const Paths& LargeJpeg() {
  static const Paths paths(4, LargePhoto(".jpg"));
  return paths;
}
const Paths& LargeProgressive() {
  static const Paths paths(4, LargePhoto("_progressive.jpg[interlace]"));
  return paths;
}
const Paths& LargePng() {
  static const Paths paths(4, LargePhoto(".png[compression=1]"));
  return paths;
}

WantedSize Wanted(const benchmark::State& state) {
  WantedSize wanted;
  wanted.height = wanted.width = static_cast<int>(state.range(0));
  return wanted;
}

template <class Read>
void Each(benchmark::State& state, const Paths& paths, Read read) {
  if (paths.empty()) return state.SkipWithError("the shared pictures are not here");
  std::size_t next = paths.size() * state.thread_index() / state.threads();
  for (auto _ : state) {
    const Outcome<Image> outcome = read(paths[next++ % paths.size()]);
    if (!std::holds_alternative<Image>(outcome)) state.SkipWithError("a picture was dropped");
  }
  state.SetItemsProcessed(state.iterations());
}

void BM_Decode(benchmark::State& state, const Paths& (*paths)()) {
  StartVips();
  Resources resources;
  if (state.range(0) > 0) resources.Put(std::make_shared<WantedSize>(Wanted(state)));
  BuildContext build{.upstream = {}, .resources = resources};
  Decode decode({}, build);
  MemoryBudget budget(1);
  OpenContext open{budget};
  decode.Open(open);
  const Pass pass;
  Each(state, paths(), [&](const std::string& path) {
    StageContext context(pass, 0, [] { return false; });
    ImageFile file;
    file.sample.path = path;
    return decode.Map(std::move(file), context);
  });
}

void BM_Vips(benchmark::State& state, const Paths& (*paths)()) {
  StartVips();
  Each(state, paths(), [&](const std::string& path) -> Outcome<Image> {
    Outcome<FileBytes> file = FileBytes::Open({path});
    const auto header = ReadImageHeader(std::get<FileBytes>(file));
    return DecodeWithVips(std::get<FileBytes>(file), std::get<ImageHeader>(header), Wanted(state),
                          {.operation = "jpegload_source", .shrinks = true});
  });
}

void BM_Admission(benchmark::State& state) {
  Resources resources;
  BuildContext build{.upstream = {}, .resources = resources};
  Decode decode({}, build);
  for (std::size_t next = 0; auto _ : state) {
    ImageFile file;
    file.sample.path = Hymenoptera().empty() ? "" : Hymenoptera()[next++ % Hymenoptera().size()];
    benchmark::DoNotOptimize(decode.AdmissionBytes(file));
  }
  state.SetItemsProcessed(state.iterations());
}

#define WEIR_READ(reader, pictures) \
  BENCHMARK_CAPTURE(reader, pictures, pictures)->Arg(224)->UseRealTime()->Threads(1)->Threads(2)
WEIR_READ(BM_Decode, Hymenoptera)->Arg(0);
WEIR_READ(BM_Vips, Hymenoptera)->Arg(0);
WEIR_READ(BM_Decode, LargeJpeg);
WEIR_READ(BM_Vips, LargeJpeg);
WEIR_READ(BM_Decode, LargeProgressive);
WEIR_READ(BM_Vips, LargeProgressive);
WEIR_READ(BM_Decode, LargePng);
BENCHMARK(BM_Admission);

}  // namespace
}  // namespace weir
