// Small pictures that mutation begins with: as libvips writes them, and with drawn headers.
#pragma once

#include <string>
#include <vector>

#include "stages/decode/vips/vips_decoder.h"
#include "tests/stages/decode/drawn_headers.h"
#include "tests/stages/decode/test_pictures.h"
#include "tests/support/file_text.h"
#include "tests/support/scratch_folder.h"

namespace weir {

// `names` are file names with libvips' options: "a.png[interlace]".
inline std::vector<std::string> WrittenPictures(const std::vector<std::string>& names) {
  StartVips();
  const ScratchFolder folder;
  std::vector<std::string> pictures;
  for (const std::string& name : names) {
    pictures.push_back(FileText(Save(MakePhoto(20, 12), folder / name)));
  }
  return pictures;
}

// `pictures`, and up to 20 files with a drawn header; those above 16 KiB are left out.
inline std::vector<std::string> WithDrawn(std::vector<std::string> pictures,
                                          DrawnHeaders::Seeds seeds,
                                          std::string (DrawnHeaders::*draw)()) {
  constexpr int kDrawn = 20;
  constexpr std::size_t kMostBytes = 1 << 14;
  DrawnHeaders drawn(std::move(seeds), 1);
  for (int i = 0; i < kDrawn; ++i) {
    std::string picture = (drawn.*draw)();
    if (picture.size() <= kMostBytes) pictures.push_back(std::move(picture));
  }
  return pictures;
}

}  // namespace weir
