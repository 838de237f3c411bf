// A step of the list that a micro-batch runs, and the arrays that it works on: what it reads and
// writes, and which of that nobody reads after it. Sizes alone, no numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace weir {

// How many float32 an index takes that LibTorch gives.
inline constexpr std::int64_t kFloatsOfAnIndex = sizeof(std::int64_t) / sizeof(float);

// How many float32 an array has: so many for each sample, and so many whatever the samples.
struct FloatCount {
  std::int64_t per_sample = 0;
  std::int64_t fixed = 0;

  // What these take, rounded up to the allocator's alignment.
  std::size_t bytes(int samples) const;
};

// Maps are [n, h, w, C], vectors [n, values]; a gradient has the shape of what it is a gradient of.
struct StepArray {
  FloatCount size{};
  int inside = -1;  // the array in whose memory it lies, where it has none of its own
};

// The array that has the memory of `array`.
int Owner(const std::vector<StepArray>& arrays, int array);

struct TrainingStep {
  // What follows each is what it reads -> what it writes; [] is there in some cases only. An array
  // that is both read and written is changed in place; a backward step may also write over the
  // gradient that it is the last to read.
  enum class Kind {
    // Forward, through a layer of the backbone.
    kPad,                // map -> the map with zeros around it, [the map, inside that]
    kConvolveAndFinish,  // map, [added map] -> map: batch norm folded in, the sum, a ReLU or ReLU6
    kConvolve,           // map -> map: the convolution alone
    kNormalise,          // map, [added map] -> map, mean, deviation: on the batch's statistics
    kAdd,                // map, added map -> map: with a ReLU or ReLU6
    kScale,              // map, a number a channel -> map
    kActivate,           // map -> map, or in place
    kGlobalPool,         // map -> a number a channel
    kMaxPool,            // map -> map, [places of the largest]
    kDense,              // a number a channel, [added] -> the same: with a ReLU or ReLU6
    // Through a layer of the head: what it reads -> what it gives, [what its way back needs].
    kHead,
    kLoss,  // logits -> gradient of the logits

    // Backward. The gradients of parameters go to the sink.
    kHeadBackward,      // gradient, [input], [output], [what was kept] -> [gradient of the input]
    kCopy,              // gradient -> gradient
    kAccumulate,        // sum, gradient -> sum
    kActivateBackward,  // gradient, the activation's input or output -> gradient, in place
    kMask,              // gradient, output -> gradient in place: 0 where the ReLU clipped
    kMaskAndSum,        // gradient, [output] -> the same; its channels' sums are the bias' gradient
    kNormaliseBackward,   // gradient, kNormalise's map, mean, deviation -> gradient
    kKernelGradient,      // gradient, the convolution's input ->
    kInputGradient,       // gradient, [the convolution's input] -> gradient of the input
    kScaleBackward,       // gradient, map, numbers -> gradient in place, [gradient of the numbers]
    kGlobalPoolBackward,  // gradient -> gradient of the map
    kMaxPoolBackward,     // gradient, map, places -> gradient of the map
    kDenseBackward,       // gradient, the layer's input -> [gradient of the input]
  };

  Kind kind = Kind::kConvolve;
  int layer = -1;              // its place in the backbone or in the head; -1 for kLoss
  bool is_recomputed = false;  // whether the running statistics of kNormalise have followed already
  std::vector<int> reads{}, writes{};  // indices of arrays, in the order given above
  std::vector<int> frees{};            // arrays that no later step reads or writes
  FloatCount scratch{};                // what it takes beside its arrays while it runs
};

struct TrainingSteps {
  std::vector<StepArray> arrays;  // the first is the features, which belong to the batch
  std::vector<TrainingStep> steps;
  int output = -1;  // the logits, which the last step leaves; -1 where kLoss has read them

  // What is held while step [i] runs, its scratch included.
  std::vector<std::size_t> BytesOf(int samples) const;
  std::size_t PeakBytes(int samples) const;
};

// What is done with the maps that the way back needs: they are kept from the way there, or of each
// segment only the input is, from which the others are computed once more (activation
// checkpointing; Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016). The gradients
// are the same, bit for bit.
enum class Activations { kKept, kRecomputed };

}  // namespace weir
