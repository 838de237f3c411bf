// The section `model:` of a configuration, as typed values.
//
// Plain data; the functions are pure and may be called from any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "framework/config/params.h"
#include "stages/model/backbones/backbone.h"
#include "stages/model/backbones/convention.h"
#include "stages/model/head/head_layer.h"

namespace weir {

enum class ConventionChoice { kAuto, kKeras, kTorchvision };

// How a batch norm of a layer that learns runs in train passes.
enum class BatchNormMode {
  kStored,  // on its stored statistics, folded differentiably; gamma and beta learn
  kTrain,   // on those of the batch, which must then be one micro-batch
};

template <>
struct EnumNames<BatchNormMode> {
  static constexpr std::array kNames{std::pair{"stored", BatchNormMode::kStored},
                                     std::pair{"train", BatchNormMode::kTrain}};
};

struct BackboneConfig {
  std::string name{Backbones().front()->name};
  bool include_top = false;
  double width = 1.0;
  std::string weights = "imagenet";  // a name (WeightsNames), an absolute path or a URL
  std::string sha256{};              // the digest of a URL's file, 64 digits; empty: none is stated
  std::string prefix{};              // what the tensors' names begin with; empty: auto
  ConventionChoice convention = ConventionChoice::kAuto;
  BatchNormMode batch_norm = BatchNormMode::kStored;
};

// Which layers of the backbone keep their weights.
struct FrozenConfig {
  enum class Kind { kAll, kNone, kThrough, kPatterns };
  Kind kind = Kind::kAll;
  std::string through{};                // a layer or block, in either convention's names
  std::vector<std::string> patterns{};  // with * and ?, matched against both
};

struct ModelConfig {
  std::string from{};  // an absolute path: the run whose model it begins with; empty: none
  BackboneConfig backbone{};
  FrozenConfig frozen{};
  std::optional<Preprocessing> preprocessing{};  // empty: auto, the weights' own
  Head head{};
};

// Reads the section (null: every default). What is wrong goes to `problems`, with its place.
// Relative paths of weights are made absolute from the folder of the file that they are written in.
ModelConfig ParseModel(const YamlNode& node, Problems& problems);

// Every value as resolved, so that it parses to the same again, wherever it is read.
YamlNode ToYaml(const ModelConfig& config);

// The keys with their documentation, defaults and ranges; a layer of the head is a row nested in
// `head`.
std::vector<FieldDoc> DescribeModel();

// What it may be, as JSON Schema (framework/config/schema.h).
YamlNode ModelSchema();

}  // namespace weir
