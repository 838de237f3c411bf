#include "stages/batch/normalize.h"

#include <algorithm>
#include <sstream>

#include "framework/error.h"
#include "framework/shape.h"

namespace weir {

Normalize::Normalize(const Params& params, BuildContext& context)
    : params_(params), output_(context.upstream) {
  const auto values = static_cast<std::size_t>(ValuesIn(output_.dims));
  output_.item_bytes = std::max(output_.item_bytes, values);  // a byte each, and the samples
  output_.item_bytes += values * (sizeof(float) - 1);
  for (int c = 0; c < 3; ++c) {
    const auto mean = static_cast<float>(params_.mean[c]),
               deviation = static_cast<float>(params_.std[c]);
    for (int value = 0; value < 256; ++value) {
      tables_[c][value] =
          (static_cast<float>(value) * static_cast<float>(1 / 255.0) - mean) / deviation;
    }
  }
}

Outcome<FeatureBatch> Normalize::Map(const Batch& batch, StageContext&) {
  if (batch.device) {
    throw Error(ErrorKind::kConfig, "normalize works on the host, and the batch is on a device",
                "Take `prefetch` out before it, or set prefetch.device: cpu.");
  }
  const std::size_t values = std::size_t{3} * batch.height * batch.width * batch.size();
  FeatureBatch out{.samples = batch.samples,
                   .dims = {batch.height, batch.width, 3},
                   .values = AlignedBuffer<float>(values)};
  const std::uint8_t* from = batch.pixels.data();
  float* to = out.values.data();
  for (std::size_t i = 0; i < values; i += 3) {
    for (int c = 0; c < 3; ++c) to[i + c] = tables_[c][from[i + c]];
  }
  return out;
}

std::optional<std::string> Normalize::DependsOn(const Pass&, std::uint64_t) const {
  std::ostringstream text;
  text << std::hexfloat;
  for (int c = 0; c < 3; ++c) text << params_.mean[c] << " " << params_.std[c] << " ";
  return text.str();
}

}  // namespace weir
