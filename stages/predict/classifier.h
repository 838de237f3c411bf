// A saved model at work on the host without LibTorch: a picture of the model's size in, the
// probabilities of the classes out. All of the backbone runs as a frozen prefix, the head behind
// it.
//
//   const Classifier classifier(LoadSavedModel("first/model"), Precision::kFloat32);
//   const auto workspace = classifier.MakeWorkspace();
//   classifier.Run(pixels, *workspace, probabilities.data());
//
// Immutable: any number of threads may Run it, each with a workspace of its own. A picture is
// computed alone, so its bits depend on nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "stages/model/export/saved_model.h"
#include "stages/model/frozen_prefix.h"
#include "stages/model/model.h"
#include "stages/predict/head_runner.h"

namespace weir {

class Classifier final : public FrozenPrefix {
 public:
  // Throws Error(kConfig) where this processor cannot do the precision, or int8 was not measured;
  // Error(kData) where the files of the model prove to be damaged.
  Classifier(const ModelSource& source, std::shared_ptr<const Model> model, Precision precision);

  // What one will hold, and what making it takes beside that; told without reading weights.
  struct Footprint {
    std::size_t weights_bytes = 0;
    std::size_t workspace_bytes = 0;
    std::size_t opening_bytes = 0;
  };
  static Footprint FootprintOf(const ModelSource& source, const std::shared_ptr<const Model>& model,
                               Precision precision);

  const Model& model() const { return *model_; }

  std::size_t weights_bytes() const override;
  std::size_t workspace_bytes() const override;
  std::size_t output_values() const override { return model_->classes().size(); }
  std::size_t feature_values() const { return prefix_->output_values(); }

  std::unique_ptr<Workspace> MakeWorkspace() const override;

  // `probabilities` has a value a class.
  void Run(const std::uint8_t* pixels, Workspace& workspace, float* probabilities) const override;

  // What the head is fed: `features` has feature_values(), [C], or [h, w, C] where the head does
  // not begin by pooling.
  void RunFeatures(const std::uint8_t* pixels, Workspace& workspace, float* features) const;

 private:
  std::shared_ptr<const Model> model_;
  std::unique_ptr<const FrozenPrefix> prefix_;
  std::unique_ptr<const HeadRunner> head_;
};

// The saved model as it predicts: everything frozen.
std::shared_ptr<const Model> ModelOf(SavedModel& saved);

}  // namespace weir
