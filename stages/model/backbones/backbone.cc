#include "stages/model/backbones/backbone.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include "framework/error.h"
#include "stages/model/backbones/mobilenet_v2.h"

namespace weir {
namespace {

constexpr const BackboneKind* kBackbones[] = {
    &kMobileNetV2,
};

void Check(const BackboneKind& kind, double width, MapSize input) {
  if (!(width > 0 && width <= kind.largest_width)) {
    std::ostringstream what;
    what << kind.name << ": width " << width << " is outside (0, " << kind.largest_width << "]";
    throw Error(
        ErrorKind::kConfig, what.str(),
        "Set width to the alpha that the weights were made with, such as 0.35, 1.0 or 1.4.");
  }
  const int side = kind.smallest_side;
  if (input.height < side || input.width < side) {
    std::ostringstream what;
    what << kind.name << ": an input of " << input.height << " x " << input.width
         << " pixels is smaller than " << side << " x " << side;
    throw Error(ErrorKind::kConfig, what.str(), "Give it larger pictures; 224 x 224 is usual.");
  }
}

// From one LayerNames for each layer with weights to one for each layer.
std::vector<LayerNames> SpreadOut(std::vector<LayerNames> names, const Network& network) {
  std::vector<LayerNames> spread(network.size());
  auto next = names.begin();
  for (int i = 0; i < network.size(); ++i) {
    if (network.layers()[i].has_weights()) spread[i] = std::move(*next++);
  }
  return spread;
}

Backbone Build(const BackboneKind& kind, double width, MapSize input,
               const Convention& convention) {
  Check(kind, width, input);
  BackboneParts parts = kind.parts(width);
  Network network(std::move(parts.operations), input, convention);
  std::vector<LayerNames> names = SpreadOut(std::move(parts.namings.front().layers), network);
  return Backbone(kind, width, std::move(network), std::move(names));
}

// Whether `name` is `module` or a module that holds it, as PyTorch names them ("features.2").
bool HoldsModule(std::string_view name, std::string_view module) {
  return module.starts_with(name) && (module.size() == name.size() || module[name.size()] == '.');
}

}  // namespace

std::span<const BackboneKind* const> Backbones() { return kBackbones; }

const BackboneKind& FindBackbone(std::string_view name) {
  const auto found = std::ranges::find(kBackbones, name, &BackboneKind::name);
  if (found == std::end(kBackbones)) {
    throw Error(ErrorKind::kInternal, "there is no backbone " + std::string(name));
  }
  return **found;
}

Backbone::Backbone(const BackboneKind& kind, double width, MapSize input,
                   const Convention& convention)
    : Backbone(Build(kind, width, input, convention)) {}

Backbone::Backbone(const BackboneKind& kind, double width, Network network,
                   std::vector<LayerNames> names)
    : kind_(&kind), width_(width), network_(std::move(network)), names_(std::move(names)) {}

std::vector<Naming> Backbone::namings() const {
  std::vector<Naming> namings = kind_->parts(width_).namings;
  for (Naming& naming : namings) naming.layers = SpreadOut(std::move(naming.layers), network_);
  return namings;
}

int Backbone::Find(std::string_view name) const {
  if (name.empty()) return -1;
  const std::vector<Operation>& operations = network_.operations();
  const std::vector<Naming> namings = this->namings();
  for (int i = static_cast<int>(operations.size()) - 1; i >= 0; --i) {
    const int layer = network_.layer_of(i);
    if (name == operations[i].name || name == operations[i].block) return layer;
    for (const Naming& naming : namings) {
      if (!naming.names_layers) continue;
      const LayerNames& names = naming.layers[layer];
      if (HoldsModule(name, names.convolution) || HoldsModule(name, names.batch_norm)) return layer;
    }
  }
  return -1;
}

}  // namespace weir
