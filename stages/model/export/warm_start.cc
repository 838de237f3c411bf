#include "stages/model/export/warm_start.h"

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "framework/config/suggestion.h"
#include "framework/error.h"
#include "framework/shape.h"
#include "framework/text.h"
#include "stages/sources/listing/lookalikes.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kShownClasses = 5;

std::string BackboneText(const BackboneConfig& backbone) {
  return backbone.name + " of width " + Bound(backbone.width).text;
}

void CheckBackbone(const ModelConfig& config, const ModelSource& saved, const fs::path& folder) {
  const std::string there = BackboneText(saved.config.backbone);
  const std::string here = BackboneText(config.backbone);
  if (there != here) {
    throw Error(ErrorKind::kConfig,
                "model.from: " + folder.string() + " is a model with a " + there +
                    ", and model.backbone declares a " + here,
                "Declare the backbone of that run, or begin with other weights.");
  }
  const bool pads_like_keras = saved.convention.padding == Padding::kSame;
  const ConventionChoice is =
      pads_like_keras ? ConventionChoice::kKeras : ConventionChoice::kTorchvision;
  if (config.backbone.convention == ConventionChoice::kAuto || config.backbone.convention == is) {
    return;
  }
  throw Error(ErrorKind::kConfig,
              "model.from: " + folder.string() + " pads as " +
                  (pads_like_keras ? "Keras" : "torchvision") +
                  " does, and model.backbone.convention says otherwise",
              "Leave `convention` out.");
}

// The head of a saved model, whose arrays begin another one's.
class SavedHead {
 public:
  using Load = decltype(ModelSource::load_head);

  SavedHead(SavedModel saved, fs::path folder)
      : folder_(std::move(folder)),
        load_(std::move(saved.source.load_head)),
        classes_(std::move(saved.classes)) {
    const Model model(saved.source.config, saved.source.convention, saved.input, classes_,
                      /*seed=*/0);
    for (std::size_t i = 0; i < classes_.size(); ++i) row_of_.emplace(Composed(classes_[i]), i);
    for (int i = 0; i < static_cast<int>(model.head().size()); ++i) {
      for (const HeadArray& array : model.head_arrays(i)) {
        shapes_.emplace(HeadArrayName(i, array.name), array.shape);
      }
    }
  }

  // What Values takes beside what it gives: an array as it was saved.
  std::size_t bytes() const {
    std::size_t most = 0;
    for (const auto& [name, shape] : shapes_) {
      most = std::max(most, static_cast<std::size_t>(ValuesIn(shape)) * sizeof(float));
    }
    return most;
  }

  // What is said of it before a run begins. Throws Error(kConfig) where it does not fit.
  std::vector<std::string> About(const Model& model) const {
    CheckShapes(model);
    std::vector<std::string> drawn;
    for (const std::string& name : model.classes()) {
      if (!row_of_.contains(Composed(name))) drawn.push_back(InBackticks(Printable(name)));
    }
    const std::size_t taken = model.classes().size() - drawn.size();
    const std::size_t left = classes_.size() - taken;
    std::string line = "model: from " + folder_.string() + ", backbone and head; " +
                       std::to_string(taken) + " of " + std::to_string(model.classes().size()) +
                       " classes go on";
    const char* const begin = drawn.size() == 1 ? " begins anew" : " begin anew";
    if (!drawn.empty()) line += ", " + Shortened(std::move(drawn)) + begin;
    if (left > 0) line += ", " + std::to_string(left) + " of its classes are left out";
    return {line};
  }

  std::vector<float> Values(const Model& model, int layer, const HeadArray& array,
                            const std::function<std::vector<float>()>& initial) const {
    const std::string name = HeadArrayName(layer, array.name);
    if (!IsByClass(model, layer)) return load_(model, layer, array, initial);
    HeadArray there = array;
    there.shape = shapes_.at(name);
    const std::vector<float> saved = load_(model, layer, there, {});
    std::vector<float> values = initial();
    const std::size_t row = there.values() / classes_.size();
    for (std::size_t i = 0; i < model.classes().size(); ++i) {
      const auto found = row_of_.find(Composed(model.classes()[i]));
      if (found == row_of_.end()) continue;
      std::copy_n(saved.begin() + static_cast<std::ptrdiff_t>(found->second * row), row,
                  values.begin() + static_cast<std::ptrdiff_t>(i * row));
    }
    return values;
  }

 private:
  // Whether the first dimension of a layer's arrays is that of the classes: behind the last layer
  // that changes how many values there are.
  static bool IsByClass(const Model& model, int layer) {
    const auto classes = static_cast<std::int64_t>(model.classes().size());
    for (int i = static_cast<int>(model.head().size()) - 1; i >= layer; --i) {
      if (model.head_output_dims(i) != Shape{classes}) return false;
      const bool makes_them = std::ranges::any_of(
          model.head_arrays(i), [](const HeadArray& array) { return array.shape.size() > 1; });
      if (makes_them) return i == layer;
    }
    return true;
  }

  void CheckShapes(const Model& model) const {
    std::map<std::string, Shape> wanted;
    for (int i = 0; i < static_cast<int>(model.head().size()); ++i) {
      const bool is_by_class = IsByClass(model, i);
      for (const HeadArray& array : model.head_arrays(i)) {
        Shape shape = array.shape;
        if (is_by_class) shape[0] = static_cast<std::int64_t>(classes_.size());
        wanted.emplace(HeadArrayName(i, array.name), shape);
      }
    }
    for (const auto& [name, shape] : wanted) {
      const auto there = shapes_.find(name);
      if (there == shapes_.end()) Refuse("has no " + name);
      if (there->second != shape) {
        Refuse("has " + name + " of " + ToText(there->second) + ", and here it has " +
               ToText(shape));
      }
    }
    for (const auto& [name, shape] : shapes_) {
      if (!wanted.contains(name))
        Refuse("has " + name + " of " + ToText(shape) + ", which is not there here");
    }
  }

  [[noreturn]] void Refuse(const std::string& what) const {
    throw Error(ErrorKind::kConfig,
                "model.from: the head of " + folder_.string() +
                    " is another than the one of model.head: it " + what,
                "Declare the head of that run, or take its backbone alone: "
                "model.backbone.weights: " +
                    (folder_ / "model.safetensors").string());
  }

  static std::string Shortened(std::vector<std::string> names) {
    const std::size_t all = names.size();
    if (all > kShownClasses) {
      names.resize(kShownClasses);
      names.push_back(std::to_string(all - kShownClasses) + " more");
    }
    return Enumerate(names);
  }

  const fs::path folder_;
  const Load load_;
  const std::vector<std::string> classes_;
  std::unordered_map<std::string, std::size_t> row_of_;  // by the class' name, composed
  std::map<std::string, Shape> shapes_;                  // by the array's name
};

}  // namespace

fs::path ModelFolderOf(const fs::path& from) {
  std::error_code unknown;
  for (const fs::path& folder : {from, from / "model"}) {
    if (fs::exists(folder / "model.json", unknown)) return folder;
  }
  throw Error(ErrorKind::kData, "model.from: " + from.string() + " holds no model",
              "Give the folder of a run that is done, or its model/.");
}

std::shared_ptr<ModelSource> WarmStart(const ModelConfig& config, SavedModel saved,
                                       const fs::path& folder) {
  CheckBackbone(config, saved.source, folder);
  auto source = std::make_shared<ModelSource>();
  source->config = config;
  source->config.backbone.weights = saved.source.config.backbone.weights;
  if (!config.preprocessing) source->config.preprocessing = saved.source.config.preprocessing;
  source->convention = saved.source.convention;
  source->open_backbone = std::move(saved.source.open_backbone);
  source->opening_bytes = saved.source.opening_bytes;
  const auto head = std::make_shared<const SavedHead>(std::move(saved), folder);
  source->head_bytes = head->bytes();
  source->about = [head](const Model& model) { return head->About(model); };
  source->load_head = [head](const Model& model, int layer, const HeadArray& array,
                             const std::function<std::vector<float>()>& initial) {
    return head->Values(model, layer, array, initial);
  };
  return source;
}

}  // namespace weir
