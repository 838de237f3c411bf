#include "stages/model/export/formats/tflite/tflite_windows.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace weir {
namespace {

using tflite::Operator;
using tflite::Padding;

// What SAME puts before and behind: as much as it takes for a window at each stride, the smaller
// half before (tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2).
std::array<int, 2> SamePads(int size, const TfliteWindows& windows) {
  const int reach = (windows.kernel - 1) * windows.dilation + 1;
  const int outputs = (size + windows.stride - 1) / windows.stride;
  const int all = std::max((outputs - 1) * windows.stride + reach - size, 0);
  return {all / 2, all - all / 2};
}

// Empty where neither is meant.
std::optional<Padding> PaddingOf(const Shape& map, const TfliteWindows& windows) {
  const Pads& pads = windows.pads;
  if (pads == Pads{}) return Padding::kValid;
  const auto rows = SamePads(static_cast<int>(map[0]), windows);
  const auto columns = SamePads(static_cast<int>(map[1]), windows);
  if (pads == Pads{rows[0], columns[0], rows[1], columns[1]}) return Padding::kSame;
  return std::nullopt;
}

// The pads before and behind each of the axes [N, h, w, C].
int AddPads(const TfliteWindows& windows, TfliteGraph& graph) {
  const Pads& pads = windows.pads;
  const std::array<std::int32_t, 8> sizes = {0,         0,          pads.top, pads.bottom,
                                             pads.left, pads.right, 0,        0};
  return graph.AddInts(windows.name + ".pads", {4, 2}, sizes);
}

// A value of the same kind as the map, and as much larger as the pads make it.
int AddPadded(const TfliteGraph::Tensor& map, const std::string& name, const Shape& shape,
              const Pads& pads, TfliteGraph& graph) {
  return graph.AddValue(
      name, map.type,
      {shape[0] + pads.top + pads.bottom, shape[1] + pads.left + pads.right, shape[2]},
      map.quantization);
}

}  // namespace

TfliteWindowed Windowed(int tensor, const TfliteWindows& windows, TfliteGraph& graph) {
  const TfliteGraph::Tensor map = graph.tensors()[tensor];
  if (const auto padding = PaddingOf(map.shape, windows)) return {tensor, *padding};
  const int sizes = AddPads(windows, graph);
  const int padded = AddPadded(map, windows.name + ".padded", map.shape, windows.pads, graph);
  graph.AddOperator(Operator::kPad, {tensor, sizes}, {padded});
  return {padded};
}

TfliteWindowed WindowedForMax(int tensor, const TfliteWindows& windows, TfliteGraph& graph) {
  const TfliteGraph::Tensor map = graph.tensors()[tensor];
  if (const auto padding = PaddingOf(map.shape, windows)) return {tensor, *padding};
  const int sizes = AddPads(windows, graph);
  constexpr float kLowest = std::numeric_limits<float>::lowest();
  const int lowest = graph.AddFloats(windows.name + ".lowest", {}, {&kLowest, 1});
  const int padded = AddPadded(map, windows.name + ".padded", map.shape, windows.pads, graph);
  graph.AddOperator(Operator::kPadV2, {tensor, sizes, lowest}, {padded});
  return {padded};
}

TfliteWindowed WindowedByChannel(int tensor, const TfliteWindows& windows,
                                 const PictureOffsets& offsets, TfliteGraph& graph) {
  if (windows.pads == Pads{} || offsets == PictureOffsets{}) {
    return Windowed(tensor, windows, graph);
  }
  const TfliteGraph::Tensor map = graph.tensors()[tensor];
  const std::int32_t axis = 3;
  const Shape one = {map.shape[0], map.shape[1], 1};
  const int sizes = AddPads(windows, graph);
  std::vector<int> channels, padded;
  for (std::size_t c = 0; c < offsets.size(); ++c) {
    const std::string name = windows.name + "." + std::to_string(c);
    channels.push_back(graph.AddValue(name, map.type, one, map.quantization));
  }
  graph.AddOperator(
      Operator::kSplit, {graph.AddInts(windows.name + ".axis", {}, {&axis, 1}), tensor}, channels,
      TfliteOptions(tflite::OptionsType::kSplit).Set(tflite::SplitField::kSplits, std::int32_t{3}));
  for (std::size_t c = 0; c < offsets.size(); ++c) {
    const std::string& name = graph.tensors()[channels[c]].name;
    const int zero = graph.AddByte(
        name + ".zero", static_cast<std::int8_t>(map.quantization.value().zero + offsets.at(c)),
        *map.quantization);
    padded.push_back(AddPadded(map, name + ".padded", one, windows.pads, graph));
    graph.AddOperator(Operator::kPadV2, {channels[c], sizes, zero}, {padded[c]});
  }
  const int whole = AddPadded(map, windows.name + ".padded", map.shape, windows.pads, graph);
  graph.AddOperator(Operator::kConcatenation, padded, {whole},
                    TfliteOptions(tflite::OptionsType::kConcatenation)
                        .Set(tflite::ConcatenationField::kAxis, axis));
  return {whole};
}

}  // namespace weir
