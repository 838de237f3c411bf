#include "stages/model/export/inference/head_operations.h"

#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "framework/error.h"
#include "stages/model/head/batch_norm_layer.h"
#include "stages/model/head/dense_layer.h"
#include "stages/model/head/dropout_layer.h"
#include "stages/model/head/flatten_layer.h"

namespace weir {
namespace {

std::string NameOf(int layer) { return "head." + std::to_string(layer); }

// Nothing for linear, and for a softmax, which ends the graph.
std::optional<inference::Function> FunctionOf(Activation activation) {
  switch (activation) {
    case Activation::kLinear:
    case Activation::kSoftmax:
      return std::nullopt;
    case Activation::kRelu:
      return inference::Function::kRelu;
    case Activation::kRelu6:
      return inference::Function::kRelu6;
    case Activation::kSigmoid:
      return inference::Function::kSigmoid;
    case Activation::kTanh:
      return inference::Function::kTanh;
  }
  return std::nullopt;
}

// Reads the arrays of one layer by their names, for as long as the graph is there.
class LayerArrays {
 public:
  LayerArrays(std::shared_ptr<const Model> model, HeadReader read, int layer)
      : model_(std::move(model)), read_(std::move(read)), layer_(layer) {}

  std::vector<float> Read(std::string_view name) const {
    for (const HeadArray& array : model_->head_arrays(layer_)) {
      if (array.name == name) return read_(layer_, array);
    }
    throw Error(ErrorKind::kInternal, NameOf(layer_) + " keeps no array " + std::string(name));
  }

 private:
  std::shared_ptr<const Model> model_;
  HeadReader read_;
  int layer_;
};

// A batch norm as x * scale + offset, in double.
struct ScaleAndOffset {
  std::vector<double> scale, offset;
};

ScaleAndOffset Folded(const LayerArrays& arrays, double epsilon) {
  const std::vector<float> gamma = arrays.Read("weight"), beta = arrays.Read("bias"),
                           mean = arrays.Read("running_mean"),
                           variance = arrays.Read("running_var");
  ScaleAndOffset folded;
  for (std::size_t i = 0; i < gamma.size(); ++i) {
    folded.scale.push_back(gamma[i] / std::sqrt(variance[i] + epsilon));
    folded.offset.push_back(beta[i] - mean[i] * folded.scale[i]);
  }
  return folded;
}

std::vector<float> Rounded(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

// A dense layer that is given x * scale + offset as one that is given x.
ConstantValues FoldedInto(std::vector<float> weight, std::vector<float> bias,
                          const ScaleAndOffset& norm) {
  const std::size_t inputs = norm.scale.size();
  for (std::size_t unit = 0; unit < bias.size(); ++unit) {
    double sum = bias[unit];
    for (std::size_t i = 0; i < inputs; ++i) {
      float& value = weight[unit * inputs + i];
      sum += value * norm.offset[i];
      value = static_cast<float>(value * norm.scale[i]);
    }
    bias[unit] = static_cast<float>(sum);
  }
  return {std::move(weight), std::move(bias)};
}

class HeadAppender {
 public:
  HeadAppender(std::shared_ptr<const Model> model, const HeadReader& weights,
               const InferenceOptions& options, OperationList& list)
      : model_(std::move(model)), weights_(weights), options_(options), list_(list) {}

  void Run(int first) {
    for (int i = first; i < static_cast<int>(model_->head().size()); ++i) Append(i);
    list_.AppendPlain("probabilities", inference::Softmax{}, model_->head_output_dims(last()));
  }

 private:
  void Append(int layer) {
    const HeadLayer& it = *model_->head()[layer];
    const Shape& output = model_->head_output_dims(layer);
    if (it.pooling() != Pooling::kNone) {
      list_.AppendPlain(NameOf(layer), inference::GlobalPool{it.pooling()}, {1, 1, output.back()});
      list_.AppendPlain(NameOf(layer) + ".flatten", inference::Flatten{}, output);
    } else if (dynamic_cast<const FlattenLayer*>(&it)) {
      if (model_->head_input_dims(layer).size() == 1) return;  // it is a vector already
      list_.AppendPlain(NameOf(layer), inference::Flatten{}, output);
    } else if (const auto* norm = dynamic_cast<const BatchNormLayer*>(&it)) {
      AppendBatchNorm(layer, *norm);
    } else if (const auto* dense = dynamic_cast<const DenseLayer*>(&it)) {
      AppendDense(layer, *dense);
    } else if (!dynamic_cast<const DropoutLayer*>(&it)) {
      throw Error(ErrorKind::kInternal,
                  "no operation of an exported model computes a layer " + std::string(it.name()));
    }
  }

  void AppendBatchNorm(int layer, const BatchNormLayer& norm) {
    const Shape& output = model_->head_output_dims(layer);
    const Shape channels = {output.back()};
    const LayerArrays arrays = ArraysOf(layer);
    const auto name = [layer](const char* array) { return HeadArrayName(layer, array); };
    if (options_.keeps_batch_norms) {
      list_.Append({.name = NameOf(layer),
                    .inputs = {list_.last()},
                    .kind = inference::BatchNorm{static_cast<float>(norm.epsilon())},
                    .constants = {{name("weight"), channels},
                                  {name("bias"), channels},
                                  {name("running_mean"), channels},
                                  {name("running_var"), channels}},
                    .output = output},
                   [arrays] {
                     return ConstantValues{arrays.Read("weight"), arrays.Read("bias"),
                                           arrays.Read("running_mean"), arrays.Read("running_var")};
                   });
    } else if (LeadsToDense(layer)) {
      folded_ = layer;
    } else {
      list_.Append({.name = NameOf(layer),
                    .inputs = {list_.last()},
                    .kind = inference::Affine{},
                    .constants = {{name("scale"), channels}, {name("offset"), channels}},
                    .output = output},
                   [arrays, epsilon = norm.epsilon()] {
                     const ScaleAndOffset folded = Folded(arrays, epsilon);
                     return ConstantValues{Rounded(folded.scale), Rounded(folded.offset)};
                   });
    }
  }

  // Whether the next layer that computes anything is dense.
  bool LeadsToDense(int layer) const {
    while (layer < last() && dynamic_cast<const DropoutLayer*>(model_->head()[layer + 1].get())) {
      ++layer;
    }
    return layer < last() && dynamic_cast<const DenseLayer*>(model_->head()[layer + 1].get());
  }

  void AppendDense(int layer, const DenseLayer& dense) {
    const Shape& output = model_->head_output_dims(layer);
    const std::optional<int> norm = std::exchange(folded_, std::nullopt);
    OperationList::Read read = [arrays = ArraysOf(layer)] {
      return ConstantValues{arrays.Read("weight"), arrays.Read("bias")};
    };
    if (norm) {
      const double epsilon = dynamic_cast<const BatchNormLayer&>(*model_->head()[*norm]).epsilon();
      read = [read, arrays = ArraysOf(*norm), epsilon] {
        ConstantValues values = read();
        return FoldedInto(std::move(values[0]), std::move(values[1]), Folded(arrays, epsilon));
      };
    }
    list_.Append({.name = NameOf(layer),
                  .inputs = {list_.last()},
                  .kind = inference::Dense{},
                  .constants = {{HeadArrayName(layer, "weight"),
                                 {output.back(), model_->head_input_dims(layer).back()}},
                                {HeadArrayName(layer, "bias"), {output.back()}}},
                  .output = output},
                 std::move(read));
    const std::optional<inference::Function> function = FunctionOf(dense.activation());
    if (!function) return;
    list_.AppendPlain(NameOf(layer) + "." + std::string(inference::Name(*function)),
                      inference::Activation{*function}, output);
  }

  LayerArrays ArraysOf(int layer) const { return {model_, weights_, layer}; }
  int last() const { return static_cast<int>(model_->head().size()) - 1; }

  const std::shared_ptr<const Model> model_;
  const HeadReader& weights_;
  const InferenceOptions& options_;
  OperationList& list_;
  std::optional<int> folded_;  // the batch norm that goes into the next dense layer
};

}  // namespace

void AppendHead(const std::shared_ptr<const Model>& model, const HeadReader& weights,
                const InferenceOptions& options, OperationList& list, int first) {
  HeadAppender(model, weights, options, list).Run(first);
}

}  // namespace weir
