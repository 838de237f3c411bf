#include "stages/features/feature_cache.h"

#include <sys/stat.h>

#include <algorithm>
#include <cassert>
#include <cstring>
#include <optional>
#include <span>
#include <variant>

#include "framework/error.h"
#include "framework/flow/parallel.h"
#include "stages/byte_source.h"
#include "stages/files/file_bytes.h"
#include "stages/files/sha256.h"

namespace weir {
namespace {

constexpr std::size_t kHashedAtOnce = 64;      // pictures
constexpr std::size_t kReadAtOnce = 64 << 10;  // bytes of each

// A sample in the table that a round is looked up by, with the links of a hash map.
constexpr std::size_t kLookUpBytes = sizeof(FeatureKey) + 48;

using Stamp = std::array<std::int64_t, 5>;

Stamp StampOf(const struct stat& status) {
  return {status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec,
          status.st_ctim.tv_nsec};
}

Stamp StampOf(const ByteSource& source) {
  const FileStamp stamp = source.stamp();
  return {stamp.bytes, stamp.changed_ns};
}

// What the picture's file is now; nothing where it is not there any more.
std::optional<Stamp> StampNow(const FilePart& part) {
  if (part.source) return StampOf(*part.source);
  struct stat status {};
  if (::stat(part.path.c_str(), &status) != 0) return std::nullopt;
  return StampOf(status);
}

// What stands for the bytes of a part of a file on a server, so that they need not be fetched to be
// looked up; empty where nothing does.
std::string IdentityOf(const FilePart& part) {
  const std::string identity = part.source ? part.source->identity() : "";
  if (identity.empty()) return "";
  return identity + "\n" + std::to_string(part.begin) + "+" + std::to_string(part.size);
}

std::uint64_t KeptAtMost(const FeatureRounds& rounds, const SampleCounts& counts) {
  return counts[Split::kTrain] * static_cast<std::uint64_t>(rounds.train) +
         counts[Split::kValidation] * static_cast<std::uint64_t>(rounds.validation);
}

}  // namespace

std::size_t FeatureCache::KeyHash::operator()(const FeatureKey& key) const {
  std::size_t hash;
  std::memcpy(&hash, key.data(), sizeof hash);  // a part of a digest is as good as any
  return hash;
}

FeatureCache::FeatureCache(FeatureRounds rounds, std::size_t values,
                           std::shared_ptr<const SampleOrder> order, const SampleCounts& counts,
                           Provenance provenance, std::unique_ptr<FeatureFile> file)
    : rounds_(rounds),
      values_(values),
      order_(std::move(order)),
      provenance_(std::move(provenance)),
      file_(std::move(file)) {
  for (const Split split : {Split::kTrain, Split::kValidation}) {
    for (int round = 0; round < rounds_.of(split); ++round) {
      Round& made = all_rounds_[{split, round}];
      made.places.assign(order_->index_end, kAbsent);
      if (file_) made.checksums.resize(order_->index_end);
    }
  }
  if (file_) {
    contents_.resize(order_->index_end);
  } else {
    memory_ = AlignedBuffer<float>(KeptAtMost(rounds_, counts) * values_);
  }
}

std::size_t FeatureCache::bytes(const FeatureRounds& rounds, std::size_t values,
                                const SampleOrder& order, const SampleCounts& counts,
                                bool in_file) {
  const std::size_t words = in_file ? 2 : 1;
  const std::size_t table = static_cast<std::size_t>(rounds.train + rounds.validation) *
                            order.index_end * words * sizeof(std::uint32_t);
  if (!in_file) return table + KeptAtMost(rounds, counts) * values * sizeof(float);
  const std::size_t at_once = std::max(counts[Split::kTrain], counts[Split::kValidation]);
  return table + order.index_end * sizeof(Content) + at_once * kLookUpBytes +
         kHashedAtOnce * kReadAtOnce;
}

void FeatureCache::BeginPass(const Pass& pass, bool is_part) {
  pass_ = pass;
  const int rounds = rounds_.of(pass.split);
  round_ = rounds > 0 ? &all_rounds_.at({pass.split, pass.epoch % rounds}) : nullptr;
  wanted_.clear();
  if (round_ && is_part) {  // other samples than before are looked for in all of the file
    round_->is_complete = !file_ && HasAll(pass);
    round_->looked_up = 0;
  }
  if (round_ && file_ && !round_->is_complete) LookUp();
}

void FeatureCache::EndPass(bool saw_all) {
  wanted_.clear();
  if (!round_ || round_->is_complete) return;
  const bool is_whole = saw_all && pass_.first_sample == 0 && !round_->has_gaps;
  round_->is_complete = is_whole || HasAll(pass_);
}

bool FeatureCache::HasAll(Pass pass) const {
  pass.first_sample = 0;
  const SampleOrder::Walk next = order_->BeginShare(pass);
  for (std::optional<Sample> sample = next(); sample; sample = next()) {
    if (!Has(sample->index)) return false;
  }
  return true;
}

bool FeatureCache::Has(std::uint64_t index) const {
  if (!round_) return false;
  const std::lock_guard lock(mutex_);
  return round_->places[index] != kAbsent;
}

bool FeatureCache::Load(std::uint64_t index, float* values) const {
  if (!round_) return false;
  std::uint32_t place, checksum = 0;
  {
    const std::lock_guard lock(mutex_);
    place = round_->places[index];
    if (file_) checksum = round_->checksums[index];
  }
  if (place == kAbsent) return false;
  if (file_) return file_->Read({place, checksum}, values);
  std::memcpy(values, memory_.data() + place * values_, values_ * sizeof(float));
  return true;
}

void FeatureCache::Keep(const Sample& sample, const float* values) {
  if (!round_) return;
  const std::lock_guard lock(mutex_);
  std::uint32_t& place = round_->places[sample.index];
  if (place != kAbsent) return;
  if (!file_) {
    std::memcpy(memory_.data() + next_place_ * values_, values, values_ * sizeof(float));
    place = next_place_++;
    ++kept_;
    return;
  }
  // What was decoded lies between the hash and now: where the file is as it was, it is that.
  const Content& content = contents_[sample.index];
  if (!trouble_.empty() || !content.is_known ||
      StampNow(order_->content(sample)) != content.stamp) {
    round_->has_gaps = true;
    return;
  }
  try {
    const FeatureKey key = KeyOf(sample.index);
    const FeatureRecord record = file_->Append(
        key, values,
        [this](const FeatureKey& added, const FeatureRecord& where) { Take(added, where); });
    if (place != kAbsent) return;  // another run had added it
    place = record.number;
    round_->checksums[sample.index] = record.checksum;
    ++kept_;
    Take(key, record);  // pictures of the same content
  } catch (const Error& error) {
    trouble_ = error.what();
    round_->has_gaps = true;
  }
}

std::string FeatureCache::failure() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

// Finds what the file has of the round. Each record that is found is read once, for its checksum.
void FeatureCache::LookUp() {
  Pass whole = pass_;
  whole.first_sample = 0;
  std::vector<std::uint64_t> indexes;
  std::vector<Sample> samples;
  const SampleOrder::Walk next = order_->BeginShare(whole);
  for (std::optional<Sample> sample = next(); sample; sample = next()) {
    if (round_->places[sample->index] != kAbsent) continue;
    indexes.push_back(sample->index);
    if (!contents_[sample->index].is_known) samples.push_back(*std::move(sample));
    if (samples.size() == kHashedAtOnce) {
      HashContents(samples);
      samples.clear();
    }
  }
  HashContents(samples);

  wanted_.reserve(indexes.size());
  for (const std::uint64_t index : indexes) {
    if (contents_[index].is_known) wanted_.emplace(KeyOf(index), index);
  }
  round_->looked_up = file_->ForEach(
      [this](const FeatureKey& key, const FeatureRecord& record) { Take(key, record); },
      round_->looked_up);
  round_->is_complete = HasAll(pass_);
}

// Gives the record to the samples that are wanted and have its key, if it is whole.
void FeatureCache::Take(const FeatureKey& key, const FeatureRecord& record) {
  const auto [begin, end] = wanted_.equal_range(key);
  if (begin == end) return;
  std::vector<float> values(values_);
  if (!file_->Read(record, values.data())) return;
  for (auto found = begin; found != end; ++found) {
    std::uint32_t& place = round_->places[found->second];
    if (place != kAbsent) continue;
    place = record.number;
    round_->checksums[found->second] = record.checksum;
    ++found_;
  }
  wanted_.erase(begin, end);
}

void FeatureCache::HashContents(const std::vector<Sample>& samples) {
  ParallelFor(static_cast<int>(samples.size()),
              [&](int i) { HashContent(samples[i], contents_[samples[i].index]); });
}

void FeatureCache::HashContent(const Sample& sample, Content& content) const {
  const FilePart part = order_->content(sample);
  Sha256 sha256;
  if (const std::string identity = IdentityOf(part); !identity.empty()) {
    sha256.Add(std::as_bytes(std::span(identity)));
    content.stamp = StampOf(*part.source);
    content.is_known = true;
  } else {
    const Outcome<FileBytes> opened = FileBytes::Open(part);
    const FileBytes* file = std::get_if<FileBytes>(&opened);
    struct stat status {};
    if (!file || (!part.source && ::fstat(file->descriptor(), &status) != 0)) return;
    std::vector<std::byte> some(kReadAtOnce);
    std::uint64_t hashed = 0;
    while (const std::size_t read = file->ReadSome(hashed, some.data(), some.size())) {
      sha256.Add({some.data(), read});
      hashed += read;
    }
    file->RethrowFailure();
    content.stamp = part.source ? StampOf(*part.source) : StampOf(status);
    content.is_known = hashed == file->size();
  }
  const std::array<std::byte, 32> digest = sha256.FinishBytes();
  std::copy_n(digest.begin(), content.digest.size(), content.digest.begin());
}

FeatureKey FeatureCache::KeyOf(std::uint64_t index) const {
  const FeatureKey& digest = contents_[index].digest;
  std::string text(reinterpret_cast<const char*>(digest.data()), digest.size());
  const std::optional<std::string> depends_on = provenance_.Of(pass_, index);
  assert(depends_on && "what is kept is known");
  return FeatureKeyOf(text + *depends_on);
}

}  // namespace weir
