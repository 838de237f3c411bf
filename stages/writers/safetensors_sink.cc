#include "stages/writers/safetensors_sink.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <utility>

#include "framework/error.h"
#include "framework/shape.h"
#include "stages/files/atomic_file.h"
#include "stages/files/class_names.h"
#include "stages/files/output_files.h"
#include "stages/model/weights/safetensors_writer.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFeatures = "features";

Shape RowShape(const ItemSpec& batches) {
  if (batches.dims.size() < 2) {
    throw Error(ErrorKind::kConfig, "safetensors: the features that arrive have no fixed size",
                "Put `features` or `normalize` before it.");
  }
  return {batches.dims.begin() + 1, batches.dims.end()};
}

std::size_t MostSamples(const Resources& resources) {
  const auto counts = resources.Find<SampleCounts>();
  std::uint64_t most = 0;
  if (counts) {
    for (const auto& [split, count] : counts->of_split) most = std::max(most, count);
  }
  return most;
}

std::map<std::string, std::string> Metadata(const Classes* classes) {
  if (!classes) return {};
  return {{"classes", nlohmann::json(classes->names)
                          .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)}};
}

fs::path WithEnding(fs::path path, const char* ending) { return path += ending; }

}  // namespace

struct SafetensorsSink::Files {
  Files(const fs::path& path, const Shape& row_shape, const Classes* classes)
      : features(path, kFeatures, row_shape, Metadata(classes)),
        lines(WithEnding(path, ".jsonl")) {}

  GrowingSafetensors features;
  AtomicFile lines;
};

SafetensorsSink::SafetensorsSink(const Params& params, BuildContext& context)
    : params_(params),
      row_shape_(RowShape(context.upstream)),
      classes_(context.resources.Find<Classes>()),
      samples_(MostSamples(context.resources)) {
  if (classes_) CheckClassNames(std::string(kName), classes_->names);
  GrowingSafetensors::Check(params_.path, kFeatures, row_shape_, Metadata(classes_.get()));
  ClaimOutput(context.resources, params_.path);
}

SafetensorsSink::~SafetensorsSink() = default;

Footprint SafetensorsSink::footprint() const {
  return {.held = {{"labels", MemoryTag::kReserve, samples_ * sizeof(std::int32_t)}}};
}

void SafetensorsSink::BeginPass(const Pass&) {
  files_.reset();
  labels_.clear();
  labels_.reserve(samples_);
}

void SafetensorsSink::Consume(const FeatureBatch& batch, StageContext&) {
  if (batch.size() == 0) return;
  if (!files_) {
    if (params_.path.has_parent_path()) {
      std::error_code ignored;  // the file says why it cannot be written
      fs::create_directories(params_.path.parent_path(), ignored);
    }
    files_ = std::make_unique<Files>(params_.path, row_shape_, classes_.get());
  }
  const auto values = static_cast<std::size_t>(batch.size() * ValuesIn(row_shape_));
  files_->features.AddRows({batch.values.data(), values});
  std::string lines;
  for (const Sample& sample : batch.samples) {
    if (!sample.mixture.empty()) {
      throw Error(
          ErrorKind::kConfig,
          "safetensors: '" + sample.path + "' is a mixture of samples, and one label is written",
          "Take `mixup` and `cutmix` out of the way to it.");
    }
    labels_.push_back(sample.label);
    nlohmann::ordered_json line = {{"path", sample.path}};
    if (classes_ && sample.label >= 0) line["class"] = classes_->names.at(sample.label);
    lines += line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  }
  files_->lines.Write(std::as_bytes(std::span(lines)));
}

void SafetensorsSink::EndPass(const Pass&) {
  if (!files_) return;
  files_->lines.Commit();
  files_->features.Commit("labels", labels_);
  files_.reset();
}

}  // namespace weir
