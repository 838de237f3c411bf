// A decode stage as the pipeline would run it, for one file after the other; and how its pictures
// are compared.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <memory>
#include <string>
#include <variant>

#include "stages/decode/decode.h"

namespace weir {

class DecodeProbe {
 public:
  // 0: pictures are wanted in full.
  explicit DecodeProbe(int wanted_width = 0, int wanted_height = 0, int max_megapixels = 200) {
    if (wanted_width > 0) {
      auto wanted = std::make_shared<WantedSize>();
      wanted->width = wanted_width;
      wanted->height = wanted_height;
      resources_.Put(std::move(wanted));
    }
    Decode::Params params;
    params.max_megapixels = max_megapixels;
    BuildContext build{.upstream = {}, .resources = resources_};
    decode_ = std::make_unique<Decode>(params, build);
    OpenContext open{budget_};
    decode_->Open(open);
  }

  Outcome<Image> Map(const std::string& path,
                     std::size_t granted_bytes = std::numeric_limits<std::size_t>::max()) {
    return Map(File(path), granted_bytes);
  }
  Outcome<Image> Map(const ImageFile& file,
                     std::size_t granted_bytes = std::numeric_limits<std::size_t>::max()) {
    StageContext context(pass_, 0, [] { return false; });
    context.set_granted_bytes(granted_bytes);
    return decode_->Map(file, context);
  }
  Outcome<std::size_t> Admit(const std::string& path) {
    return decode_->AdmissionBytes(File(path));
  }

  // "128x64", or the reason of the Drop.
  std::string Say(const std::string& path) {
    const Outcome<Image> outcome = Map(path);
    if (const Drop* drop = std::get_if<Drop>(&outcome)) return drop->reason;
    const Image& image = std::get<Image>(outcome);
    return std::to_string(image.width) + "x" + std::to_string(image.height);
  }

  const Decode& stage() const { return *decode_; }

 private:
  static ImageFile File(const std::string& path) {
    ImageFile file;
    file.sample.path = path;
    return file;
  }

  Resources resources_;
  MemoryBudget budget_{1};
  Pass pass_;
  std::unique_ptr<Decode> decode_;
};

struct Difference {
  double mean = 0;
  int most = 0;
};

inline Difference Compare(const Image& a, const Image& b) {
  Difference difference{255, 255};
  EXPECT_EQ(a.width, b.width);
  EXPECT_EQ(a.height, b.height);
  if (a.width != b.width || a.height != b.height) return difference;
  difference = {};
  for (std::size_t i = 0; i < a.bytes(); ++i) {
    const int off = std::abs(a.pixels.data()[i] - b.pixels.data()[i]);
    difference.mean += off;
    difference.most = std::max(difference.most, off);
  }
  difference.mean /= static_cast<double>(a.bytes());
  return difference;
}

inline Image Must(Outcome<Image> outcome) {
  if (const Drop* drop = std::get_if<Drop>(&outcome)) {
    ADD_FAILURE() << drop->sample << ": " << drop->reason;
    return {};
  }
  return std::get<Image>(std::move(outcome));
}

}  // namespace weir
