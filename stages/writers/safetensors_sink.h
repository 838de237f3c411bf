// Ends a branch of features with a file of them, safetensors:
//
//   features   float32 [N, ...]
//   labels     int32 [N], -1 where there is none
//
// and beside it PATH.jsonl, a line a sample: {"path": "ants/a.jpg", "class": "ants"}. The rows of
// the three are in one order. Both appear whole at the end of the pass, the features last. The
// names of the classes are in the file's metadata; where they are too many for the header
// (safetensors_limits.h), the stage is refused when it is built. Memory: the labels, and the lines
// of a batch. One thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>
#include <tuple>
#include <vector>

#include "framework/config/params.h"
#include "framework/flow/stage.h"
#include "framework/shape.h"
#include "stages/files/output_files.h"
#include "stages/payloads.h"

namespace weir {

class SafetensorsSink final : public SinkStage<FeatureBatch> {
 public:
  static constexpr std::string_view kName = "safetensors";
  static constexpr std::string_view kDoc = "Writes features and labels into a safetensors file.";

  struct Params {
    std::filesystem::path path;

    static auto Fields() {
      return std::tuple{Field{"path", &Params::path, "The file to write.", Required{}}};
    }
  };

  SafetensorsSink(const Params& params, BuildContext& context);
  ~SafetensorsSink() override;

  static std::vector<ResourceUse> Provides() { return {ResourceOf<OutputFiles>()}; }

  Footprint footprint() const override;
  void BeginPass(const Pass& pass) override;
  void Consume(const FeatureBatch& batch, StageContext& context) override;
  void EndPass(const Pass& pass) override;

 private:
  struct Files;

  const Params params_;
  const Shape row_shape_;
  const std::shared_ptr<const Classes> classes_;  // may be null
  const std::size_t samples_;                     // the most that a pass may bring
  std::vector<std::int32_t> labels_;
  std::unique_ptr<Files> files_;
};

}  // namespace weir
