// The backbones that there are, in one list, and one of them as it is declared: its network, and
// what its publishers call the parts of it.
//
//   const Backbone backbone(FindBackbone(name), 1.0, {224, 224}, Convention::Keras());
//
// A backbone is one file, which gives a row of the list. Holds some 50 KB; immutable; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stages/model/backbones/layer_names.h"
#include "stages/model/backbones/network.h"
#include "stages/model/backbones/published_weights.h"

namespace weir {

struct BackboneParts {
  std::vector<Operation> operations;
  // Naming::layers has one element for each operation with weights here, in their order. The first
  // naming is the one that weir writes.
  std::vector<Naming> namings;
};

// A row of the list.
struct BackboneKind {
  std::string_view name;      // in the YAML, in small letters
  std::string_view title;     // as its paper writes it
  std::string_view blocks;    // examples of blocks, for advice: "block_12 or features.13"
  std::string_view patterns;  // examples of patterns: "block_1_* or features.3"
  double largest_width;       // above 0 and up to this
  std::span<const PublishedWeights> published;
  std::uint64_t largest_file_bytes;  // no published file is longer
  int smallest_side;                 // a picture's sides have at least so many pixels
  BackboneParts (*parts)(double width);
};

// The first is the one that a configuration means where it names none.
std::span<const BackboneKind* const> Backbones();

// Throws Error(kInternal) where there is none of that name: a configuration is checked before.
const BackboneKind& FindBackbone(std::string_view name);

class Backbone {
 public:
  // Throws Error(kConfig) where the width or the picture is outside what the kind allows.
  Backbone(const BackboneKind& kind, double width, MapSize input, const Convention& convention);

  // Takes a network as it is; `names` has an element for each of its layers.
  Backbone(const BackboneKind& kind, double width, Network network, std::vector<LayerNames> names);

  const BackboneKind& kind() const { return *kind_; }
  double width() const { return width_; }
  const Network& network() const { return network_; }
  // What weir calls the layer's parts in the files that it writes.
  const LayerNames& names(int layer) const { return names_[layer]; }
  // What all publishers call them, made anew at each call (300 KB), weir's own first.
  std::vector<Naming> namings() const;

  // The last layer that `name` covers: an operation, a batch norm, a block, or a module that holds
  // them, in any naming that names layers ("block_13_add", "features.14.conv.0", "blocks.5"). -1 if
  // there is none.
  int Find(std::string_view name) const;

 private:
  const BackboneKind* kind_;
  double width_;
  Network network_;
  std::vector<LayerNames> names_;
};

}  // namespace weir
