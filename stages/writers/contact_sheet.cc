#include "stages/writers/contact_sheet.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "framework/error.h"
#include "stages/files/atomic_file.h"
#include "stages/files/output_files.h"
#include "stages/kernels/resize.h"
#include "stages/pixel_view.h"
#include "stages/writers/picture_encoder.h"

namespace weir {
namespace {

constexpr int kGap = 4;                   // around each picture, in pixels
constexpr std::uint8_t kBackground = 32;  // a dark grey

}  // namespace

ContactSheet::ContactSheet(const Params& params, BuildContext& context) : params_(params) {
  ClaimOutput(context.resources, params_.path);
}

int ContactSheet::height(int rows) const { return rows * (params_.cell + kGap) + kGap; }
int ContactSheet::width() const { return params_.columns * (params_.cell + kGap) + kGap; }

Footprint ContactSheet::footprint() const {
  const std::size_t sheet = std::size_t{3} * height(params_.rows) * width();
  return {.held = {{"the sheet", MemoryTag::kImage, sheet},
                   {"its file", MemoryTag::kImage, EncoderBytes(height(params_.rows), width())}}};
}

void ContactSheet::Open(OpenContext&) {
  sheet_.assign(std::size_t{3} * height(params_.rows) * width(), kBackground);
}

void ContactSheet::Consume(const Image& image, StageContext&) {
  if (is_written_) return;
  const double scale =
      std::min(1.0, static_cast<double>(params_.cell) / std::max(image.height, image.width));
  const int rows = std::max(1, static_cast<int>(std::lround(image.height * scale)));
  const int columns = std::max(1, static_cast<int>(std::lround(image.width * scale)));
  const int top =
      kGap + count_ / params_.columns * (params_.cell + kGap) + (params_.cell - rows) / 2;
  const int left =
      kGap + count_ % params_.columns * (params_.cell + kGap) + (params_.cell - columns) / 2;
  const MutablePixelView sheet(sheet_.data(), height(params_.rows), width());
  Resize(image.view(), sheet.Part(top, left, rows, columns));
  if (++count_ == params_.rows * params_.columns) {
    Write();
    on_full_();
  }
}

void ContactSheet::EndPass(const Pass&) {
  if (!is_written_ && count_ > 0) Write();
}

void ContactSheet::Write() {
  const int rows = (count_ + params_.columns - 1) / params_.columns;
  const std::vector<std::uint8_t> png =
      EncodePicture(sheet_, height(rows), width(), PictureFormat::kPng);
  if (params_.path.has_parent_path()) {
    std::error_code ignored;  // the file says why it cannot be written
    std::filesystem::create_directories(params_.path.parent_path(), ignored);
  }
  AtomicFile file(params_.path);
  file.Write(std::as_bytes(std::span(png)));
  file.Commit();
  is_written_ = true;
}

}  // namespace weir
