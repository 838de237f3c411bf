// What a model in inference is made of: operations with stated semantics, their inputs by index,
// and the constants that they take. Plain data.
//
// A map is [h, w, C] of one picture in float32, a vector [C]. A format lays them out as it likes:
// the batch comes in front, and ONNX has the channels before the rows.
//
// In int8 the kernels of convolutions are whole numbers with a scale, and maps are rounded to what
// a byte can be; all values are still written down as the numbers that they stand for.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "framework/shape.h"
#include "stages/model/backbones/network.h"
#include "stages/model/head/pooling.h"

namespace weir::inference {

// Cross-correlation over zeros around the map. Constants: the kernel OIHW, [out, in / groups, k,
// k], and the bias [out], which is left out where a BatchNorm follows. Where `is_int8`, the kernel
// is of whole numbers from -127 to 127, and the scales of its outputs, [out], come between the two:
// what 1 stands for in it.
struct Convolution {
  int kernel = 1;  // square
  int stride = 1;
  int groups = 1;
  int dilation = 1;
  Pads pads{};
  bool is_int8 = false;
};

// gamma (x - mean) / sqrt(variance + epsilon) + beta, a channel. Constants: gamma, beta, mean and
// variance, [C] each.
struct BatchNorm {
  float epsilon = 0;
};

// x * scale + offset, a channel: a batch norm that is folded and has nobody to fold it into.
// Constants: scale and offset, [C] each.
struct Affine {};

enum class Function {
  kRelu,         // max(x, 0)
  kRelu6,        // min(max(x, 0), 6)
  kHardSigmoid,  // min(max(x / 6 + 1/2, 0), 1)
  kHardSwish,    // x times hard sigmoid of x
  kSigmoid,      // 1 / (1 + exp(-x))
  kSilu,         // x times sigmoid of x
  kTanh,
};
std::string_view Name(Function function);  // "relu6"

// Changes each value for itself.
struct Activation {
  Function function = Function::kRelu;
};

// Adds two maps of one shape.
struct Sum {};

// Multiplies each channel of the first map with the second one, [1, 1, C].
struct Product {};

// The mean or the largest of each channel: [h, w, C] to [1, 1, C].
struct GlobalPool {
  Pooling pooling = Pooling::kAverage;
};

// The largest value under a window; what lies around the map is never the largest.
struct MaxPool {
  int kernel = 2;
  int stride = 2;
  Pads pads{};
};

// [h, w, C] to [h * w * C]: rows, columns, channels.
struct Flatten {};

// A vector times the weight, and the bias added. Constants: the weight [units, inputs] and the bias
// [units].
struct Dense {};

// exp(x) over the sum of it.
struct Softmax {};

using Kind = std::variant<Convolution, BatchNorm, Affine, Activation, Sum, Product, GlobalPool,
                          MaxPool, Flatten, Dense, Softmax>;
std::string_view Name(const Kind& kind);  // "convolution"

struct Constant {
  std::string name;  // that of no other: "features.2.conv.0.0.weight"
  Shape shape;
};

// As an input: the picture as the network is fed it, preprocessed, [H, W, 3]; in int8 its bytes
// less InferenceGraph::picture_zero().
inline constexpr int kPicture = -1;

// A map whose values are rounded to whole numbers (halves to even ones) of `scale`, from 0 to 255
// or from -128 to 127, the nearest of them where they lie outside.
struct Bytes {
  float scale = 1;
  bool is_unsigned = false;
};

struct Operation {
  std::string name;         // that of no other: "block_1_expand"
  std::vector<int> inputs;  // the indices of operations before it, or kPicture
  Kind kind;
  std::vector<Constant> constants;
  Shape output;                  // [h, w, C] or [C]
  std::optional<Bytes> bytes{};  // how that is rounded; empty: it is not
};

}  // namespace weir::inference
