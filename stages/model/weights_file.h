// Named tensors in a file: PyTorch's .pth (a zip with a pickle, tensors only; nothing is ever
// executed), safetensors, Keras' legacy .h5 and Keras 3's .weights.h5. The kind is told by the
// content, not the name.
//
// A reader holds the table of names, and at most one tensor besides what it converts into. One
// thread at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "stages/model/backbone_weights.h"

namespace weir {

enum class WeightsFormat { kPth, kSafetensors, kKerasLegacyH5, kKerasWeightsH5 };

struct TensorInfo {
  std::string name;
  std::vector<std::int64_t> shape;
  std::int64_t values() const;
};

class WeightsFile {
 public:
  // Throws Error(kData), naming the file and what is wrong with it.
  static std::unique_ptr<WeightsFile> Open(const std::filesystem::path& path);

  virtual ~WeightsFile() = default;
  virtual WeightsFormat format() const = 0;
  virtual const std::vector<TensorInfo>& tensors() const = 0;              // sorted by name
  virtual const std::map<std::string, std::string>& metadata() const = 0;  // safetensors' own
  // Converts to float32, row-major as stored. `out.size()` is the tensor's values.
  virtual void Read(const TensorInfo& tensor, std::span<float> out) = 0;
};

// The backbone's numbers from a file in any of the formats and namings (Keras, torchvision, timm),
// converted to OIHW. Throws Error(kData) that lists what is missing or of the wrong shape, with the
// width that the file seems to have been made for.
BackboneWeights LoadBackbone(WeightsFile& file, const MobileNetV2& model);

// The convention that a file's format and names imply: Keras' for HDF5, torchvision's otherwise,
// unless the file's own metadata ("weir.convention") says which.
Convention ConventionOf(const WeightsFile& file);

}  // namespace weir
