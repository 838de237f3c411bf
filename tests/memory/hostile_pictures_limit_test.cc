// A folder with pictures that ask their decoders for far more than they say, in a cgroup of the
// ceiling and the code: each is dropped by name or read within the ceiling, nothing is killed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "tests/stages/decode/hostile_pictures.h"
#include "tests/stages/decode/picture_chunks.h"
#include "tests/stages/decode/tiff_file.h"
#include "tests/support/file_text.h"
#include "tests/support/hard_cgroup.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/shared_data.h"
#include "tests/support/training_job.h"
#include "tests/support/weir_process.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr std::size_t kCodeBytes = std::size_t{20} << 20;
constexpr std::size_t kCeilingBytes = std::size_t{128} << 20;

// A TIFF of 64 megapixels of RGBA in `compression` strips of a row that are all the same bytes.
TiffFile LargeTiff(std::uint64_t compression) {
  TiffFile tiff(8000, 8000);
  tiff.SetColour(2, 4);
  tiff.Set(TiffFile::kRowsPerStrip, 1);
  tiff.Set(TiffFile::kCompression, compression);
  tiff.pieces = {Deflated(std::string(4 * 8000, '\x55'))};
  tiff.repeats = 8000;
  return tiff;
}

// By their names.
std::map<std::string, std::string> HostilePictures() {
  std::map<std::string, std::string> files;
  files["codes.webp"] = LosslessWebp{.width = 1024, .height = 1024, .sets = 65536}.File();
  files["cached_codes.webp"] =
      LosslessWebp{.width = 800, .height = 800, .cache_bits = 11, .sets = 20000}.File();
  files["scans.jpg"] = JpegOfScans(3000, 2000, 400);
  files["coefficients.jpg"] = JpegOfScans(12000, 12000, 3);
  TiffFile alpha = LargeTiff(8);
  alpha.Set(TiffFile::kExtraSamples, 1);
  files["associated_alpha.tif"] = alpha.Bytes();
  files["lzma.tif"] = LargeTiff(34925).Bytes();
  files["zstandard.tif"] = LargeTiff(50000).Bytes();
  TiffFile progressive(6000, 6000);
  progressive.Set(TiffFile::kCompression, 7);
  progressive.pieces = {JpegOfScans(6000, 6000, 3)};
  files["progressive_strip.tif"] = progressive.Bytes();
  TiffFile tiles(9000, 9000);
  tiles.SetColour(2, 3, 16);
  tiles.Set(TiffFile::kCompression, 8);
  tiles.SetTiles(9008, 9008);
  tiles.pieces = {std::string(1000, '\0')};
  files["tile.tif"] = tiles.Bytes();
  return files;
}

class HostilePicturesLimit : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = HardCgroup::Unavailable()) GTEST_SKIP() << *reason;
    ASSERT_EQ(Weir({"draw", Pictures(), "--per-class", "4"}).status, 0);
    hostile_ = HostilePictures();
    const fs::path folder = fs::directory_iterator(Pictures())->path();  // any class
    for (const auto& [name, bytes] : hostile_) {
      std::ofstream(folder / name, std::ios::binary) << bytes;
    }
    for (const char* corpus : {"hostile/jpeg", "hostile/png"}) {
      const auto shared = SharedData(corpus);
      if (!shared) continue;
      for (const auto& entry : fs::directory_iterator(*shared)) {
        fs::copy_file(entry.path(), folder / ("shared_" + entry.path().filename().string()),
                      fs::copy_options::overwrite_existing);
      }
    }
    job_ = scratch_.Write("job.yaml", TrainingYaml({.settings = "memory: {host: 128MiB}",
                                                    .source = "directory: {path: " + Pictures() +
                                                              ", validation_split: 0.3}",
                                                    .picture_stages = {"augment: {size: [96, 96]}"},
                                                    .convention = "keras"}));
  }

  std::string Pictures() const { return (scratch_ / "pictures").string(); }

  // In a cgroup of its own.
  ProcessOutcome Limited(const std::vector<std::string>& arguments) {
    const HardCgroup cgroup(kCeilingBytes + kCodeBytes);
    ProcessOutcome outcome = Weir(arguments, cgroup.Setup());
    EXPECT_EQ(cgroup.kills(), 0U) << arguments[0] << ": " << outcome.err;
    std::printf("%s: status %d, %zu MiB charged at most\n", arguments[0].c_str(), outcome.status,
                cgroup.peak_bytes() >> 20);
    return outcome;
  }

  const ScratchFolder scratch_;
  std::map<std::string, std::string> hostile_;
  std::string job_;
};

TEST_F(HostilePicturesLimit, IsNotRunIntoByAnyCommand) {
  const ProcessOutcome checked = Limited({"check", job_});
  EXPECT_TRUE(checked.status == 0 || checked.status == 4) << checked.status << checked.err;

  const std::string out = (scratch_ / "run").string();
  const ProcessOutcome ran = Limited({"run", job_, "--out", out, "--memory", "128MiB"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  const std::string dropped = FileText(out + "/dropped.jsonl");
  for (const auto& [name, bytes] : hostile_) {
    if (name == "associated_alpha.tif") continue;  // it is read in bands
    EXPECT_THAT(dropped, HasSubstr(name)) << dropped;
  }

  const ProcessOutcome predicted =
      Limited({"predict", out, Pictures(), "--memory", "128MiB", "--json"});
  EXPECT_EQ(predicted.status, 0) << predicted.err;
  EXPECT_THAT(predicted.out + predicted.err, HasSubstr("codes.webp"));
}

}  // namespace
}  // namespace weir
