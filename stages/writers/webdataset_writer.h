// Ends a branch of encoded pictures with shards of them, as the `webdataset` Python package and its
// kin read them: tar files in which what belongs to a sample has one key.
//
//   000000042.jpg    the picture
//   000000042.cls    its label, where it has one
//   000000042.json   {"class": "ants", "path": "ants/a.jpg"}: where it came from
//
// Each shard is whole or absent. Memory: one sample's three files. One thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "framework/config/params.h"
#include "framework/flow/stage.h"
#include "stages/files/output_files.h"
#include "stages/payloads.h"

namespace weir {

class WebdatasetWriter final : public SinkStage<EncodedImage> {
 public:
  static constexpr std::string_view kName = "webdataset_writer";
  static constexpr std::string_view kDoc = "Writes pictures into tar shards, with their labels.";

  struct Params {
    std::filesystem::path folder;
    std::string prefix = "shard";
    ByteSize shard_size{std::uint64_t{256} << 20};

    static auto Fields() {
      return std::tuple{
          Field{"folder", &Params::folder, "Of the shards; it is made where it is not there.",
                Required{}},
          Field{"prefix", &Params::prefix, "Of their names: shard-000000.tar."},
          Field{"shard_size", &Params::shard_size, "A shard ends once it is as large.",
                AtLeast{ByteSize{std::uint64_t{1} << 20}}}};
    }
    void Check(const Blame& blame) const;
  };

  WebdatasetWriter(const Params& params, BuildContext& context);
  ~WebdatasetWriter() override;

  static std::vector<ResourceUse> Provides() { return {ResourceOf<OutputFiles>()}; }

  Footprint footprint() const override;
  // Throws Error(kData) where the folder cannot be made, or has shards of that prefix already.
  void Open(OpenContext& context) override;
  void BeginPass(const Pass& pass) override;
  void Consume(const EncodedImage& image, StageContext& context) override;
  void EndPass(const Pass& pass) override;

 private:
  class Shard;
  std::filesystem::path NextPath();

  const Params params_;
  const std::shared_ptr<const Classes> classes_;  // may be null
  std::unique_ptr<Shard> shard_;                  // the shard that is being filled
  int shards_ = 0;
};

}  // namespace weir
