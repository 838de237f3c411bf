#include "stages/model/weights/hdf5_reader.h"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "framework/error.h"
#include "framework/text.h"
#include "stages/model/weights/containers/element_type.h"
#include "stages/model/weights/containers/hdf5_objects.h"

namespace weir {
namespace {

constexpr int kDeepest = 16;  // groups inside groups: models inside models
constexpr std::size_t kMostTensors = 10'000;
constexpr std::size_t kMostNameBytes = std::size_t{4} << 20;  // all tensors together

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

// Keras' names of the groups that hold a model's layers, which say nothing of whose they are.
bool IsListOfLayers(std::string_view group) {
  return group == "layers" || group == "_layer_checkpoint_dependencies";
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
  Hdf5File(const std::filesystem::path& path, std::unique_ptr<MappedFile> file,
           std::span<const std::byte> bytes)
      : WeightsFile(path), file_(std::move(file)), objects_(bytes, path.string()) {
    const Hdf5Object root = objects_.Read(objects_.root());
    if (const auto model = root.FindChild("model_weights")) {
      FindLegacy(objects_.Read(*model));
    } else if (!Names(root, "layer_names").empty()) {
      FindLegacy(root);
    } else {
      FindLayers(root, "", 0);
    }
    if (found_.empty()) Refuse("holds no weights in either of Keras' layouts");
    std::vector<Found> sorted;
    for (const std::size_t i : SetTensors(std::move(infos_))) sorted.push_back(found_[i]);
    found_ = std::move(sorted);
  }

 private:
  struct Found {
    ElementType element = ElementType::kF32;
    std::span<const std::byte> values = {};
  };

  void ReadAt(std::size_t index, std::span<float> out) override {
    ConvertToFloat(found_[index].element, found_[index].values.data(), 1, out);
  }

  void FindLegacy(const Hdf5Object& root) {
    for (const std::string_view layer : Names(root, "layer_names")) {
      const Hdf5Object group = Child(root, layer);
      const std::string prefix = std::string(layer) + "/";
      for (const std::string_view weight : Names(group, "weight_names")) {
        const std::string name = LayerAndWeight(weight);
        const bool is_nested = !name.starts_with(prefix);  // `layer` is a model of its own
        Add(is_nested ? prefix : "", name, ChildAt(group, weight));
      }
    }
  }

  // Every group `<layer>/vars` below `group`, as far down as models are nested. `models` are the
  // names of those that it lies in, with a slash behind each.
  void FindLayers(const Hdf5Object& group, const std::string& models, int depth) {
    if (depth > kDeepest) Refuse("its groups are nested too deeply");
    for (const auto& [name, address] : group.children) {
      if (name == "optimizer") continue;  // a checkpoint's, beside the weights
      const Hdf5Object child = objects_.Read(address);
      if (child.is_dataset) continue;
      std::string own_name(name);
      if (const auto vars = child.FindChild("vars")) {
        const Hdf5Object weights = objects_.Read(*vars);
        const std::vector<std::string_view> given = Names(weights, "name");
        if (given.size() == 1) own_name = given[0];
        AddVars(models, own_name, name, weights);
      }
      FindLayers(child, IsListOfLayers(name) ? models : models + own_name + "/", depth + 1);
    }
  }

  // `kind` is the layer's group, which Keras names after its class: "batch_normalization_3".
  void AddVars(const std::string& models, const std::string& layer, std::string_view kind,
               const Hdf5Object& vars) {
    for (const auto& [number, address] : vars.children) {
      if (number.empty()) Refuse("a weight of layer '" + Printable(kind) + "' has no name");
      Add(models, layer + "/" + std::string(WeightName(kind, number)), objects_.Read(address));
    }
  }

  void Add(const std::string& models, const std::string& key, const Hdf5Object& dataset) {
    if (found_.size() == kMostTensors) Refuse("holds more tensors than any model of Keras'");
    TensorInfo info{.name = models + key, .group_bytes = models.size()};
    name_bytes_ += info.name.size();
    if (name_bytes_ > kMostNameBytes) Refuse("has names longer than those of any model of Keras'");
    Found found{.values = objects_.Values(dataset, info.unread)};
    if (info.unread.empty()) {
      info.shape = *dataset.shape;
      found.element = dataset.type->element;
      info.is_floating = IsFloating(found.element);
    }
    infos_.push_back(std::move(info));
    found_.push_back(found);
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
  std::vector<TensorInfo> infos_;  // empty once constructed
  std::size_t name_bytes_ = 0;
  std::vector<Found> found_;  // in the order of tensors(), once constructed
};

constexpr std::string_view kEndings[] = {".h5", ".weights.h5"};

}  // namespace

constinit const WeightsFormat kHdf5Format = {
    .whose = "a Keras",
    .endings = kEndings,
    .is_of_keras = true,
    .matches = [](const WeightsContent& it) { return Hdf5Objects::LooksLikeHdf5(it.bytes()); },
    .open =
        [](WeightsContent content) {
          const std::span<const std::byte> bytes = content.bytes();
          return OpenHdf5(content.path, std::move(content.file), bytes);
        },
};

std::unique_ptr<WeightsFile> OpenHdf5(const std::filesystem::path& path,
                                      std::unique_ptr<MappedFile> file,
                                      std::span<const std::byte> bytes) {
  return std::make_unique<Hdf5File>(path, std::move(file), bytes);
}

}  // namespace weir
