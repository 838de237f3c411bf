#include "pipelines/drawing/drawing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vips/vips.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "pipelines/drawing/demo_figures.h"
#include "pipelines/drawing/signs.h"
#include "pipelines/drawing/things.h"
#include "stages/decode/vips/vips_decoder.h"
#include "tests/support/caught_error.h"
#include "tests/support/file_text.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

// Content by path, the stamp included.
std::map<std::string, std::string> AllFiles(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    files[entry.path().lexically_relative(folder).string()] = FileText(entry.path());
  }
  return files;
}

DrawingOptions Small(const fs::path& folder) {
  return {.folder = folder, .per_class = 2, .size = 64};
}

TEST(DrawPictures, MakesAFolderForEachClass) {
  ScratchFolder folder;
  EXPECT_TRUE(DrawPictures(Small(folder / "demo")));
  EXPECT_EQ(AllFiles(folder / "demo").size(), 6u * 2 + 1);
  for (const std::string& name : DrawnClasses(DrawingSet::kDemo)) {
    for (const char* number : {"00000.jpg", "00001.jpg"}) {
      const fs::path file = folder / "demo" / name / number;
      VipsImage* image = vips_image_new_from_file(file.c_str(), nullptr);
      ASSERT_NE(image, nullptr) << file;
      for (const int side : {image->Xsize, image->Ysize}) {
        EXPECT_GE(side, 40);
        EXPECT_LE(side, 80);
      }
      EXPECT_EQ(image->Bands, 3);
      g_object_unref(image);
    }
  }
}

TEST(DrawPictures, ThreadsChangeNoByteAndTheSeedDoes) {
  ScratchFolder folder;
  DrawingOptions options = Small(folder / "one");
  DrawPictures(options);
  options.folder = folder / "two";
  options.threads = 2;
  DrawPictures(options);
  options.folder = folder / "other";
  options.seed = 2;
  DrawPictures(options);
  EXPECT_EQ(AllFiles(folder / "one"), AllFiles(folder / "two"));
  EXPECT_NE(FileText(folder / "one/fish/00000.jpg"), FileText(folder / "other/fish/00000.jpg"));
  EXPECT_NE(FileText(folder / "one/fish/00000.jpg"), FileText(folder / "one/fish/00001.jpg"));
}

TEST(DrawPictures, LeavesItsOwnDrawingAsItIs) {
  ScratchFolder folder;
  DrawPictures(Small(folder / "demo"));
  fs::remove(folder / "demo/fish/00000.jpg");
  EXPECT_FALSE(DrawPictures(Small(folder / "demo")));
  EXPECT_FALSE(fs::exists(folder / "demo/fish/00000.jpg"));
}

TEST(DrawPictures, DrawsAnewWhatWasBrokenOff) {
  ScratchFolder folder;
  DrawPictures(Small(folder / "demo"));
  const auto whole = AllFiles(folder / "demo");
  fs::remove(folder / "demo/fish/00000.jpg");
  folder.Write("demo/.weir-drawing", "unfinished\n" + whole.at(".weir-drawing"));
  EXPECT_TRUE(DrawPictures(Small(folder / "demo")));
  EXPECT_EQ(AllFiles(folder / "demo"), whole);
}

TEST(DrawPictures, RefusesAFolderThatHoldsAnythingElse) {
  constexpr const char* kRemedy =
      "\nName a folder that is empty or not there yet, or remove this one.";
  ScratchFolder folder;
  folder.Write("photos/mine.jpg");
  EXPECT_EQ(CaughtError([&] { DrawPictures(Small(folder / "photos")); }),
            "'" + (folder / "photos").string() + "' is not an empty folder" + kRemedy);
  EXPECT_EQ(CaughtError([&] { DrawPictures(Small(folder / "photos/mine.jpg")); }),
            "'" + (folder / "photos/mine.jpg").string() + "' is not an empty folder" + kRemedy);
  DrawPictures(Small(folder / "demo"));
  DrawingOptions other = Small(folder / "demo");
  other.per_class = 3;
  EXPECT_EQ(CaughtError([&] { DrawPictures(other); }),
            "'" + (folder / "demo").string() + "' holds a drawing with other options" + kRemedy);
}

TEST(DrawPictures, SaysThatItCannotWrite) {
  DrawingOptions options = Small("/proc/weir");
  EXPECT_EQ(CaughtError([&] { DrawPictures(options); }),
            "'/proc/weir/fish' cannot be written\n"
            "Give another folder, or room and the right to write there.");
}

TEST(DrawnClasses, TheSetsHaveNoneInCommon) {
  const std::vector<std::string> demo = DrawnClasses(DrawingSet::kDemo);
  std::vector<std::string> all = DrawnClasses(DrawingSet::kPretrain);
  EXPECT_THAT(demo,
              testing::ElementsAre("fish", "house", "sailboat", "teapot", "tree", "umbrella"));
  EXPECT_EQ(all.size(), 35u);
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
  all.insert(all.end(), demo.begin(), demo.end());
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end());
}

// The part of its square that a figure covers when it is black on white.
double Covered(const Figure& figure, int seed) {
  CounterRandom random(seed, "test");
  Pen pen(DrawingStyle(), random);
  figure.draw(pen);
  const std::string svg =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"100\" height=\"100\" "
      "viewBox=\"-100 -100 200 200\"><rect x=\"-100\" y=\"-100\" width=\"200\" height=\"200\" "
      "fill=\"white\"/>" +
      pen.svg() + "</svg>";
  VipsImage* image = nullptr;
  if (vips_svgload_buffer(const_cast<char*>(svg.data()), svg.size(), &image, nullptr) != 0) {
    return -1;
  }
  double mean = 0;
  VipsImage* grey = nullptr;
  if (vips_extract_band(image, &grey, 0, nullptr) != 0 || vips_avg(grey, &mean, nullptr) != 0)
    mean = 255;
  g_object_unref(grey);
  g_object_unref(image);
  return 1 - mean / 255;
}

TEST(Figures, EachCanBeSeen) {
  StartVips();
#if VIPS_MAJOR_VERSION > 8 || VIPS_MINOR_VERSION >= 13
  vips_operation_block_set("VipsForeignLoadSvg", FALSE);
#endif
  for (const auto figures : {DemoFigures(), Things(), Signs()}) {
    for (const Figure& figure : figures) {
      for (int seed = 0; seed < 5; ++seed) {
        EXPECT_GT(Covered(figure, seed), 0.05) << figure.name;
        EXPECT_LT(Covered(figure, seed), 0.8) << figure.name;
      }
    }
  }
}

}  // namespace
}  // namespace weir
