// Which features of a job are kept, where, and the passes that are given from them: what `features`
// does beside making them.
//
// Decided when the stage is built, from what the stages before it say; a FeatureCache is made when
// it is opened. Also a resource, for the command to tell people what is kept. Map()'s thread rules
// hold for Find and Keep, those of the stage for the rest.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/config/params.h"
#include "framework/flow/stage.h"
#include "framework/shape.h"
#include "stages/features/feature_cache.h"
#include "stages/payloads.h"
#include "stages/ranks/ranks.h"

namespace weir {

enum class FeaturePlace { kNowhere, kMemory, kFile };

class FeatureKeeper {
 public:
  static constexpr std::string_view kResource = "kept features";

  struct Options {
    Auto<FeaturePlace> place;
    std::filesystem::path folder;  // where the files lie
    int epochs = 1;                // epochs of the training
    Shape dims;                    // the shape of a sample's features; empty without a frozen part
  };

  // Throws Error(kConfig) where a place is asked for and nothing can be kept.
  FeatureKeeper(Options options, const BuildContext& context);

  // Adds what keeping takes: as an extra part, or a held one where a place was asked for.
  void AddTo(Footprint& footprint) const;

  // `describe` is asked where there is a file: all that its records depend on beside the samples.
  void Open(bool has_extra, const std::function<std::string()>& describe);

  bool in_file() const { return options_.place == FeaturePlace::kFile; }

  void BeginPass(const Pass& pass);
  void EndPass();

  // Whether what the pass makes is kept.
  bool keeps_pass() const { return cache_ && cache_->keeps_pass(); }
  // Whether the whole pass is kept; then NextBatch gives it.
  bool has_pass() const { return cache_ && cache_->is_complete(); }
  // Whether the pass that began last was, so that not one picture of it is read. Any thread.
  bool gives_pass() const { return gives_pass_; }
  std::optional<FeatureBatch> NextBatch();

  // The features of a batch's samples where all are kept; takes the samples then.
  std::optional<FeatureBatch> Find(Batch& batch) const;
  void Keep(const FeatureBatch& batch);

  // For people, once open: "features: of both splits kept in memory, 2.39 MiB", or what keeps a
  // split from it; and at the end of a run what the file was good for. Empty: nothing to say.
  std::string Announcement() const;
  std::string Summary() const;

 private:
  void ChooseRounds(const BuildContext& context);
  void Forgo(const std::string& why);
  bool is_shared_out() const { return ranks_ && ranks_->share.ranks > 1; }
  std::size_t values() const;
  std::size_t bytes() const;
  FeatureBatch Load(std::vector<Sample> samples) const;

  const Options options_;
  const Provenance provenance_;
  const std::shared_ptr<const SampleOrder> order_;
  const std::shared_ptr<const SampleCounts> counts_;
  const std::shared_ptr<const Batching> batching_;
  const std::shared_ptr<const Ranks> ranks_;  // null where this process is not one of several
  FeatureRounds rounds_;
  std::string why_not_;  // training's, or any

  std::unique_ptr<FeatureCache> cache_;  // null where nothing is kept
  std::filesystem::path file_;
  std::filesystem::path set_aside_;  // what was in the file's place, damaged
  std::atomic<bool> gives_pass_{false};
  Pass pass_;
  SampleOrder::Walk walk_;
  std::uint64_t walked_ = 0;
};

}  // namespace weir
