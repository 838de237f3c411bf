#include "tests/stages/model/backbones/drawn_networks.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>

#include "stages/model/backbones/mobilenet_v2.h"

namespace weir {
namespace {

// Writes down one operation after another; each reads the one before it unless told otherwise.
class Drawing {
 public:
  int last() const { return static_cast<int>(operations_.size()) - 1; }

  template <class Kind>
  int Then(Kind kind) {
    return Then(kind, last());
  }
  template <class Kind>
  int Then(Kind kind, int input) {
    const std::string name = "op_" + std::to_string(operations_.size());
    operations_.push_back(
        {.name = name, .block = name, .input = input, .segment = segment_, .kind = kind});
    return last();
  }

  void BeginSegment() { ++segment_; }

  DrawnNetwork Finish(std::string name, const Convention& convention, MapSize input) {
    Network network(std::move(operations_), input, convention);
    std::vector<LayerNames> names;
    for (int i = 0; i < network.size(); ++i) {
      names.push_back(NamesOf(network.layers()[i], "layer" + std::to_string(i)));
    }
    return {std::move(name), Backbone(kMobileNetV2, 1, std::move(network), std::move(names))};
  }

 private:
  static LayerNames NamesOf(const NetworkLayer& layer, const std::string& module) {
    if (layer.kind == NetworkLayer::Kind::kConv) {
      return PyTorchLayer(module + ".conv", module + ".norm");
    }
    LayerNames names;
    if (layer.has_weights()) {
      names.convolution = module;
      names.kernel = module + ".weight";
      names.beta = module + ".bias";
    }
    return names;
  }

  std::vector<Operation> operations_;
  int segment_ = 0;
};

constexpr Activate kRelu = {Nonlinearity::kRelu}, kRelu6 = {Nonlinearity::kRelu6};

void DrawChain(Drawing& draw) {
  draw.Then(Conv{.out_channels = 8, .kernel = 3, .stride = 2});
  draw.Then(kRelu6);
  draw.Then(Conv{.out_channels = 16});
  draw.Then(kRelu6);
  draw.Then(Conv{.out_channels = 16, .kernel = 3, .stride = 2, .groups = 16});
  draw.Then(kRelu6);
  draw.Then(Conv{.out_channels = 8});
}

void DrawAddThenActivate(Drawing& draw) {
  draw.Then(Conv{.out_channels = 8, .kernel = 3, .stride = 2});
  const int from = draw.Then(kRelu);
  draw.Then(Conv{.out_channels = 16});
  draw.Then(kRelu);
  draw.Then(Conv{.out_channels = 8});
  draw.Then(Add{.from = from});
  draw.Then(kRelu);
  draw.Then(Conv{.out_channels = 8, .kernel = 3});
  draw.Then(kRelu6);
}

void DrawActivateThenAdd(Drawing& draw) {
  draw.Then(Conv{.out_channels = 8, .kernel = 3, .stride = 2});
  const int from = draw.Then(kRelu6);
  draw.Then(Conv{.out_channels = 8});
  draw.Then(kRelu6);
  draw.Then(Add{.from = from});
  draw.Then(Conv{.out_channels = 8});
}

void DrawTwoAddsOnOneMap(Drawing& draw) {
  const int from = draw.Then(Conv{.out_channels = 8, .kernel = 3, .stride = 2});
  draw.Then(Conv{.out_channels = 16});
  draw.Then(kRelu6);
  draw.Then(Conv{.out_channels = 8});
  draw.Then(Add{.from = from});
  draw.Then(Conv{.out_channels = 16});
  draw.Then(kRelu6);
  draw.Then(Conv{.out_channels = 8});
  draw.Then(Add{.from = from});
}

// ResNet's block with its own 1x1 on the way past (He et al., 2016).
void DrawBranch(Drawing& draw) {
  draw.Then(Conv{.out_channels = 8, .kernel = 3, .stride = 2});
  const int in = draw.Then(kRelu);
  const int past = draw.Then(Conv{.out_channels = 16, .kernel = 1, .stride = 2});
  draw.Then(Conv{.out_channels = 8}, in);
  draw.Then(kRelu);
  draw.Then(Conv{.out_channels = 8, .kernel = 3, .stride = 2});
  draw.Then(kRelu);
  draw.Then(Conv{.out_channels = 16});
  draw.Then(Add{.from = past});
  draw.Then(kRelu);
}

// Squeeze-and-excitation as MobileNetV3 has it (Howard et al., 2019).
void DrawScale(Drawing& draw) {
  draw.Then(Conv{.out_channels = 8, .kernel = 3, .stride = 2});
  const int map = draw.Then(Activate{Nonlinearity::kHardSwish});
  draw.Then(GlobalPool{});
  draw.Then(Dense{.units = 4});
  draw.Then(kRelu);
  draw.Then(Dense{.units = 8});
  const int factors = draw.Then(Activate{Nonlinearity::kHardSigmoid});
  draw.Then(Scale{.from = factors}, map);
  draw.Then(Conv{.out_channels = 8});
}

void DrawGroupsAndDilation(Drawing& draw) {
  draw.Then(Conv{.out_channels = 16, .kernel = 3, .stride = 2});
  draw.Then(kRelu6);
  draw.Then(Conv{.out_channels = 16, .kernel = 3, .groups = 2});
  draw.Then(kRelu6);
  draw.Then(Conv{.out_channels = 16, .kernel = 5, .groups = 16});
  draw.Then(kRelu6);
  draw.Then(Conv{.out_channels = 8, .kernel = 3, .dilation = 2});
}

void DrawMaxPool(Drawing& draw) {
  draw.Then(Conv{.out_channels = 8, .kernel = 7, .stride = 2});
  draw.Then(kRelu);
  draw.Then(MaxPool{.kernel = 3, .stride = 2});
  draw.Then(Conv{.out_channels = 8});
}

// Each segment ends in a function whose slope is found from what it read, and begins with a stride.
void DrawSegments(Drawing& draw) {
  draw.Then(Conv{.out_channels = 8, .kernel = 3, .stride = 2});
  draw.Then(Activate{Nonlinearity::kHardSwish});
  draw.BeginSegment();
  draw.Then(Conv{.out_channels = 16, .kernel = 3, .stride = 2});
  draw.Then(kRelu6);
  draw.Then(Conv{.out_channels = 8});
  draw.Then(Activate{Nonlinearity::kSilu});
  draw.BeginSegment();
  draw.Then(Conv{.out_channels = 8, .kernel = 3, .stride = 2});
  draw.Then(Activate{Nonlinearity::kSigmoid});
  draw.Then(Conv{.out_channels = 8});
}

void DrawNonlinearity(Drawing& draw, Nonlinearity function) {
  draw.Then(Conv{.out_channels = 8, .kernel = 3, .stride = 2});
  draw.Then(Activate{function});
  draw.Then(Conv{.out_channels = 8});
}

double Apply(Nonlinearity function, double x) {
  const double hard_sigmoid = std::clamp(x / 6 + 0.5, 0.0, 1.0);
  const double sigmoid = 1 / (1 + std::exp(-x));
  switch (function) {
    case Nonlinearity::kRelu:
      return std::max(x, 0.0);
    case Nonlinearity::kRelu6:
      return std::clamp(x, 0.0, 6.0);
    case Nonlinearity::kHardSigmoid:
      return hard_sigmoid;
    case Nonlinearity::kHardSwish:
      return x * hard_sigmoid;
    case Nonlinearity::kSigmoid:
      return sigmoid;
    case Nonlinearity::kSilu:
      return x * sigmoid;
  }
  return x;
}

ExactMap Empty(MapSize size, int channels) {
  return {size, channels,
          std::vector<double>(static_cast<std::size_t>(size.height) * size.width * channels)};
}

// Calls `visit` with each tap of a window that lies inside the map.
void ForEachTap(const ExactMap& map, const NetworkLayer& layer, const Pads& pads, int y, int x,
                const std::function<void(int ky, int kx, int in_y, int in_x)>& visit) {
  for (int ky = 0; ky < layer.kernel; ++ky) {
    for (int kx = 0; kx < layer.kernel; ++kx) {
      const int in_y = y * layer.stride + ky * layer.dilation - pads.top;
      const int in_x = x * layer.stride + kx * layer.dilation - pads.left;
      const bool is_inside =
          in_y >= 0 && in_y < map.size.height && in_x >= 0 && in_x < map.size.width;
      if (is_inside) visit(ky, kx, in_y, in_x);
    }
  }
}

ExactMap Convolve(const ExactMap& map, const NetworkLayer& layer, MapSize size, const Pads& pads,
                  const ConvWeights& weights, double epsilon) {
  ExactMap out = Empty(size, layer.out_channels);
  const int inputs = layer.in_channels / layer.groups;
  const int outputs = layer.out_channels / layer.groups;
  for (int c = 0; c < layer.out_channels; ++c) {
    const bool has_norm = !weights.gamma.empty();
    const double factor =
        has_norm ? weights.gamma[c] / std::sqrt(weights.variance[c] + epsilon) : 1;
    const double mean = has_norm ? weights.mean[c] : 0;
    for (int y = 0; y < size.height; ++y) {
      for (int x = 0; x < size.width; ++x) {
        double sum = 0;
        ForEachTap(map, layer, pads, y, x, [&](int ky, int kx, int in_y, int in_x) {
          for (int i = 0; i < inputs; ++i) {
            const std::size_t tap =
                ((static_cast<std::size_t>(c) * inputs + i) * layer.kernel + ky) * layer.kernel +
                kx;
            sum += map.at(in_y, in_x, c / outputs * inputs + i) * weights.kernel[tap];
          }
        });
        out.at(y, x, c) = (sum - mean) * factor + weights.beta[c];
      }
    }
  }
  return out;
}

ExactMap Pool(const ExactMap& map, const NetworkLayer& layer, MapSize size, const Pads& pads) {
  ExactMap out = Empty(size, map.channels);
  for (int c = 0; c < map.channels; ++c) {
    for (int y = 0; y < size.height; ++y) {
      for (int x = 0; x < size.width; ++x) {
        double largest = -std::numeric_limits<double>::infinity();
        ForEachTap(map, layer, pads, y, x, [&](int, int, int in_y, int in_x) {
          largest = std::max(largest, map.at(in_y, in_x, c));
        });
        out.at(y, x, c) = largest;
      }
    }
  }
  return out;
}

ExactMap Mean(const ExactMap& map) {
  ExactMap out = Empty({1, 1}, map.channels);
  const double pixels = static_cast<double>(map.size.height) * map.size.width;
  for (std::size_t i = 0; i < map.values.size(); ++i) {
    out.values[i % map.channels] += map.values[i] / pixels;
  }
  return out;
}

}  // namespace

std::vector<DrawnNetwork> DrawnNetworks(const Convention& convention, MapSize input) {
  const std::pair<const char*, void (*)(Drawing&)> kinds[] = {
      {"a chain", DrawChain},
      {"add, then activate", DrawAddThenActivate},
      {"activate, then add", DrawActivateThenAdd},
      {"two adds on one map", DrawTwoAddsOnOneMap},
      {"a branch", DrawBranch},
      {"a scale", DrawScale},
      {"groups and dilation", DrawGroupsAndDilation},
      {"a max pool", DrawMaxPool},
      {"segments", DrawSegments},
  };
  std::vector<DrawnNetwork> networks;
  for (const auto& [name, draw] : kinds) {
    Drawing drawing;
    draw(drawing);
    networks.push_back(drawing.Finish(name, convention, input));
  }
  for (const Nonlinearity function :
       {Nonlinearity::kRelu, Nonlinearity::kRelu6, Nonlinearity::kHardSigmoid,
        Nonlinearity::kHardSwish, Nonlinearity::kSigmoid, Nonlinearity::kSilu}) {
    Drawing drawing;
    DrawNonlinearity(drawing, function);
    networks.push_back(drawing.Finish(std::string(Name(function)), convention, input));
  }
  return networks;
}

ExactMap RunExactly(const Network& network, const LayerReader& weights, const ExactMap& picture) {
  std::vector<ExactMap> maps;
  for (std::size_t i = 0; i < network.operations().size(); ++i) {
    const Operation& operation = network.operations()[i];
    const int index = network.layer_of(static_cast<int>(i));
    const NetworkLayer& layer = network.layers()[index];
    const MapSize size = network.output_size(index);
    const ExactMap& input = operation.input < 0 ? picture : maps[operation.input];
    ExactMap out = input;
    if (std::holds_alternative<Conv>(operation.kind) ||
        std::holds_alternative<Dense>(operation.kind)) {
      out = Convolve(input, layer, size, network.pads(index), weights(index),
                     network.convention().batch_norm_epsilon);
    } else if (std::holds_alternative<MaxPool>(operation.kind)) {
      out = Pool(input, layer, size, network.pads(index));
    } else if (std::holds_alternative<GlobalPool>(operation.kind)) {
      out = Mean(input);
    } else if (const auto* activate = std::get_if<Activate>(&operation.kind)) {
      for (double& value : out.values) value = Apply(activate->function, value);
    } else if (const auto* add = std::get_if<Add>(&operation.kind)) {
      for (std::size_t v = 0; v < out.values.size(); ++v) {
        out.values[v] += maps[add->from].values[v];
      }
    } else if (const auto* scale = std::get_if<Scale>(&operation.kind)) {
      for (std::size_t v = 0; v < out.values.size(); ++v) {
        out.values[v] *= maps[scale->from].values[v % out.channels];
      }
    }
    maps.push_back(std::move(out));
  }
  return maps.back();
}

ExactMap Fed(const Network& network, const std::vector<std::uint8_t>& pixels) {
  ExactMap picture = Empty(network.input(), 3);
  const Preprocessing& preprocessing = network.convention().preprocessing;
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    picture.values[i] =
        pixels[i] * double{preprocessing.scale[i % 3]} + preprocessing.offset[i % 3];
  }
  return picture;
}

}  // namespace weir
