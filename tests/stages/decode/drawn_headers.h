// Pictures whose header fields are drawn: each 0, 1, its largest, a usual value or any. What is
// behind them is decodable as far as it can be, so that a decoder goes on to allocate.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace weir {

class DrawnHeaders {
 public:
  // Usual files of each kind, whose fields are changed.
  struct Seeds {
    std::vector<std::string> jpegs{}, pngs{}, gifs{}, webps{};
  };
  DrawnHeaders(Seeds seeds, std::uint32_t seed) : seeds_(std::move(seeds)), random_(seed) {}

  std::string Jpeg();
  std::string Png();
  std::string Gif();
  std::string Webp();
  std::string Bmp();
  std::string Tiff();

 private:
  std::uint32_t Below(std::uint32_t count) { return static_cast<std::uint32_t>(random_() % count); }
  bool OneIn(std::uint32_t count) { return Below(count) == 0; }
  // 0, 1, `most`, or any value up to that, or up to a small one.
  std::uint32_t Field(std::uint32_t most);
  // A side of a picture, the product of two of which is seldom too many pixels.
  std::uint32_t Side(std::uint32_t most);
  const std::string& One(const std::vector<std::string>& of) { return of[Below(of.size())]; }

  Seeds seeds_;
  std::mt19937 random_;
};

}  // namespace weir
