// What the frozen part made of each sample, kept from one epoch to the next, in memory or in a file
// that later runs use too.
//
// A pass over a split is one of its rounds: with K variants of each picture, epoch e is round
// e modulo K. Once a round was run to its end it is complete: what is not there by then was dropped
// on its way (where the gather leaves samples out, or some could not be kept, it is complete only
// with all of them). With a file, a round is looked up there when it is first begun: each picture's
// content is hashed, and what is kept is found by that, by what the stages before say that their
// outcome depends on, and by the file, which is of one prefix. So whatever changes is made anew,
// and nothing else; a picture that changes while the run goes on is not kept. What other runs add
// to the file meanwhile is used as soon as it is seen, and not added again.
//
// Memory: bytes(), all of it from the constructor on, with a file less the values'.
//
// BeginPass and EndPass are called between passes, the rest by any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "framework/flow/provenance.h"
#include "stages/features/feature_file.h"
#include "stages/payloads.h"

namespace weir {

// What it may keep of a job.
struct FeatureRounds {
  int train = 0;  // rounds that are kept; 0: none
  int validation = 0;

  int of(Split split) const {
    return split == Split::kTrain ? train : split == Split::kValidation ? validation : 0;
  }
};

class FeatureCache {
 public:
  // `values` is how many floats a sample has. `order` and `counts` are the source's, `provenance`
  // that of the samples that Keep gets the features of. In memory where `file` is null.
  FeatureCache(FeatureRounds rounds, std::size_t values, std::shared_ptr<const SampleOrder> order,
               const SampleCounts& counts, Provenance provenance,
               std::unique_ptr<FeatureFile> file);

  // What one holds: tables, and without a file the values.
  static std::size_t bytes(const FeatureRounds& rounds, std::size_t values,
                           const SampleOrder& order, const SampleCounts& counts, bool in_file);

  // `is_part`: the pass has a part of the split, and another one in each epoch; it is complete
  // where all of that part is there.
  void BeginPass(const Pass& pass, bool is_part = false);
  // Ends a pass that ran to its end. `saw_all`: it saw all of its samples but the dropped ones.
  void EndPass(bool saw_all);

  // Whether all that the pass will see is there.
  bool is_complete() const { return round_ && round_->is_complete; }
  bool keeps_pass() const { return round_ != nullptr; }

  // Whether the sample of that index is there, in the pass.
  bool Has(std::uint64_t index) const;
  // False where it is not there, or cannot be read from the file any more.
  bool Load(std::uint64_t index, float* values) const;
  // Does nothing where it is there, or the pass is not kept.
  void Keep(const Sample& sample, const float* values);

  // How many samples were kept in passes so far, and how many were found in the file.
  std::uint64_t kept() const { return kept_; }
  std::uint64_t found() const { return found_; }
  // Why nothing more is kept in the file, where that is so: "... : No space left on device".
  std::string failure() const;

 private:
  static constexpr std::uint32_t kAbsent = 0xffffffff;

  struct Round {
    std::vector<std::uint32_t> places;  // by a sample's index: in the values, or a record's number
    std::vector<std::uint32_t> checksums;  // those of the records; with a file
    std::uint64_t looked_up = 0;           // records of the file that it was looked up in
    bool is_complete = false;
    std::atomic<bool> has_gaps{false};  // something could not be kept
  };
  // A picture's file as it was when it was hashed.
  struct Content {
    FeatureKey digest{};
    std::array<std::int64_t, 5> stamp{};  // size, seconds and nanoseconds of mtime and ctime
    bool is_known = false;
  };

  struct KeyHash {
    std::size_t operator()(const FeatureKey& key) const;
  };

  void LookUp();
  void Take(const FeatureKey& key, const FeatureRecord& record);
  void HashContents(const std::vector<Sample>& samples);
  void HashContent(const Sample& sample, Content& content) const;
  bool HasAll(Pass pass) const;
  FeatureKey KeyOf(std::uint64_t index) const;

  const FeatureRounds rounds_;
  const std::size_t values_;
  const std::shared_ptr<const SampleOrder> order_;
  const Provenance provenance_;
  const std::unique_ptr<FeatureFile> file_;  // null: in memory

  std::map<std::pair<Split, int>, Round> all_rounds_;
  std::vector<Content> contents_;  // by a sample's index; with a file
  // The samples of the pass that are not there, by their keys; with a file.
  std::unordered_multimap<FeatureKey, std::uint64_t, KeyHash> wanted_;
  AlignedBuffer<float> memory_;  // [samples kept at most, values]; without a file
  std::uint32_t next_place_ = 0;

  Pass pass_;
  Round* round_ = nullptr;  // the pass's round; null where it is not kept
  mutable std::mutex mutex_;
  std::string trouble_;
  std::atomic<std::uint64_t> kept_{0};
  std::atomic<std::uint64_t> found_{0};
};

}  // namespace weir
