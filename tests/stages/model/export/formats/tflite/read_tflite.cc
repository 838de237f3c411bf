#include "tests/stages/model/export/formats/tflite/read_tflite.h"

#include <algorithm>
#include <stdexcept>

namespace weir {
namespace {

std::string ValuesOf(const FlatRead& buffer, const std::string& bytes) {
  const auto [first, count] = buffer.VectorOf(0, 1);
  if (first % 16 != 0) throw std::runtime_error("a buffer is not aligned");
  return bytes.substr(first, count);
}

ReadTfliteTensor TensorOf(const FlatRead& table, const std::vector<FlatRead>& buffers,
                          const std::string& bytes) {
  ReadTfliteTensor tensor{.name = table.Text(3),
                          .type = table.Get<std::int8_t>(1),
                          .shape = table.Numbers<std::int32_t>(0),
                          .signature = table.Numbers<std::int32_t>(7)};
  const auto buffer = table.Get<std::uint32_t>(2);
  tensor.is_constant = buffer != 0;
  if (tensor.is_constant) tensor.values = ValuesOf(buffers.at(buffer), bytes);
  if (table.Has(4)) {
    const FlatRead quantization = table.Table(4);
    tensor.scales = quantization.Numbers<float>(2);
    tensor.zeros = quantization.Numbers<std::int64_t>(3);
    tensor.axis = quantization.Get<std::int32_t>(6);
  }
  return tensor;
}

ReadTfliteOperator OperatorOf(const FlatRead& table, const std::vector<FlatRead>& codes) {
  const FlatRead& code = codes.at(table.Get<std::uint32_t>(0));
  ReadTfliteOperator call{.code = code.Get<std::int32_t>(3),
                          .version = code.Get<std::int32_t>(2, 1),
                          .inputs = table.Numbers<std::int32_t>(1),
                          .outputs = table.Numbers<std::int32_t>(2),
                          .options_type = table.Get<std::uint8_t>(3)};
  if (code.Get<std::int8_t>(0) != std::min(call.code, 127)) {
    throw std::runtime_error("the two codes of an operator differ");
  }
  if (table.Has(4)) call.options.push_back(table.Table(4));
  return call;
}

}  // namespace

const ReadTfliteOperator& ReadTflite::Making(const std::string& name) const {
  for (const ReadTfliteOperator& each : operators) {
    for (const std::int32_t output : each.outputs) {
      if (tensors.at(output).name == name) return each;
    }
  }
  throw std::runtime_error("nothing makes " + name);
}

const ReadTfliteTensor& ReadTflite::Tensor(const std::string& name) const {
  const auto found = std::ranges::find(tensors, name, &ReadTfliteTensor::name);
  if (found == tensors.end()) throw std::runtime_error("no tensor " + name);
  return *found;
}

std::vector<std::string> ReadTflite::NamesOf(const std::vector<std::int32_t>& indices) const {
  std::vector<std::string> names;
  for (const std::int32_t index : indices) names.push_back(tensors.at(index).name);
  return names;
}

ReadTflite ParseTflite(const std::string& bytes) {
  const FlatRead model = FlatRead::Root(bytes, "TFL3");
  ReadTflite read{.version = model.Get<std::uint32_t>(0), .description = model.Text(3)};
  const std::vector<FlatRead> buffers = model.Tables(4), subgraphs = model.Tables(2);
  if (subgraphs.size() != 1) throw std::runtime_error("not one subgraph");
  for (const FlatRead& tensor : subgraphs[0].Tables(0)) {
    read.tensors.push_back(TensorOf(tensor, buffers, bytes));
  }
  for (const FlatRead& call : subgraphs[0].Tables(3)) {
    read.operators.push_back(OperatorOf(call, model.Tables(1)));
  }
  read.inputs = subgraphs[0].Numbers<std::int32_t>(1);
  read.outputs = subgraphs[0].Numbers<std::int32_t>(2);
  for (const FlatRead& entry : model.Tables(6)) {
    read.metadata[entry.Text(0)] = ValuesOf(buffers.at(entry.Get<std::uint32_t>(1)), bytes);
  }
  read.signatures = model.Tables(7);
  return read;
}

}  // namespace weir
