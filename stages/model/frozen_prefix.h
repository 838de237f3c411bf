// The frozen front of the model: a picture in, features out.
//
//   PrefixOptions options{.last_layer = 51, .pooling = Pooling::kAverage};
//   auto prefix = MakeOneDnnPrefix(model, weights, options);
//   auto workspace = prefix->MakeWorkspace();
//   prefix->Run(pixels, *workspace, features);
//
// A prefix is immutable: any number of threads may Run it, each with a workspace of its own. A
// sample is computed alone, so its bits depend on nothing else. Run allocates no map: oneDNN's
// lists of arguments, under 1 KB, come and go in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "stages/model/backbones/backbone_weights.h"
#include "stages/model/backbones/network.h"
#include "stages/model/head/pooling.h"
#include "stages/model/precision.h"

namespace weir {

// What int8 needs to know of a map.
struct MapStatistics {
  float scale = 1;           // what 1 stands for in bytes
  std::vector<float> means;  // [C], in the map's own unit
  bool operator==(const MapStatistics&) const = default;
};

// Sees the map [H, W, C] that `layer` made.
using MapWatcher = std::function<void(int layer, const float* map)>;

struct PrefixOptions {
  int last_layer = 0;  // index in Network::layers(); this one and all before it are run
  Pooling pooling = Pooling::kNone;
  Precision precision = Precision::kFloat32;
  Preprocessing preprocessing{};  // usually the model's convention's
  // For int8: those behind each layer that is run, or more; measured (quantization.h).
  std::shared_ptr<const std::vector<MapStatistics>> maps{};
  MapWatcher watch{};  // for float32 by oneDNN: called in Run, by its thread, layer after layer
};

class FrozenPrefix {
 public:
  // What one thread needs to run: activations and scratch.
  class Workspace {
   public:
    virtual ~Workspace() = default;
  };

  virtual ~FrozenPrefix() = default;

  virtual std::size_t weights_bytes() const = 0;    // held by the prefix, packed
  virtual std::size_t workspace_bytes() const = 0;  // held by each workspace
  virtual std::size_t output_values() const = 0;    // floats that Run writes

  virtual std::unique_ptr<Workspace> MakeWorkspace() const = 0;

  // `pixels` is uint8 [H, W, 3] of the model's input size, `output` float32 [h, w, C], or [C] if
  // pooled. `workspace` is one of this prefix's and in use by no other thread.
  virtual void Run(const std::uint8_t* pixels, Workspace& workspace, float* output) const = 0;
};

}  // namespace weir
