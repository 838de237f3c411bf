// Begins the flow with pictures that are named one by one, or lie anywhere below some folders: what
// is predicted. They have no labels. Every pass takes all of them, in the order given; a folder's
// in the order of FileListing.
//
// A file that is named is taken whatever its name ends in. Next() is for one thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "framework/stage.h"
#include "stages/file_listing.h"
#include "stages/payloads.h"

namespace weir {

class Files final : public SourceStage<ImageFile> {
 public:
  static constexpr std::string_view kName = "files";
  static constexpr std::string_view kDoc = "Takes pictures and folders of pictures by their paths.";

  // Throws Error(kData) where a path does not exist or a folder has no pictures.
  explicit Files(const std::vector<std::filesystem::path>& paths);

  Footprint footprint() const override;
  void Open(OpenContext& context) override;
  void BeginPass(const Pass& pass) override { position_ = pass.first_sample; }
  std::optional<ImageFile> Next(StageContext& context) override;

  std::uint64_t size() const { return files_.size(); }

 private:
  FileListing files_;
  std::optional<Lease> lease_;
  std::uint64_t position_ = 0;
};

}  // namespace weir
