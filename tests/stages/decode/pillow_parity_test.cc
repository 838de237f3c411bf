// Every format, orientation, colour model, depth and kind of alpha against Pillow, which Keras' and
// PyTorch's loaders stand on: each cell of the table is right, differs on purpose with its reason,
// or is refused in exact words. pillow_reference.py writes the table, and says what its fields
// mean.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/stages/decode/decode_probe.h"
#include "tests/support/hostile_bytes.h"
#include "tests/support/reference_tensors.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

class PillowParityTest : public testing::Test {
 protected:
  PillowParityTest()
      : reference_("tests/stages/decode/pillow_reference.safetensors"),
        cells_(nlohmann::json::parse(reference_.Metadata("cells"))) {}

  std::string Bytes(const nlohmann::json& cell) const {
    const auto bytes = reference_.Values<std::uint8_t>(cell.at("name"));
    return {bytes.begin(), bytes.end()};
  }
  std::string Write(const nlohmann::json& cell) const { return folder_.Write("file", Bytes(cell)); }

  // How the picture differs from the cell's; empty where it is within its tolerance.
  std::string Difference(const Image& image, const nlohmann::json& cell) const {
    const std::string pixels = cell.at("pixels");
    const std::vector<std::int64_t> shape = reference_.Shape(pixels);
    if (image.height != shape[0] || image.width != shape[1]) {
      return "is " + std::to_string(image.width) + "x" + std::to_string(image.height) + ", not " +
             std::to_string(shape[1]) + "x" + std::to_string(shape[0]);
    }
    const auto right = reference_.Values<std::uint8_t>(pixels);
    for (std::size_t i = 0; i < right.size(); ++i) {
      const int off = std::abs(image.pixels.data()[i] - right[i]);
      if (off <= cell.at("tolerance").get<int>()) continue;
      return "is off by " + std::to_string(off) + " at row " + std::to_string(i / 3 / shape[1]) +
             ", column " + std::to_string(i / 3 % shape[1]);
    }
    return "";
  }

  const ReferenceTensors reference_;
  const nlohmann::json cells_;
  const ScratchFolder folder_;
  DecodeProbe full_;
};

TEST_F(PillowParityTest, EachCellIsRightOrDiffersOnPurposeOrIsRefusedInWords) {
  int right = 0, refused = 0, on_purpose = 0, like_libvips = 0;
  std::map<std::string, int> reasons;
  for (const nlohmann::json& cell : cells_) {
    const std::string name = cell.at("name"), path = Write(cell);
    if (cell.contains("refused")) {
      EXPECT_EQ(cell.at("refused"), full_.Say(path)) << name;
      ++refused;
      continue;
    }
    const Outcome<Image> outcome = full_.Map(path);
    if (const Drop* drop = std::get_if<Drop>(&outcome)) {
      ADD_FAILURE() << name << ": " << drop->reason;
      continue;
    }
    EXPECT_EQ(Difference(std::get<Image>(outcome), cell), "") << name;
    if (cell.contains("reason")) {
      ++on_purpose;
      ++reasons[cell.at("reason")];
    } else {
      ++right;
    }
    const int of_libvips = cell.at("libvips");
    like_libvips += of_libvips >= 0 && of_libvips <= 2;
  }
  std::printf(
      "%d cells are as Pillow %s shows them, %d differ on purpose, %d are refused in words\n",
      right, reference_.Metadata("pillow").c_str(), on_purpose, refused);
  for (const auto& [reason, count] : reasons) std::printf("  %d: %s\n", count, reason.c_str());
  std::printf("libvips shows %d of them so\n", like_libvips);
  EXPECT_GT(right, 500);
}

// How far the picture is from averages of boxes of `by` x `by` pixels of the cell's, in the mean.
double MeanDifference(const Image& image, const std::vector<std::uint8_t>& right, int height,
                      int width, int by) {
  double sum = 0;
  for (int y = 0; y < image.height; ++y) {
    for (int i = 0; i < 3 * image.width; ++i) {
      int total = 0, count = 0;
      for (int row = by * y; row < std::min(by * (y + 1), height); ++row) {
        for (int x = by * (i / 3); x < std::min(by * (i / 3 + 1), width); ++x, ++count) {
          total += right[std::size_t{3} * (row * width + x) + i % 3];
        }
      }
      sum += std::abs(image.pixels.data()[std::size_t{3} * y * image.width + i] -
                      static_cast<double>(total) / count);
    }
  }
  return sum / static_cast<double>(image.bytes());
}

// What a later stage asks for is of the upright picture, and shrinking does not change the colours:
// not of clear pixels either. libjpeg shrinks by frequencies, so that edges are a little off.
TEST_F(PillowParityTest, EachCellShrinksUpright) {
  DecodeProbe small(8, 8);
  for (const nlohmann::json& cell : cells_) {
    if (cell.contains("refused")) continue;
    const std::string pixels = cell.at("pixels");
    const int height = static_cast<int>(reference_.Shape(pixels)[0]);
    const int width = static_cast<int>(reference_.Shape(pixels)[1]);
    const int by = std::min(width, height) / 8;
    const Image image = Must(small.Map(Write(cell)));
    ASSERT_EQ(image.width, (width + by - 1) / by) << cell.at("name");
    ASSERT_EQ(image.height, (height + by - 1) / by) << cell.at("name");
    const auto right = reference_.Values<std::uint8_t>(pixels);
    EXPECT_LT(MeanDifference(image, right, height, width, by), 3) << cell.at("name");
  }
}

// The tickets of all cells are no smaller than their results.
TEST_F(PillowParityTest, EachCellAsksForItsResult) {
  for (const nlohmann::json& cell : cells_) {
    if (cell.contains("refused")) continue;
    const std::string path = Write(cell);
    const auto asked = std::get<std::size_t>(full_.Admit(path));
    EXPECT_GE(asked, Must(full_.Map(path, asked)).bytes()) << cell.at("name");
  }
}

// Files of every kind, damaged: a picture or a Drop with its reason, within what was set aside.
TEST_F(PillowParityTest, EachCellIsReadOrDroppedWhereItIsDamaged) {
  DecodeProbe small(8, 8);
  std::uint32_t seed = 0;
  for (const nlohmann::json& cell : cells_) {
    const std::string whole = Bytes(cell);
    for (int i = 0; i < 4; ++i) {
      const std::string path = folder_.Write("damaged", Damaged(whole, ++seed));
      const Outcome<std::size_t> asked = full_.Admit(path);
      if (std::holds_alternative<Drop>(asked)) continue;
      const Outcome<Image> outcome = full_.Map(path);
      if (const Image* image = std::get_if<Image>(&outcome)) {
        EXPECT_GE(std::get<std::size_t>(asked), image->bytes()) << cell.at("name");
      } else {
        EXPECT_NE(std::get<Drop>(outcome).reason, "") << cell.at("name");
      }
      EXPECT_NE(small.Say(path), "") << cell.at("name");
    }
  }
}

}  // namespace
}  // namespace weir
