// The sections `model:` and `training:` of a configuration, as typed values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "stages/model/mobilenet_v2.h"

namespace weir {

enum class ConventionChoice { kAuto, kKeras, kTorchvision };

// How a batch norm of a layer that learns runs in train passes.
enum class BatchNormMode {
  kStored,  // on its stored statistics, folded differentiably; gamma and beta learn
  kTrain,   // on those of the batch, which must then be one micro-batch
};

struct BackboneConfig {
  std::string name = "mobilenet_v2";
  bool include_top = false;
  double width = 1.0;
  std::string weights = "imagenet";  // none, a name, a path or a URL
  std::string sha256;                // of what a URL gives
  ConventionChoice convention = ConventionChoice::kAuto;
  BatchNormMode batch_norm = BatchNormMode::kStored;
};

// Which layers of the backbone keep their weights.
struct FrozenConfig {
  enum class Kind { kAll, kNone, kThrough, kPatterns };
  Kind kind = Kind::kAll;
  std::string through;                // a layer or block, in either convention's names
  std::vector<std::string> patterns;  // with * and ?, matched against both
};

enum class Activation { kLinear, kRelu, kRelu6, kSigmoid, kTanh, kSoftmax };

struct HeadLayer {
  enum class Kind {
    kGlobalAveragePooling,
    kGlobalMaxPooling,
    kFlatten,
    kDropout,
    kBatchNorm,
    kDense
  };
  Kind kind = Kind::kDense;
  int units = 0;  // of a dense layer; `classes` in the YAML is -1 here until the classes are known
  Activation activation = Activation::kLinear;
  double rate = 0.5;       // of a dropout
  double momentum = 0.99;  // of a batch norm
  double epsilon = 1e-3;
};

struct ModelConfig {
  BackboneConfig backbone;
  FrozenConfig frozen;
  std::optional<Preprocessing> preprocessing;  // empty: auto, the weights' own
  std::vector<HeadLayer> head;
};

struct OptimizerConfig {
  enum class Kind { kAdam, kAdamW, kSgd, kRmsprop };
  Kind kind = Kind::kAdam;
  double learning_rate = 1e-3;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  double rho = 0.9;  // RMSprop's
  double momentum = 0;
  bool nesterov = false;
  double weight_decay = 0;  // decoupled (AdamW) or added to the gradient
};

enum class Schedule { kConstant, kCosine };

struct TrainingConfig {
  int epochs = 10;
  OptimizerConfig optimizer;
  Schedule schedule = Schedule::kConstant;
  double label_smoothing = 0;
  int micro_batch = 0;             // 0: auto, a function of the model alone
  double checkpoint_seconds = 60;  // the save interval; also at the end of every epoch
};

}  // namespace weir
