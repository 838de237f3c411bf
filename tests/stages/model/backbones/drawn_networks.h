// Small networks that between them have every operation, and what they compute by the definition of
// each operation: the contract that all readers of a Network are held to.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "stages/model/backbones/backbone.h"
#include "tests/support/whole_backbone.h"

namespace weir {

struct DrawnNetwork {
  std::string name;
  Backbone backbone;
  const Network& network() const { return backbone.network(); }
};

// The size of the pictures is odd, so that neither side is a multiple of 2.
std::vector<DrawnNetwork> DrawnNetworks(const Convention& convention, MapSize input = {21, 15});

// A map [h, w, C] in double.
struct ExactMap {
  MapSize size{};
  int channels = 0;
  std::vector<double> values{};
  double& at(int y, int x, int c) {
    return values[(static_cast<std::size_t>(y) * size.width + x) * channels + c];
  }
  double at(int y, int x, int c) const { return const_cast<ExactMap*>(this)->at(y, x, c); }
};

// What a network makes of one picture, operation by operation, in double.
ExactMap RunExactly(const Network& network, const LayerReader& weights, const ExactMap& picture);

// uint8 [H, W, 3] as the network is fed it.
ExactMap Fed(const Network& network, const std::vector<std::uint8_t>& pixels);

}  // namespace weir
