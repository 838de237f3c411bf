// Every kernel that takes views reads and writes a part of a picture as if it were a picture.
#include "stages/pixel_view.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <string>

#include "stages/kernels/nearest_warp.h"
#include "stages/kernels/photometric.h"
#include "stages/kernels/resize.h"
#include "stages/kernels/warp.h"
#include "tests/stages/kernels/noise.h"

namespace weir {
namespace {

struct Kernel {
  std::string name;
  std::function<void(PixelView, MutablePixelView)> run;
  int times = 1;  // how often the source's sides go into the result's
};

constexpr Affine kTurned{0.9, -0.3, 2, 0.3, 0.9, -1};

const std::vector<Kernel> kKernels = {
    {"Resize", [](auto from, auto to) { Resize(from, to, {.horizontal = true}); }},
    {"Resize, larger", [](auto from, auto to) { Resize(from, to); }, 2},
    {"ResizePortable, larger", [](auto from, auto to) { ResizePortable(from, to); }, 2},
    {"Warp", [](auto from, auto to) { Warp(from, kTurned, to); }},
    {"Warp, without rotation", [](auto from, auto to) { Warp(from, {.x0 = 0.5, .y0 = -3}, to); }},
    {"WarpPortable", [](auto from, auto to) { WarpPortable(from, kTurned, to); }},
    {"WarpNearest",
     [](auto from, auto to) {
       WarpNearest(from, kTurned, {1, 2, 3}, to);
     }},
    {"WarpNearest, moved", [](auto from, auto to) { WarpNearest(from, {.x0 = 2}, {}, to); }},
    {"Sharpen", [](auto from, auto to) { Sharpen(from, 1.7f, to); }},
};

struct Size {
  int height, width;
};

// The pixels of a view, without gaps.
Pixels Copied(PixelView view) {
  Pixels pixels;
  for (int y = 0; y < view.height; ++y) {
    pixels.insert(pixels.end(), view.row(y), view.row(y) + std::size_t{3} * view.width);
  }
  return pixels;
}

TEST(PixelView, APartIsReadAndWrittenAsAPictureIs) {
  constexpr int kSide = 60;
  constexpr int kTop = 5, kLeft = 7;
  for (const Kernel& kernel : kKernels) {
    for (const Size size : {Size{17, 23}, Size{1, 9}, Size{9, 1}, Size{2, 2}}) {
      SCOPED_TRACE(kernel.name + ": " + std::to_string(size.height) + " x " +
                   std::to_string(size.width));
      const Pixels whole = Noise(kSide, kSide);
      const PixelView part =
          PixelView(whole.data(), kSide, kSide).Part(kTop, kLeft, size.height, size.width);
      const Pixels cut = Copied(part);
      const int height = kernel.times * size.height, width = kernel.times * size.width;
      Pixels wanted(std::size_t{3} * height * width);
      kernel.run({cut.data(), size.height, size.width}, {wanted.data(), height, width});

      Pixels sheet(whole.size(), 77);
      const MutablePixelView place =
          MutablePixelView(sheet.data(), kSide, kSide).Part(kTop, kLeft, height, width);
      kernel.run(part, place);
      EXPECT_EQ(Copied(place), wanted);
      for (int y = 0; y < height; ++y) std::memset(place.row(y), 77, std::size_t{3} * width);
      EXPECT_EQ(sheet, Pixels(whole.size(), 77)) << "it wrote beside its part";
    }
  }
}

TEST(PixelView, APartAtTheEndOfAPictureIsReadToItsLastPixelAlone) {
  const Pixels source = Noise(12, 12);
  // A copy that ends where the part does: a sanitizer sees what is read behind it.
  const std::size_t begin = (std::size_t{4} * 12 + 5) * 3;
  const Pixels end(source.begin() + begin, source.end());
  const PixelView part(end.data(), 8, 7, std::size_t{3} * 12);
  ASSERT_EQ(part.end(), end.data() + end.size());
  for (const Kernel& kernel : kKernels) {
    SCOPED_TRACE(kernel.name);
    const int height = kernel.times * 8, width = kernel.times * 7;
    Pixels out(std::size_t{3} * height * width), wanted = out;
    kernel.run(part, {out.data(), height, width});
    kernel.run(PixelView(source.data(), 12, 12).Part(4, 5, 8, 7), {wanted.data(), height, width});
    EXPECT_EQ(out, wanted);
  }
}

}  // namespace
}  // namespace weir
