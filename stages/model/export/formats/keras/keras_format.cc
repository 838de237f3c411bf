#include "stages/model/export/formats/keras/keras_format.h"

#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "stages/model/export/formats/keras/hdf5_writer.h"
#include "stages/model/export/formats/keras/keras_program.h"
#include "stages/model/export/formats/unfolded_weights.h"

namespace weir {
namespace {

// Counts the names that Keras makes of one word: dense, dense_1, dense_2.
class Numbering {
 public:
  std::string Next(const std::string& word) {
    const int before = counts_[word]++;
    return before == 0 ? word : word + "_" + std::to_string(before);
  }

 private:
  std::map<std::string, int> counts_;
};

// A matrix [rows, columns] of arrays of `values`, the other way round.
std::vector<float> Transposed(const std::vector<float>& matrix, std::size_t rows,
                              std::size_t columns, std::size_t values = 1) {
  std::vector<float> transposed(matrix.size());
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t column = 0; column < columns; ++column) {
      for (std::size_t i = 0; i < values; ++i) {
        transposed[(i * columns + column) * rows + row] =
            matrix[(row * columns + column) * values + i];
      }
    }
  }
  return transposed;
}

class KerasWriter {
 public:
  KerasWriter(const ExportJob& job, AtomicFile& file)
      : graph_(job.graph), naming_(NamingOf(kKeras, job.graph.model())), writer_(file) {
    writer_.AddGroup("vars");
    for (const auto& [key, text] : DescribeWeights(job, KerasProgram(job))) {
      writer_.AddText("/", key, text);
    }
  }

  void Run() {
    for (int i = 0; i < static_cast<int>(graph_.operations().size()); ++i) Add(i);
    writer_.Close();
  }

 private:
  void Add(int index) {
    const inference::Operation& it = graph_.operations()[index];
    if (it.constants.empty()) return;
    ConstantValues values = ReadUnfolded(graph_, index, Convention::Keras().batch_norm_epsilon);
    std::vector<Shape> shapes;
    for (const inference::Constant& constant : it.constants) shapes.push_back(constant.shape);
    std::string layer, name;
    if (std::holds_alternative<inference::Convolution>(it.kind)) {
      const bool is_depthwise = shapes[0][1] == 1 && shapes[0][0] > 1;
      layer = layers_.Next(is_depthwise ? "depthwise_conv2d" : "conv2d");
      name = naming_.layers.at(convolutions_).convolution;
      ToKeras(is_depthwise, shapes[0], values[0]);
    } else if (std::holds_alternative<inference::BatchNorm>(it.kind)) {
      layer = layers_.Next("batch_normalization");
      name = IsOfHead(it) ? names_.Next("batch_normalization")
                          : naming_.layers.at(convolutions_++).batch_norm;
    } else {
      layer = layers_.Next("dense");
      name = names_.Next("dense");
      values[0] = Transposed(values[0], shapes[0][0], shapes[0][1]);
      std::swap(shapes[0][0], shapes[0][1]);
    }
    AddLayer("layers/" + layer + "/vars", name, shapes, values);
  }

  // From [out, in, k, k] to [k, k, in, out], and of one channel each to [k, k, out, 1].
  static void ToKeras(bool is_depthwise, Shape& shape, std::vector<float>& kernel) {
    kernel = Transposed(kernel, shape[0], shape[1], shape[2] * shape[3]);
    shape = is_depthwise ? Shape{shape[2], shape[3], shape[0], 1}
                         : Shape{shape[2], shape[3], shape[1], shape[0]};
  }

  void AddLayer(const std::string& path, const std::string& name, const std::vector<Shape>& shapes,
                const ConstantValues& values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      writer_.AddArray(path + "/" + std::to_string(i), shapes[i], values[i]);
    }
    writer_.AddText(path, "name", name);
  }

  const InferenceGraph& graph_;
  const Naming naming_;
  Hdf5Writer writer_;
  Numbering layers_;  // the names of groups
  Numbering names_;   // the names of the head's layers
  int convolutions_ = 0;
};

void Write(const ExportJob& job, AtomicFile& file) { KerasWriter(job, file).Run(); }

// Keras tells the layout by it.
constexpr std::array<std::string_view, 1> kEndings{".weights.h5"};

constexpr const char* kOpening = R"(
import os
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

def open_model(path):
    network = model
    network.load_weights(path)
    return lambda images: network.predict_on_batch(images)
)";

}  // namespace

const ExportFormat kKerasFormat = {.name = "keras",
                                   .title = "weights for Keras 3",
                                   .file_name = "model.weights.h5",
                                   .endings = kEndings,
                                   .write = Write,
                                   .build = KerasProgram,
                                   .load = KerasLoading,
                                   .channels_last = true,
                                   .module = "keras",
                                   .package = "keras tensorflow",
                                   .opening = kOpening};

}  // namespace weir
