#include "stages/features/feature_keeper.h"

#include <string>
#include <utility>
#include <vector>

#include "framework/byte_size.h"
#include "framework/config/suggestion.h"
#include "framework/error.h"
#include "framework/shape.h"
#include "stages/files/sha256.h"

namespace weir {
namespace {

std::string WhyAnew(std::vector<std::string> stages) {
  if (stages == std::vector<std::string>{"augment"}) {
    return "each epoch draws other pictures; `augment: {variants: K}` draws K of each";
  }
  for (std::string& stage : stages) stage = "`" + stage + "`";
  return Enumerate(stages) + (stages.size() == 1 ? " draws" : " draw") + " anew in each epoch";
}

}  // namespace

FeatureKeeper::FeatureKeeper(Options options, const BuildContext& context)
    : options_(std::move(options)),
      provenance_(context.provenance),
      order_(context.resources.Find<SampleOrder>()),
      counts_(context.resources.Find<SampleCounts>()),
      batching_(context.resources.Find<Batching>()),
      ranks_(context.training ? context.resources.Find<Ranks>() : nullptr) {
  ChooseRounds(context);
}

void FeatureKeeper::ChooseRounds(const BuildContext& context) {
  if (!context.training || options_.place == FeaturePlace::kNowhere) return;
  if (options_.dims.empty()) return Forgo("nothing of the backbone is frozen");
  if (!order_ || !counts_) return Forgo("the source does not tell its samples beforehand");
  if (!batching_) return Forgo("the stage that gathers samples does not say how");
  if (const std::string stage = provenance_.unknown(); !stage.empty()) {
    return Forgo("`" + stage + "` does not say what its outcome depends on");
  }
  const auto rounds = [&](Split split) {
    const int variants = provenance_.variants(split);
    const bool is_used_again = in_file() || options_.epochs > variants;
    return (*counts_)[split] > 0 && is_used_again ? variants : 0;
  };
  rounds_ = {rounds(Split::kTrain), rounds(Split::kValidation)};
  if (provenance_.variants(Split::kTrain) == 0) {
    why_not_ = WhyAnew(provenance_.drawing_anew(Split::kTrain));
  } else if (rounds_.train == 0) {
    why_not_ = "no picture is seen twice";
  }
  if (rounds_.train + rounds_.validation == 0) Forgo(why_not_);
}

void FeatureKeeper::Forgo(const std::string& why) {
  rounds_ = {};
  why_not_ = why;
  if (options_.place.is_auto()) return;
  throw Error(ErrorKind::kConfig, "features.cache: no features can be kept: " + why,
              "Leave `cache` away, or set it to off.");
}

std::size_t FeatureKeeper::values() const {
  return static_cast<std::size_t>(ValuesIn(options_.dims));
}

std::size_t FeatureKeeper::bytes() const {
  return FeatureCache::bytes(rounds_, values(), *order_, *counts_, in_file());
}

void FeatureKeeper::AddTo(Footprint& footprint) const {
  if (rounds_.train + rounds_.validation == 0) return;
  HeldPart part{in_file() ? "table of kept features" : "store of features", MemoryTag::kFeature,
                bytes()};
  if (options_.place.is_auto()) {
    footprint.extra = ExtraPart{std::move(part), "epochs that are all kept skip what is before"};
  } else {
    footprint.held.push_back(std::move(part));
  }
}

void FeatureKeeper::Open(bool has_extra, const std::function<std::string()>& describe) {
  if (rounds_.train + rounds_.validation == 0) return;
  if (options_.place.is_auto() && !has_extra) {
    why_not_ = "the ceiling leaves no room for " + ToRoundText(ByteSize{bytes()});
    rounds_ = {};
    return;
  }
  std::unique_ptr<FeatureFile> file;
  if (in_file()) {
    const std::string description = describe();
    const FeatureKey key = FeatureKeyOf(description);
    file_ = options_.folder / (Hexadecimal(key) + ".features");
    file = std::make_unique<FeatureFile>(file_, values(), description);
    set_aside_ = file->set_aside();
  }
  cache_ = std::make_unique<FeatureCache>(rounds_, values(), order_, *counts_, provenance_,
                                          std::move(file));
}

void FeatureKeeper::BeginPass(const Pass& pass) {
  if (!cache_) return;
  pass_ = pass;
  cache_->BeginPass(pass, pass.split == Split::kTrain && is_shared_out());
  gives_pass_ = has_pass();
  walk_ = order_->BeginShare(pass);
  walked_ = 0;
}

// Where a train pass is shared out, this rank has other samples in each.
void FeatureKeeper::EndPass() {
  if (!cache_) return;
  const bool may_leave_out = batching_->drop_last || is_shared_out();
  cache_->EndPass(pass_.split != Split::kTrain || !may_leave_out);
}

std::optional<FeatureBatch> FeatureKeeper::NextBatch() {
  const RankShare share = ranks_ ? ranks_->share : RankShare::Alone(batching_->size);
  std::vector<Sample> samples;
  samples.reserve(share.size());
  bool is_over = false;
  while (samples.empty() && !is_over) {  // a window of which all were dropped gives no batch
    for (int i = 0; i < share.size(); ++i) {
      std::optional<Sample> sample = walk_();
      is_over = !sample;
      if (is_over) break;
      sample->order = pass_.first_sample + share.OrderOf(walked_++);
      if (cache_->Has(sample->index)) samples.push_back(*std::move(sample));  // else it was dropped
    }
  }
  const bool is_left_out = is_over && batching_->drop_last && pass_.split == Split::kTrain;
  if (samples.empty() || is_left_out) return std::nullopt;
  return Load(std::move(samples));
}

std::optional<FeatureBatch> FeatureKeeper::Find(Batch& batch) const {
  if (!keeps_pass()) return std::nullopt;
  for (const Sample& sample : batch.samples) {
    if (sample.index >= order_->index_end) {
      throw Error(ErrorKind::kInternal, "'" + sample.path + "' arrives with the index " +
                                            std::to_string(sample.index) + ", of " +
                                            std::to_string(order_->index_end) + " samples");
    }
    if (!cache_->Has(sample.index)) return std::nullopt;
  }
  return Load(std::move(batch.samples));
}

FeatureBatch FeatureKeeper::Load(std::vector<Sample> samples) const {
  FeatureBatch batch;
  batch.samples = std::move(samples);
  batch.dims = options_.dims;
  batch.values = AlignedBuffer<float>(batch.samples.size() * values());
  for (std::size_t i = 0; i < batch.samples.size(); ++i) {
    if (cache_->Load(batch.samples[i].index, batch.values.data() + i * values())) continue;
    throw Error(ErrorKind::kData, file_.string() + " was changed or damaged while it was in use",
                "Remove it, and go on with --resume.");
  }
  return batch;
}

void FeatureKeeper::Keep(const FeatureBatch& batch) {
  if (!keeps_pass()) return;
  for (int i = 0; i < batch.size(); ++i) {
    cache_->Keep(batch.samples[i], batch.values.data() + i * values());
  }
}

std::string FeatureKeeper::Announcement() const {
  if (!cache_) return why_not_.empty() ? "" : "features: made anew in each epoch: " + why_not_;
  const bool both = rounds_.train > 0 && rounds_.validation > 0;
  std::string text = std::string("features: ") +
                     (both                ? "of both splits"
                      : rounds_.train > 0 ? "of training"
                                          : "of validation") +
                     " kept in " +
                     (file_.empty() ? "memory, " + ToRoundText(ByteSize{bytes()}) : file_.string());
  if (!set_aside_.empty())
    text += "; what was there was damaged, and is now " + set_aside_.string();
  if (rounds_.train > 1) text += ", " + std::to_string(rounds_.train) + " variants of each picture";
  if (rounds_.train == 0 && (*counts_)[Split::kTrain] > 0) text += "; of training not: " + why_not_;
  return text;
}

std::string FeatureKeeper::Summary() const {
  if (!cache_ || file_.empty()) return "";
  std::string text = "features: " + std::to_string(cache_->found()) + " found in " +
                     file_.string() + ", " + std::to_string(cache_->kept()) + " added";
  if (const std::string trouble = cache_->failure(); !trouble.empty()) {
    text += "; the others could not be kept: " + trouble;
  }
  return text;
}

}  // namespace weir
