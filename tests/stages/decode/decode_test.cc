#include "stages/decode/decode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "stages/decode/formats.h"
#include "stages/decode/picture/picture_rows.h"
#include "stages/decode/vips/vips_decoder.h"
#include "tests/stages/decode/decode_probe.h"
#include "tests/stages/decode/test_pictures.h"
#include "tests/support/file_text.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/shared_data.h"

namespace weir {
namespace {

// The top left `height` x `width` of it.
Image Crop(const Image& image, int height, int width) {
  Image crop;
  crop.height = height;
  crop.width = width;
  crop.pixels = AlignedBuffer<std::uint8_t>(std::size_t{3} * height * width);
  for (int y = 0; y < height; ++y) {
    std::copy_n(image.pixels.data() + std::size_t{3} * y * image.width, 3 * width,
                crop.pixels.data() + std::size_t{3} * y * width);
  }
  return crop;
}

std::vector<int> Pixel(const Image& image, int x, int y) {
  const std::uint8_t* at = image.pixels.data() + 3 * (std::size_t(y) * image.width + x);
  return {at[0], at[1], at[2]};
}

class DecodeTest : public testing::Test {
 protected:
  Image Read(const std::string& path) { return Must(full_.Map(path)); }

  DecodeProbe full_;
  const ScratchFolder folder_;
};

TEST_F(DecodeTest, KeepsWhatTheSampleIs) {
  const std::string path = Save(MakePhoto(12, 10), folder_ / "a.png");
  EXPECT_EQ(Read(path).sample.path, path);
  const Outcome<Image> lost = full_.Map(folder_.Write("b.jpg", "no picture"));
  EXPECT_EQ(std::get<Drop>(lost).sample, (folder_ / "b.jpg").string());
}

// A file that is exchanged for a larger picture between the look at it and its turn.
TEST_F(DecodeTest, KeepsToWhatWasSetAsideForIt) {
  const std::string path = Save(MakePhoto(12, 10), folder_ / "a.png");
  const std::size_t granted = std::get<std::size_t>(full_.Admit(path));
  EXPECT_EQ(Must(full_.Map(path, granted)).width, 12);
  Save(MakePhoto(120, 100), path);
  const Outcome<Image> lost = full_.Map(path, granted);
  EXPECT_THAT(std::get<Drop>(lost).reason,
              testing::MatchesRegex("was exchanged while it waited: it needs [0-9.]+ [KM]iB now, "
                                    "and [0-9.]+ [KM]iB are set aside for it"));
}

// Losslessly written pictures come back as they were, whatever the format.
TEST_F(DecodeTest, ReadsEveryLosslessFormatAlike) {
  const Vips photo = MakePhoto(67, 45);
  const Image png = Read(Save(photo, folder_ / "a.png"));
  const auto* source = static_cast<const std::uint8_t*>(vips_image_get_data(photo.get()));
  EXPECT_TRUE(std::equal(source, source + png.bytes(), png.pixels.data()));
  for (const char* name : {"b.png[interlace]", "c.tif", "d.tif[tile,tile_width=16,tile_height=16]",
                           "e.tif[compression=lzw]", "f.webp[lossless]"}) {
    EXPECT_EQ(Compare(Read(Save(photo, folder_ / name)), png).most, 0) << name;
  }
}

// As they lie in a tar file: behind others, and before others.
TEST_F(DecodeTest, ReadsEveryFormatFromAPartOfAFile) {
  const Vips photo = MakePhoto(67, 45);
  for (const char* name : {"a.png", "b.png[interlace]", "c.tif", "d.tif[compression=lzw]",
                           "e.webp[lossless]", "f.jpg", "g.jpg[interlace]", "h.gif"}) {
    const std::string whole = Save(photo, folder_ / name);
    const std::string bytes = FileText(whole);
    const std::string packed = folder_.Write("packed", std::string(1337, 'x') + bytes + bytes);
    ImageFile file;
    file.sample.path = "packed/" + std::string(name);
    file.part = FilePart{packed, 1337, bytes.size()};
    EXPECT_EQ(Compare(Must(full_.Map(file)), Read(whole)).most, 0) << name;
    file.part->size = bytes.size() / 2;  // what lies behind it is not its own
    EXPECT_TRUE(std::holds_alternative<Drop>(full_.Map(file))) << name;
  }
}

TEST_F(DecodeTest, ReadsOtherPixelsAsRgb) {
  const auto grey = [](int x, int, int band) { return band == 0 ? 40 * x : 7; };
  const auto grey16 = [](int x, int, int) { return 40 * x * 256 + 255; };
  const Vips picture = MakePicture(5, 3, 1, VIPS_INTERPRETATION_B_W, grey);
  EXPECT_THAT(Pixel(Read(Save(picture, folder_ / "grey.png")), 4, 2), testing::Each(160));
  EXPECT_THAT(Pixel(Read(Save(picture, folder_ / "grey.tif")), 4, 2), testing::Each(160));
  EXPECT_THAT(Pixel(Read(Save(MakePicture(5, 3, 2, VIPS_INTERPRETATION_B_W, grey),
                              folder_ / "greyalpha.png")),
                    4, 2),
              testing::Each(160));
  EXPECT_THAT(
      Pixel(Read(Save(MakePicture<std::uint16_t>(5, 3, 1, VIPS_INTERPRETATION_GREY16, grey16),
                      folder_ / "grey16.png")),
            4, 2),
      testing::Each(160));
  const Vips bits = MakePicture(5, 3, 1, VIPS_INTERPRETATION_B_W,
                                [](int x, int, int) { return x % 2 ? 255 : 0; });
  const Image one_bit = Read(Save(bits, folder_ / "bits.png[bitdepth=1]"));
  EXPECT_THAT(Pixel(one_bit, 3, 1), testing::Each(255));
  EXPECT_THAT(Pixel(one_bit, 2, 1), testing::Each(0));
  const Image fax = Read(Save(bits, folder_ / "bits.tif[bitdepth=1,compression=ccittfax4]"));
  EXPECT_EQ(Compare(one_bit, fax).most, 0);
}

TEST_F(DecodeTest, LeavesAlphaOutWithoutBlending) {
  const auto colours = [](int, int, int band) { return band == 3 ? 0 : 50 * (band + 1); };
  const Vips clear = MakePicture(4, 4, 4, VIPS_INTERPRETATION_sRGB, colours);
  const std::vector<int> colour = {50, 100, 150};
  EXPECT_EQ(Pixel(Read(Save(clear, folder_ / "a.png")), 1, 1), colour);
  const auto deep = [](int, int, int band) { return band == 3 ? 0 : 50 * (band + 1) * 257; };
  EXPECT_EQ(Pixel(Read(Save(MakePicture<std::uint16_t>(4, 4, 4, VIPS_INTERPRETATION_RGB16, deep),
                            folder_ / "b.png")),
                  1, 1),
            colour);
}

TEST_F(DecodeTest, ReadsPalettes) {
  const auto stripes = [](int x, int, int band) { return x % 3 == band ? 255 : 0; };
  const Vips picture = MakePicture(6, 6, 3, VIPS_INTERPRETATION_sRGB, stripes);
  for (const char* name : {"a.png[palette]", "b.gif"}) {
    const Image image = Read(Save(picture, folder_ / name));
    for (int x = 0; x < 3; ++x) {
      EXPECT_EQ(Pixel(image, x, 4),
                (std::vector<int>{x == 0 ? 255 : 0, x == 1 ? 255 : 0, x == 2 ? 255 : 0}))
          << name;
    }
  }
}

TEST_F(DecodeTest, ReadsInks) {
  // Cyan 51, magenta 102, yellow 0, black 51 of 255: light of 0.8, 0.6 and 1, times 0.8.
  const auto inks = [](int, int, int band) { return band == 1 ? 102 : band == 2 ? 0 : 51; };
  const Vips picture = MakePicture(16, 16, 4, VIPS_INTERPRETATION_CMYK, inks);
  for (const char* name : {"a.jpg[Q=100]", "b.tif"}) {
    const std::vector<int> colour = Pixel(Read(Save(picture, folder_ / name)), 8, 8);
    EXPECT_NEAR(colour[0], 163, 2) << name;
    EXPECT_NEAR(colour[1], 122, 2) << name;
    EXPECT_NEAR(colour[2], 204, 2) << name;
  }
}

// Some writers leave out Adobe's marker; the inks are kept as Adobe keeps them all the same.
TEST_F(DecodeTest, ReadsInksWithoutAdobesMarker) {
  const auto inks = [](int x, int y, int band) { return band == 3 ? 4 * y : 12 * x + 20 * band; };
  const std::string path =
      Save(MakePicture(16, 16, 4, VIPS_INTERPRETATION_CMYK, inks), folder_ / "a.jpg[Q=100]");
  std::string bytes = FileText(path);
  const std::size_t marker = bytes.find("\xff\xee");
  ASSERT_EQ(bytes.substr(marker + 4, 5), "Adobe");
  bytes.erase(marker, 16);
  EXPECT_EQ(Compare(Read(folder_.Write("b.jpg", bytes)), Read(path)).most, 0);
}

TEST_F(DecodeTest, RefusesSamplesWithoutAKnownRange) {
  const Vips picture =
      MakePicture<float>(4, 4, 1, VIPS_INTERPRETATION_B_W, [](int, int, int) { return 0.5f; });
  EXPECT_EQ(full_.Say(Save(picture, folder_ / "a.tif")), "has 32-bit samples");
}

TEST_F(DecodeTest, ReadsTheFirstFrameOfAnimations) {
  std::vector<VipsImage*> frames;
  const Vips red = MakePicture(8, 6, 3, VIPS_INTERPRETATION_sRGB,
                               [](int, int, int band) { return band == 0 ? 255 : 0; });
  const Vips blue = MakePicture(8, 6, 3, VIPS_INTERPRETATION_sRGB,
                                [](int, int, int band) { return band == 2 ? 255 : 0; });
  for (int i = 0; i < 5; ++i) frames.push_back(i == 0 ? red.get() : blue.get());
  VipsImage* joined = nullptr;
  ASSERT_EQ(vips_arrayjoin(frames.data(), &joined, 5, "across", 1, nullptr), 0);
  vips_image_set_int(joined, VIPS_META_PAGE_HEIGHT, 6);
  const Vips animation(joined);
  for (const char* name : {"a.gif", "b.webp[lossless]"}) {
    const Image image = Read(Save(animation, folder_ / name));
    EXPECT_EQ(image.height, 6) << name;
    EXPECT_EQ(Pixel(image, 4, 5), (std::vector<int>{255, 0, 0})) << name;
  }
}

TEST_F(DecodeTest, ShrinksToNoLessThanWanted) {
  DecodeProbe small(100, 80);
  const Vips photo = MakePhoto(1234, 987);
  for (const char* name : {"a.jpg", "b.png", "c.webp", "d.tif", "e.gif", "f.jpg[interlace]"}) {
    const std::string path = Save(photo, folder_ / name);
    const Image image = Must(small.Map(path));
    EXPECT_GE(image.width, 100) << name;
    EXPECT_GE(image.height, 80) << name;
    EXPECT_LT(image.width, 200) << name;
    EXPECT_LT(image.height, 160) << name;
  }
  EXPECT_EQ(DecodeProbe(2000, 2000).Say(folder_ / "a.jpg"), "1234x987");
}

// What was shrunk on the way is the average of what it shows: the mean of the picture stays.
TEST_F(DecodeTest, ShrinksByAveraging) {
  const Vips photo = MakePhoto(640, 480);
  const auto mean = [](const Image& image) {
    double sum = 0;
    for (std::size_t i = 0; i < image.bytes(); ++i) sum += image.pixels.data()[i];
    return sum / static_cast<double>(image.bytes());
  };
  DecodeProbe small(64, 48);
  for (const char* name : {"a.jpg", "b.png", "c.webp", "d.tif"}) {
    const std::string path = Save(photo, folder_ / name);
    EXPECT_NEAR(mean(Must(small.Map(path))), mean(Must(full_.Map(path))), 0.5) << name;
  }
}

TEST_F(DecodeTest, ShrinksTheLongSideOfAStripMore) {
  const std::string path = Save(MakePhoto(20000, 10), folder_ / "a.png");
  EXPECT_EQ(full_.Say(path), "20000x10");
  EXPECT_EQ(DecodeProbe(100, 100).Say(path), "800x10");
}

TEST_F(DecodeTest, TurnsEveryOrientationUpright) {
  // Each pixel its own colour, so that a wrong turn shows.
  const auto colours = [](int x, int y, int band) { return band == 0 ? 10 * x : 10 * y; };
  const Vips picture = MakePicture(7, 5, 3, VIPS_INTERPRETATION_sRGB, colours);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    vips_image_set_int(picture.get(), VIPS_META_ORIENTATION, orientation);
    const Image image = Read(Save(picture, folder_ / "a.tif"));
    VipsImage* upright = nullptr;
    ASSERT_EQ(vips_autorot(picture.get(), &upright, nullptr), 0);
    const Vips truth(upright);
    ASSERT_EQ(image.width, vips_image_get_width(upright)) << orientation;
    const Vips memory(vips_image_copy_memory(upright));
    const auto* pixels = static_cast<const std::uint8_t*>(vips_image_get_data(memory.get()));
    EXPECT_TRUE(std::equal(pixels, pixels + image.bytes(), image.pixels.data())) << orientation;
  }
}

TEST_F(DecodeTest, TurnsPhotosUpright) {
  for (const std::string shape : {"Landscape", "Portrait"}) {
    DecodeProbe small(200, 200);
    const auto reference = SharedData("hostile/exif_orientation/" + shape + "_1.jpg");
    if (!reference) GTEST_SKIP() << kNoSharedData;
    const Image upright = Must(small.Map(*reference));
    for (int i = 0; i <= 8; ++i) {
      const std::string name =
          "hostile/exif_orientation/" + shape + "_" + std::to_string(i) + ".jpg";
      // They were turned, labelled with their number and compressed again: close, not equal.
      EXPECT_LT(Compare(upright, Must(small.Map(*SharedData(name)))).mean, 6) << name;
    }
  }
}

// libvips is a peer here; of a scaled picture it leaves out the last row and column where they are
// cut off.
TEST_F(DecodeTest, ReadsJpegLikeLibvips) {
  const auto folder = SharedData("data/hymenoptera/val/ants");
  if (!folder) GTEST_SKIP() << kNoSharedData;
  for (const int wanted : {0, 100}) {
    DecodeProbe probe(wanted, wanted);
    int compared = 0;
    for (const auto& entry : std::filesystem::directory_iterator(*folder)) {
      if (entry.path().extension() != ".jpg" || ++compared > 30) continue;
      Outcome<FileBytes> opened = FileBytes::Open({entry.path()});
      FileBytes& file = std::get<FileBytes>(opened);
      const ImageHeader header = std::get<ImageHeader>(ReadImageHeader(file));
      WantedSize size;
      size.width = size.height = wanted;
      const Image peer = Must(
          DecodeWithVips(file, header, size, {.operation = "jpegload_source", .shrinks = true}));
      const Image image = Must(probe.Map(entry.path()));
      EXPECT_LE(image.height - peer.height, wanted ? 1 : 0);
      EXPECT_LE(image.width - peer.width, wanted ? 1 : 0);
      EXPECT_EQ(Compare(Crop(image, peer.height, peer.width), peer).most, 0) << entry.path();
    }
  }
}

TEST_F(DecodeTest, ReadsTheSamples) {
  const auto gif = SharedData("data/hymenoptera/train/ants/imageNotFound.gif");
  const auto samples = SharedData("data/imagenet_samples");
  if (!gif || !samples) GTEST_SKIP() << kNoSharedData;
  EXPECT_EQ(full_.Say(*gif), "300x300");
  int read = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*samples)) {
    const std::string extension = entry.path().extension();
    if (extension == ".jpg" || extension == ".bmp") read += Read(entry.path()).bytes() > 0;
  }
  EXPECT_EQ(read, 7);
}

TEST_F(DecodeTest, RefusesLargerPicturesThanAllowed) {
  DecodeProbe strict(0, 0, 1);
  const std::string path = Save(MakePhoto(1200, 1000), folder_ / "a.jpg");
  const std::string reason = "has 1.2 megapixels, above max_megapixels: 1";
  EXPECT_EQ(strict.Say(path), reason);
  const Outcome<std::size_t> admission = strict.Admit(path);
  EXPECT_EQ(std::get<Drop>(admission).reason, reason);
  EXPECT_EQ(std::get<Drop>(admission).sample, path);
}

TEST_F(DecodeTest, AsksForMoreWhereTheWholePictureMustBeHeld) {
  DecodeProbe small(64, 64);
  const Vips photo = MakePhoto(1600, 1200);
  const auto admit = [&](const char* name) {
    return std::get<std::size_t>(small.Admit(Save(photo, folder_ / name)));
  };
  EXPECT_LT(admit("a.jpg"), 1u << 20);
  EXPECT_GT(admit("b.jpg[interlace]"), 1600u * 1200 * 3);
  EXPECT_LT(admit("c.png"), 2u << 20);
  EXPECT_GT(admit("d.png[interlace]"), 1600u * 1200 * 3);
}

TEST_F(DecodeTest, AnItemOfThePlanIsAPhotoOf12Megapixels) {
  const std::string path = Save(MakePhoto(4032, 3024), folder_ / "a.jpg");
  DecodeProbe small(224, 224);
  EXPECT_EQ(small.stage().footprint().item_bytes, std::get<std::size_t>(small.Admit(path)));
  EXPECT_EQ(full_.stage().footprint().item_bytes, std::get<std::size_t>(full_.Admit(path)));
}

std::set<std::string> Threads() {
  std::set<std::string> ids;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    ids.insert(task.path().filename());
  }
  return ids;
}

TEST_F(DecodeTest, StartsNoThreads) {
  const Vips photo = MakePhoto(1100, 900);
  std::vector<std::string> paths;
  for (const char* name :
       {"a.jpg", "b.png", "c.gif", "d.webp", "e.tif[tile]", "f.png[interlace]"}) {
    paths.push_back(Save(photo, folder_ / name));
  }
  // libvips' writers may have left some, which end when they like.
  const std::set<std::string> before = Threads();
  for (const std::string& path : paths) EXPECT_EQ(full_.Say(path), "1100x900");
  EXPECT_THAT(Threads(), testing::IsSubsetOf(before));
}

TEST_F(DecodeTest, GivesTheSameOnManyThreads) {
  const Vips photo = MakePhoto(300, 200);
  std::vector<std::string> paths;
  for (const char* name : {"a.jpg", "b.png", "c.gif", "d.webp", "e.tif[tile]"}) {
    paths.push_back(Save(photo, folder_ / name));
  }
  std::vector<Image> alone;
  for (const std::string& path : paths) alone.push_back(Read(path));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 40; ++i) {
        const Image image = Must(full_.Map(paths[i % paths.size()]));
        EXPECT_EQ(Compare(image, alone[i % paths.size()]).most, 0);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace weir
