#include "stages/model/hdf5_reader.h"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "framework/error.h"
#include "stages/model/element_type.h"
#include "stages/model/hdf5_objects.h"
#include "stages/model/printable.h"

namespace weir {
namespace {

constexpr int kDeepest = 16;  // groups inside groups: models inside models
constexpr std::size_t kMostTensors = 10'000;

// The weights of Keras' layers, in the order of `vars/0`, `vars/1`, ...
constexpr std::array<std::string_view, 4> kBatchNormWeights = {"gamma", "beta", "moving_mean",
                                                               "moving_variance"};
constexpr std::array<std::string_view, 2> kLayerWeights = {"kernel", "bias"};

std::string_view WeightName(std::string_view layer, std::string_view number) {
  const std::size_t index = static_cast<std::size_t>(number[0] - '0');
  if (number.size() != 1) return number;
  if (layer.starts_with("batch_normalization")) {
    return index < kBatchNormWeights.size() ? kBatchNormWeights[index] : number;
  }
  return index < kLayerWeights.size() ? kLayerWeights[index] : number;
}

// "block_1_expand_BN/gamma" of "model/block_1_expand_BN/gamma:0"
std::string LayerAndWeight(std::string_view path) {
  path = path.substr(0, path.rfind(':'));
  const std::size_t slash = path.rfind('/');
  if (slash == path.npos || slash == 0) return std::string(path);
  const std::size_t before = path.rfind('/', slash - 1);
  return std::string(before == path.npos ? path : path.substr(before + 1));
}

class Hdf5File final : public WeightsFile {
 public:
  Hdf5File(const std::filesystem::path& path, std::unique_ptr<MappedFile> file)
      : WeightsFile(path), file_(std::move(file)), objects_(file_->bytes(), path.string()) {
    const Hdf5Object root = objects_.Read(objects_.root());
    if (const auto model = root.FindChild("model_weights")) {
      FindLegacy(objects_.Read(*model));
    } else if (!Names(root, "layer_names").empty()) {
      FindLegacy(root);
    } else {
      format_ = WeightsFormat::kKerasWeightsH5;
      FindLayers(root, 0);
    }
    if (found_.empty()) Refuse("holds no weights in either of Keras' layouts");
    std::vector<Found> sorted;
    for (const std::size_t i : SetTensors(std::move(infos_))) sorted.push_back(found_[i]);
    found_ = std::move(sorted);
  }

  WeightsFormat format() const override { return format_; }

 private:
  struct Found {
    ElementType element = ElementType::kF32;
    std::span<const std::byte> values;
  };

  void ReadAt(std::size_t index, std::span<float> out) override {
    ConvertToFloat(found_[index].element, found_[index].values.data(), 1, out);
  }

  void FindLegacy(const Hdf5Object& root) {
    for (const std::string_view layer : Names(root, "layer_names")) {
      const Hdf5Object group = Child(root, layer);
      for (const std::string_view weight : Names(group, "weight_names")) {
        Add(LayerAndWeight(weight), ChildAt(group, weight));
      }
    }
  }

  // Every group `<layer>/vars` below `group`, as far down as models are nested.
  void FindLayers(const Hdf5Object& group, int depth) {
    if (depth > kDeepest) Refuse("its groups are nested too deeply");
    for (const auto& [name, address] : group.children) {
      if (name == "optimizer") continue;  // a checkpoint's, beside the weights
      const Hdf5Object child = objects_.Read(address);
      if (child.is_dataset) continue;
      if (const auto vars = child.FindChild("vars")) AddVars(name, objects_.Read(*vars));
      FindLayers(child, depth + 1);
    }
  }

  void AddVars(std::string_view layer, const Hdf5Object& vars) {
    const std::vector<std::string_view> own_name = Names(vars, "name");
    const std::string_view name = own_name.size() == 1 ? own_name[0] : layer;
    for (const auto& [number, address] : vars.children) {
      if (number.empty()) Refuse("a weight of layer '" + Printable(layer) + "' has no name");
      Add(std::string(name) + "/" + std::string(WeightName(layer, number)), objects_.Read(address));
    }
  }

  void Add(std::string name, const Hdf5Object& dataset) {
    if (found_.size() == kMostTensors) Refuse("holds more tensors than any model of Keras'");
    const std::span<const std::byte> values = objects_.Values(dataset, name);
    infos_.push_back({std::move(name), *dataset.shape});
    found_.push_back({dataset.type->element, values});
  }

  Hdf5Object Child(const Hdf5Object& group, std::string_view name) {
    const auto child = group.FindChild(name);
    if (!child) Refuse("'" + Printable(name) + "' is listed but not there");
    return objects_.Read(*child);
  }

  Hdf5Object ChildAt(const Hdf5Object& group, std::string_view path) {
    const std::size_t slash = path.find('/');
    if (slash == path.npos) return Child(group, path);
    Hdf5Object child = Child(group, path.substr(0, slash));
    for (path.remove_prefix(slash + 1); !path.empty();) {
      const std::string_view part = path.substr(0, path.find('/'));
      child = Child(child, part);
      path.remove_prefix(std::min(path.size(), part.size() + 1));
    }
    return child;
  }

  // An attribute of texts; Keras cuts long ones into <name>0, <name>1, ...
  std::vector<std::string_view> Names(const Hdf5Object& object, const std::string& name) {
    if (const auto whole = object.FindAttribute(name)) return objects_.Texts(*whole);
    std::vector<std::string_view> all;
    for (int part = 0;; ++part) {
      const auto attribute = object.FindAttribute(name + std::to_string(part));
      if (!attribute) return all;
      for (const std::string_view text : objects_.Texts(*attribute)) all.push_back(text);
    }
  }

  [[noreturn]] void Refuse(const std::string& what) const {
    throw Error(ErrorKind::kData, path().string() + ": " + what,
                "the file is damaged, or not one of Keras' weights: copy or download it again");
  }

  std::unique_ptr<MappedFile> file_;
  Hdf5Objects objects_;
  WeightsFormat format_ = WeightsFormat::kKerasLegacyH5;
  std::vector<TensorInfo> infos_;  // empty once constructed
  std::vector<Found> found_;       // in the order of tensors(), once constructed
};

}  // namespace

bool LooksLikeHdf5(std::span<const std::byte> file) { return Hdf5Objects::LooksLikeHdf5(file); }

std::unique_ptr<WeightsFile> OpenHdf5(const std::filesystem::path& path,
                                      std::unique_ptr<MappedFile> file) {
  return std::make_unique<Hdf5File>(path, std::move(file));
}

}  // namespace weir
