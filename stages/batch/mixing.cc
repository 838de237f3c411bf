#include "stages/batch/mixing.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstring>
#include <sstream>
#include <utility>
#include <vector>

#include "framework/error.h"
#include "stages/chosen_device.h"
#include "stages/ranks/ranks.h"

namespace weir {
namespace {

constexpr std::uint32_t kWhole = 1 << 16;
constexpr std::size_t kAtOnce = 1024;  // bytes of a picture

// Its logarithm, as those of small shapes are too small to be told from 0.
double DrawLogGamma(CounterRandom& random, double shape) {
  if (shape < 1) {
    const double larger = DrawLogGamma(random, shape + 1);
    return larger + std::log(1 - random.Uniform()) / shape;
  }
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  while (true) {
    const double x = random.Normal();
    const double v = std::pow(1 + c * x, 3);
    if (v <= 0) continue;
    if (std::log(1 - random.Uniform()) < x * x / 2 + d - d * v + d * std::log(v)) {
      return std::log(d * v);
    }
  }
}

std::vector<LabelPart> PartsOf(const Sample& sample) {
  if (!sample.mixture.empty()) return sample.mixture;
  return {LabelPart{sample.label}};
}

void AddParts(std::vector<LabelPart>& to, const std::vector<LabelPart>& parts, double share) {
  for (const LabelPart& each : parts) {
    const auto same = std::find_if(to.begin(), to.end(),
                                   [&](const LabelPart& one) { return one.label == each.label; });
    if (same == to.end()) {
      to.push_back({each.label, share * each.part});
    } else {
      same->part += share * each.part;
    }
  }
}

// Calls visit(own, before) for `size` bytes at `offset` of each picture, from the last to the
// first, so that `before` is as it was; the first one's are the last one's, kept aside.
template <class Visit>
void ForEachPair(Batch& batch, std::size_t offset, std::size_t size, Visit visit) {
  const std::size_t picture = std::size_t{3} * batch.height * batch.width;
  std::array<std::uint8_t, kAtOnce> aside;
  for (std::size_t done = 0; done < size; done += kAtOnce) {
    const std::size_t count = std::min(kAtOnce, size - done);
    std::uint8_t* const first = batch.pixels.data() + offset + done;
    std::memcpy(aside.data(), first + (batch.size() - 1) * picture, count);
    for (int i = batch.size() - 1; i > 0; --i) {
      visit(first + i * picture, first + (i - 1) * picture, count);
    }
    visit(first, aside.data(), count);
  }
}

}  // namespace

double DrawBeta(CounterRandom& random, double alpha) {
  const double x = DrawLogGamma(random, alpha), y = DrawLogGamma(random, alpha);
  return 1 / (1 + std::exp(y - x));
}

void MixPixels(Batch& batch, double part) {
  const auto own_part = static_cast<std::uint32_t>(std::lround(part * kWhole));
  const std::size_t picture = std::size_t{3} * batch.height * batch.width;
  ForEachPair(batch, 0, picture,
              [=](std::uint8_t* own, const std::uint8_t* before, std::size_t count) {
                for (std::size_t i = 0; i < count; ++i) {
                  const std::uint32_t sum = own[i] * own_part + before[i] * (kWhole - own_part);
                  own[i] = static_cast<std::uint8_t>((sum + kWhole / 2) / kWhole);
                }
              });
}

void PastePixels(Batch& batch, const Box& box) {
  for (int row = box.top; row < box.top + box.height; ++row) {
    const std::size_t offset = (static_cast<std::size_t>(row) * batch.width + box.left) * 3;
    ForEachPair(batch, offset, static_cast<std::size_t>(box.width) * 3,
                [](std::uint8_t* own, const std::uint8_t* before, std::size_t count) {
                  std::memcpy(own, before, count);
                });
  }
}

double PartBeside(const Box& box, int height, int width) {
  return 1 - static_cast<double>(box.height) * box.width / height / width;
}

void MixLabels(Batch& batch, double part) {
  const std::vector<LabelPart> last = PartsOf(batch.samples.back());
  for (int i = batch.size() - 1; i >= 0; --i) {
    Sample& sample = batch.samples[i];
    std::vector<LabelPart> mixture;
    AddParts(mixture, PartsOf(sample), part);
    AddParts(mixture, i > 0 ? PartsOf(batch.samples[i - 1]) : last, 1 - part);
    sample.label =
        std::max_element(mixture.begin(), mixture.end(),
                         [](const LabelPart& a, const LabelPart& b) { return a.part < b.part; })
            ->label;
    sample.mixture = std::move(mixture);
  }
}

MixingStage::MixingStage(std::string_view name, const Params& params, const BuildContext& context)
    : name_(name), params_(params), upstream_(context.upstream), seed_(context.seed) {
  if (context.resources.Find<Ranks>()) {
    throw Error(ErrorKind::kConfig,
                "`" + name_ + "` mixes the pictures of a batch, which `ranks` share out",
                "Take it out of the pipeline, or train with one process and without `ranks`.");
  }
  if (!context.resources.Find<ChosenDevice>()) return;
  throw Error(ErrorKind::kConfig, "`" + name_ + "` works on the host, and `prefetch` is before it",
              "Put `" + name_ + "` before `prefetch`, which may bring batches to a device.");
}

Outcome<Batch> MixingStage::Map(Batch batch, StageContext& context) {
  const Pass& pass = context.pass();
  if (pass.split != Split::kTrain || batch.samples.empty()) return batch;
  assert(!batch.device && "prefetch comes later");
  CounterRandom random(seed_, name_, pass.epoch, batch.samples.front().index);
  if (random.Uniform() < params_.probability) Mix(batch, DrawBeta(random, params_.alpha), random);
  return batch;
}

std::optional<std::string> MixingStage::DependsOn(const Pass& pass, std::uint64_t) const {
  std::ostringstream text;
  if (pass.split == Split::kTrain) {
    text << std::hexfloat << "seed " << seed_ << " epoch " << pass.epoch << " alpha "
         << params_.alpha << " probability " << params_.probability;
  }
  return text.str();
}

void Mixup::Mix(Batch& batch, double part, CounterRandom&) const {
  MixPixels(batch, part);
  MixLabels(batch, part);
}

Box Cutmix::DrawBox(CounterRandom& random, int height, int width, double part) {
  const int centre_x = static_cast<int>(random.Below(width));
  const int centre_y = static_cast<int>(random.Below(height));
  const double side = 0.5 * std::sqrt(1 - part);
  const int half_width = static_cast<int>(side * width);
  const int half_height = static_cast<int>(side * height);
  const int left = std::max(centre_x - half_width, 0), top = std::max(centre_y - half_height, 0);
  return {.top = top,
          .left = left,
          .height = std::min(centre_y + half_height, height) - top,
          .width = std::min(centre_x + half_width, width) - left};
}

void Cutmix::Mix(Batch& batch, double part, CounterRandom& random) const {
  const Box box = DrawBox(random, batch.height, batch.width, part);
  if (box.height == 0 || box.width == 0) return;
  PastePixels(batch, box);
  MixLabels(batch, PartBeside(box, batch.height, batch.width));
}

}  // namespace weir
