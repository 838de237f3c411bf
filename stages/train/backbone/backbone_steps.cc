#include "stages/train/backbone/backbone_steps.h"

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <utility>

namespace weir {
namespace {

using Kind = TrainingStep::Kind;
using LayerKind = NetworkLayer::Kind;

constexpr int kNone = -1;
// How many copies of its kernel a convolution in LibTorch takes in passing, in the order of
// channels and in the blocks that oneDNN wants; measured.
constexpr std::int64_t kKernelCopies = 2, kKernelGradientCopies = 4;

std::vector<int> Present(std::initializer_list<int> arrays) {
  std::vector<int> present;
  std::ranges::copy_if(arrays, std::back_inserter(present), [](int each) { return each != kNone; });
  return present;
}

// Whether the slope of a function that is no ReLU or ReLU6 is found from what it read, and not from
// what it gave.
bool SlopeReadsInput(Nonlinearity function) { return function != Nonlinearity::kSigmoid; }

FloatCount CountOf(const MapSize& map, std::int64_t channels) {
  return {.per_sample = std::int64_t{map.height} * map.width * channels};
}

}  // namespace

BackboneSteps::BackboneSteps(const Model& model, Use use, int features, StepList& list)
    : model_(model),
      network_(model.network()),
      use_(use),
      features_(features),
      list_(list),
      made_(network_.size()),
      readers_(network_.size()),
      learns_(network_.size()),
      gradients_(network_.size(), kNone) {
  for (int i = begin(); i < end(); ++i) {
    bool learns = model.learns(i);
    for (const int map : {layer(i).input, layer(i).added, layer(i).scaled_by}) {
      if (map < begin()) continue;
      ++readers_[map];
      learns = learns || learns_[map];
    }
    learns_[i] = learns;
  }
}

bool BackboneSteps::learns() const { return begin() < end() && learns_[end() - 1]; }

// The map of such a layer is kept where others of its segment are computed once more.
bool BackboneSteps::EndsSegment(int index) const {
  return index + 1 == end() || layer(index).segment != layer(index + 1).segment;
}

bool BackboneSteps::NormalisesTheBatch(int index) const {
  return use_ == Use::kLearning && model_.normalises_the_batch(index);
}

FloatCount BackboneSteps::Output(int index) const {
  return CountOf(network_.output_size(index), layer(index).out_channels);
}

FloatCount BackboneSteps::Input(int index) const {
  return CountOf(network_.input_size(index), layer(index).in_channels);
}

FloatCount BackboneSteps::PaddedInput(int index) const {
  const MapSize map = network_.input_size(index);
  const Pads pads = network_.pads(index);
  return CountOf({map.height + pads.top + pads.bottom, map.width + pads.left + pads.right},
                 layer(index).in_channels);
}

FloatCount BackboneSteps::Kernel(int index, std::int64_t copies) const {
  const NetworkLayer& it = layer(index);
  const std::int64_t of_an_output =
      std::int64_t{it.in_channels / it.groups} * it.kernel * it.kernel;
  return {.fixed = copies * it.out_channels * of_an_output};
}

// On processors without AVX-512 oneDNN writes the patches of a picture that a dilated convolution
// reads side by side, and before that the picture's channels one behind another: of one picture and
// group at a time (gemm_convolution_bwd_weights_t, measured).
FloatCount BackboneSteps::Patches(int index) const {
  const NetworkLayer& it = layer(index);
  if (it.dilation == 1 || it.kernel == 1) return {};
  const MapSize out = network_.output_size(index);
  const std::int64_t taps = std::int64_t{it.kernel} * it.kernel * (it.in_channels / it.groups);
  return {.fixed = taps * out.height * out.width + PaddedInput(index).per_sample / it.groups};
}

int BackboneSteps::Forward(Activations activations) {
  for (int i = begin(); i < end(); ++i) {
    const bool keeps = use_ == Use::kLearning && activations == Activations::kKept && learns_[i];
    ForwardLayer(i, {.keeps = keeps});
  }
  return MapOf(end() - 1);
}

void BackboneSteps::ForwardLayer(int index, const Keeping& keeping) {
  const NetworkLayer& it = layer(index);
  const int input = MapOf(it.input), added = it.added < 0 ? kNone : MapOf(it.added);
  switch (it.kind) {
    case LayerKind::kConv:
      ForwardConvolution(index, keeping);
      break;
    case LayerKind::kDense:
      made_[index].input = input;
      Write(index, Kind::kDense, Present({input, added}));
      break;
    case LayerKind::kAdd:
      Write(index, Kind::kAdd, {input, added});
      break;
    case LayerKind::kScale:
      Write(index, Kind::kScale, {input, MapOf(it.scaled_by)});
      break;
    case LayerKind::kActivation:  // never in place: others may read the map
      made_[index].sum = input;
      Write(index, Kind::kActivate, {input});
      return;
    case LayerKind::kGlobalPool:
      Write(index, Kind::kGlobalPool, {input});
      break;
    case LayerKind::kMaxPool:
      ForwardMaxPool(index);
      break;
  }
  if (it.activation && !CeilingOf(*it.activation)) ForwardActivation(index, keeping.keeps);
}

TrainingStep& BackboneSteps::Write(int index, Kind kind, std::vector<int> reads) {
  made_[index].map = list_.Array(Output(index));
  return list_.Step(kind, index, std::move(reads), {made_[index].map});
}

void BackboneSteps::ForwardConvolution(int index, const Keeping& keeping) {
  const NetworkLayer& it = layer(index);
  Made& made = made_[index];
  made.input = MapOf(it.input);
  if (!network_.pads(index).is_symmetric()) {
    const int padded = list_.Array(PaddedInput(index));
    std::vector<int> writes = {padded};
    // The map lies inside: where nobody else reads it, one copy is enough.
    if (keeping.keeps && it.input >= begin() && readers_[it.input] == 1) {
      writes.push_back(list_.ArrayInside(padded));
      made_[it.input].map = writes.back();
    }
    list_.Step(Kind::kPad, index, {made.input}, std::move(writes));
    made.input = padded;
  }
  const int added = it.added < 0 ? kNone : MapOf(it.added);
  const FloatCount copies = it.is_pointwise() ? FloatCount{} : Kernel(index, kKernelCopies);
  if (!NormalisesTheBatch(index)) {
    Write(index, Kind::kConvolveAndFinish, Present({made.input, added})).scratch = copies;
    return;
  }
  made.product = list_.Array(Output(index));
  list_.Step(Kind::kConvolve, index, {made.input}, {made.product}).scratch = copies;
  const FloatCount channels{.fixed = it.out_channels};
  made.map = list_.Array(Output(index));
  std::vector<int> writes = {made.map, list_.Array(channels), list_.Array(channels)};
  if (!keeping.is_recomputed) {  // they are few, and so kept from the first time on
    made.mean = writes[1];
    made.deviation = writes[2];
  }
  TrainingStep& step =
      list_.Step(Kind::kNormalise, index, Present({made.product, added}), std::move(writes));
  step.is_recomputed = keeping.is_recomputed;
  step.scratch = {.fixed = 3 * channels.fixed};  // what following the running statistics takes
}

void BackboneSteps::ForwardMaxPool(int index) {
  Made& made = made_[index];
  made.input = MapOf(layer(index).input);
  made.map = list_.Array(Output(index));
  made.indices = list_.Array({.per_sample = Output(index).per_sample * kFloatsOfAnIndex});
  TrainingStep& step = list_.Step(Kind::kMaxPool, index, {made.input}, {made.map, made.indices});
  if (!network_.pads(index).is_symmetric()) step.scratch = PaddedInput(index);
}

// Changes the map in place, unless the backward step reads the sum.
void BackboneSteps::ForwardActivation(int index, bool keeps) {
  Made& made = made_[index];
  made.sum = made.map;
  if (keeps && SlopeReadsInput(*layer(index).activation)) made.map = list_.Array(Output(index));
  list_.Step(Kind::kActivate, index, {made.sum}, {made.map});
}

void BackboneSteps::Backward(int gradient, Activations activations) {
  gradients_[end() - 1] = gradient;
  for (int i = end() - 1; i >= begin(); --i) {
    if (!learns_[i] || gradients_[i] == kNone) continue;
    if (activations == Activations::kRecomputed && EndsSegment(i)) RecomputeSegment(i);
    BackwardLayer(i, gradients_[i]);
  }
}

// Computes once more the layers of the segment that ends with `last`, where their maps depend on
// something that learns.
void BackboneSteps::RecomputeSegment(int last) {
  const int kept = made_[last].map;
  int first = last;
  while (first > begin() && !EndsSegment(first - 1)) --first;
  for (int i = first; i <= last; ++i) {
    if (learns_[i]) ForwardLayer(i, {.keeps = true, .is_recomputed = true});
  }
  made_[last].map = kept;
}

void BackboneSteps::BackwardLayer(int index, int gradient) {
  const NetworkLayer& it = layer(index);
  BackwardActivation(index, gradient);
  switch (it.kind) {
    case LayerKind::kConv:
      return BackwardConvolution(index, gradient);
    case LayerKind::kDense:
      return BackwardDense(index, gradient);
    case LayerKind::kAdd:
      return BackwardAdd(index, gradient);
    case LayerKind::kScale:
      return BackwardScale(index, gradient);
    case LayerKind::kActivation:
      return PassOn(it.input, gradient);
    case LayerKind::kGlobalPool:
      return BackwardPool(index, Kind::kGlobalPoolBackward, {gradient});
    case LayerKind::kMaxPool:
      return BackwardPool(index, Kind::kMaxPoolBackward,
                          {gradient, made_[index].input, made_[index].indices});
  }
}

void BackboneSteps::BackwardActivation(int index, int gradient) {
  const NetworkLayer& it = layer(index);
  const Made& made = made_[index];
  const bool clips = it.activation && CeilingOf(*it.activation);
  if (it.activation && !clips) {
    const int read = SlopeReadsInput(*it.activation) ? made.sum : made.map;
    TrainingStep& step = list_.Step(Kind::kActivateBackward, index, {gradient, read}, {gradient});
    // LibTorch has no hard swish in place.
    if (*it.activation == Nonlinearity::kHardSwish) step.scratch = Output(index);
  }
  const std::vector<int> reads = Present({gradient, clips ? made.map : kNone});
  if (model_.learns(index) && !NormalisesTheBatch(index)) {
    list_.Step(Kind::kMaskAndSum, index, reads, {gradient}).scratch = {.fixed = it.out_channels};
  } else if (clips) {
    list_.Step(Kind::kMask, index, reads, {gradient});
  }
}

void BackboneSteps::BackwardConvolution(int index, int gradient) {
  const NetworkLayer& it = layer(index);
  const Made& made = made_[index];
  int of_product = gradient;
  if (NormalisesTheBatch(index)) {
    of_product = list_.Array(Output(index));
    list_
        .Step(Kind::kNormaliseBackward, index, {gradient, made.product, made.mean, made.deviation},
              {of_product})
        .scratch = Output(index);  // measured: LibTorch's batch norm takes a map in passing
  }
  if (model_.learns(index)) {
    const FloatCount copies = Kernel(index, it.is_pointwise() ? 1 : kKernelGradientCopies);
    list_.Step(Kind::kKernelGradient, index, {of_product, made.input}, {}).scratch = {
        .fixed = copies.fixed + Patches(index).fixed};
  }
  if (WantsGradient(it.input)) {
    const int of_input = list_.Array(Input(index));
    // LibTorch asks for the input of any other convolution, though for its shape alone.
    TrainingStep& step =
        list_.Step(Kind::kInputGradient, index,
                   Present({of_product, it.is_pointwise() ? kNone : made.input}), {of_input});
    if (!it.is_pointwise()) step.scratch = Kernel(index, kKernelCopies);
    if (!network_.pads(index).is_symmetric()) {
      step.scratch.per_sample = PaddedInput(index).per_sample;
    }
    PassOn(it.input, of_input);
  }
  PassOn(it.added, gradient);
}

void BackboneSteps::BackwardDense(int index, int gradient) {
  const NetworkLayer& it = layer(index);
  const int of_input = WantsGradient(it.input) ? list_.Array(Input(index)) : kNone;
  list_.Step(Kind::kDenseBackward, index, {gradient, made_[index].input}, Present({of_input}))
      .scratch = Kernel(index, 1);
  PassOn(it.input, of_input);
  PassOn(it.added, gradient);
}

// Each of the two maps has a gradient of its own, as what follows changes them in place.
void BackboneSteps::BackwardAdd(int index, int gradient) {
  const NetworkLayer& it = layer(index);
  if (WantsGradient(it.input) && WantsGradient(it.added)) {
    const int copy = list_.Array(Output(index));
    list_.Step(Kind::kCopy, index, {gradient}, {copy});
    PassOn(it.added, copy);
  } else {
    PassOn(it.added, gradient);
  }
  PassOn(it.input, gradient);
}

void BackboneSteps::BackwardScale(int index, int gradient) {
  const NetworkLayer& it = layer(index);
  std::vector<int> writes = {gradient};  // becomes that of the map
  FloatCount scratch;
  if (WantsGradient(it.scaled_by)) {
    writes.push_back(list_.Array({.per_sample = it.out_channels}));
    scratch = Output(index);
  }
  const int numbers = writes.back();
  list_
      .Step(Kind::kScaleBackward, index, {gradient, MapOf(it.input), MapOf(it.scaled_by)},
            std::move(writes))
      .scratch = scratch;
  PassOn(it.scaled_by, numbers);
  PassOn(it.input, gradient);
}

void BackboneSteps::BackwardPool(int index, Kind kind, std::vector<int> reads) {
  const NetworkLayer& it = layer(index);
  if (!WantsGradient(it.input)) return;
  const int of_input = list_.Array(Input(index));
  TrainingStep& step = list_.Step(kind, index, std::move(reads), {of_input});
  if (!network_.pads(index).is_symmetric()) {
    step.scratch = {.per_sample = 2 * PaddedInput(index).per_sample};
  }
  PassOn(it.input, of_input);
}

void BackboneSteps::PassOn(int map, int gradient) {
  if (!WantsGradient(map)) return;
  int& sum = gradients_[map];
  if (sum == kNone) {
    sum = gradient;
  } else {
    list_.Step(Kind::kAccumulate, map, {sum, gradient}, {sum});
  }
}

}  // namespace weir
