#include "pipelines/drawing/drawing.h"

#include <tbb/task_arena.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>

#include "framework/error.h"
#include "framework/flow/parallel.h"
#include "framework/random.h"
#include "pipelines/drawing/demo_figures.h"
#include "pipelines/drawing/rasterise.h"
#include "pipelines/drawing/scene.h"
#include "pipelines/drawing/signs.h"
#include "pipelines/drawing/things.h"
#include "stages/writers/picture_encoder.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStamp = ".weir-drawing";
constexpr const char* kUnfinished = "unfinished\n";

std::vector<Figure> FiguresOf(DrawingSet set) {
  if (set == DrawingSet::kDemo) return {DemoFigures().begin(), DemoFigures().end()};
  std::vector<Figure> figures(Things().begin(), Things().end());
  figures.insert(figures.end(), Signs().begin(), Signs().end());
  return figures;
}

// The least size of a thing, in parts of the picture's shorter side. What trains a backbone from
// nothing may be small; a first run of a few seconds is shown things that fill their picture.
double LeastSize(DrawingSet set) { return set == DrawingSet::kDemo ? 0.9 : 0.6; }

const char* NameOf(DrawingSet set) { return set == DrawingSet::kDemo ? "demo" : "pretrain"; }

// What is drawn, without what changes nothing of it.
std::string StampOf(const DrawingOptions& options) {
  return std::string("drawing: 2\nset: ") + NameOf(options.set) +
         "\nper_class: " + std::to_string(options.per_class) +
         "\nsize: " + std::to_string(options.size) + "\nseed: " + std::to_string(options.seed) +
         "\n";
}

[[noreturn]] void ThrowUnwritable(const fs::path& path) {
  throw Error(ErrorKind::kData, "'" + path.string() + "' cannot be written",
              "Give another folder, or room and the right to write there.");
}

std::optional<std::string> ReadStamp(const fs::path& folder) {
  std::ifstream file(folder / kStamp, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

void WriteStamp(const fs::path& folder, const std::string& text) {
  const fs::path whole = folder / (std::string(kStamp) + ".new");
  std::ofstream file(whole, std::ios::binary);
  file << text;
  file.close();
  std::error_code error;
  if (file) fs::rename(whole, folder / kStamp, error);
  if (!file || error) ThrowUnwritable(folder / kStamp);
}

// Whether there is something to draw into the folder.
bool IsToBeDrawn(const DrawingOptions& options) {
  std::error_code error;
  if (!fs::exists(options.folder, error)) return true;
  const std::optional<std::string> stamp = ReadStamp(options.folder);
  if (stamp == StampOf(options)) return false;
  if (stamp == kUnfinished + StampOf(options)) return true;
  if (!stamp && fs::is_directory(options.folder, error) && fs::is_empty(options.folder, error)) {
    return true;
  }
  throw Error(ErrorKind::kConfig,
              "'" + options.folder.string() + "' " +
                  (stamp ? "holds a drawing with other options" : "is not an empty folder"),
              "Name a folder that is empty or not there yet, or remove this one.");
}

void SaveJpeg(const std::vector<std::uint8_t>& pixels, int width, int height, int quality,
              const fs::path& path) {
  const std::vector<std::uint8_t> jpeg =
      EncodePicture(pixels, height, width, PictureFormat::kJpeg, quality);
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(jpeg.data()), static_cast<std::streamsize>(jpeg.size()));
  file.close();
  if (!file) ThrowUnwritable(path);
}

void DrawOne(const DrawingOptions& options, const Figure& figure, int number) {
  const std::string use = std::string("drawing/") + NameOf(options.set) + "/" + figure.name.data();
  CounterRandom random(options.seed, use, 0, number);
  const int width = static_cast<int>(options.size * random.Uniform(0.625, 1.25));
  const int height = static_cast<int>(options.size * random.Uniform(0.625, 1.25));
  const int quality = 70 + static_cast<int>(random.Below(26));

  std::vector<std::uint8_t> pixels =
      Rasterised(SceneSvg(figure, width, height, LeastSize(options.set), random));
  Photograph(pixels, width, height, random);
  char name[16];
  std::snprintf(name, sizeof name, "%05d.jpg", number);
  SaveJpeg(pixels, width, height, quality, options.folder / figure.name / name);
}

}  // namespace

std::vector<std::string> DrawnClasses(DrawingSet set) {
  std::vector<std::string> names;
  for (const Figure& figure : FiguresOf(set)) names.emplace_back(figure.name);
  std::sort(names.begin(), names.end());
  return names;
}

bool DrawPictures(const DrawingOptions& options) {
  if (!IsToBeDrawn(options)) return false;
  const std::vector<Figure> figures = FiguresOf(options.set);
  std::error_code error;
  for (const Figure& figure : figures) {
    fs::create_directories(options.folder / figure.name, error);
    if (error) ThrowUnwritable(options.folder / figure.name);
  }
  WriteStamp(options.folder, kUnfinished + StampOf(options));

  const SvgAllowed allowed;
  tbb::task_arena arena(options.threads);
  arena.execute([&] {
    ParallelFor(static_cast<int>(figures.size()) * options.per_class, [&](int i) {
      DrawOne(options, figures[i / options.per_class], i % options.per_class);
    });
  });
  WriteStamp(options.folder, StampOf(options));
  return true;
}

}  // namespace weir
