#include "stages/files.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/caught_error.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

std::vector<std::string> Paths(Files& files, const Pass& pass) {
  std::vector<std::string> paths;
  StageContext context(pass, pass.first_sample, [] { return false; });
  files.BeginPass(pass);
  while (const std::optional<ImageFile> file = files.Next(context)) {
    EXPECT_EQ(file->sample.label, -1);
    EXPECT_EQ(file->sample.index, pass.first_sample + paths.size());
    paths.push_back(file->sample.path);
  }
  return paths;
}

TEST(Files, TakesFilesAndFoldersInTheOrderGiven) {
  ScratchFolder folder;
  const std::string scan = folder.Write("scan");
  const std::string second = folder.Write("many/2.jpg");
  const std::string first = folder.Write("many/deep/1.png");
  Files files({folder / "many", scan});
  const std::vector<std::string> all = {second, first, scan};
  EXPECT_EQ(files.size(), 3u);
  EXPECT_EQ(Paths(files, {.split = Split::kPredict}), all);
  EXPECT_EQ(Paths(files, {.split = Split::kPredict, .first_sample = 2}),
            std::vector<std::string>{scan});
}

TEST(Files, RefusesWhatIsNotThere) {
  ScratchFolder folder;
  const std::string root = folder.path().string();
  EXPECT_EQ(CaughtError([&] { Files({folder / "photo.jpg"}); }),
            "'" + root +
                "/photo.jpg' does not exist\n"
                "Name pictures, or folders that hold pictures.");
  folder.Write("notes.txt");
  EXPECT_EQ(
      CaughtError([&] { Files({folder.path()}); }),
      "'" + root +
          "' has no pictures\n"
          "Pictures end in .jpg, .jpeg, .png, .bmp, .ppm, .tif, .tiff, .gif, .webp, .heif, .heic "
          "and .avif.");
}

}  // namespace
}  // namespace weir
