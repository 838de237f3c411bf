#include "stages/model/export/formats/tflite/tflite_pictures.h"

#include "framework/error.h"
#include "framework/shape.h"

namespace weir {
namespace {

using tflite::Operator;
using tflite::TensorType;

constexpr const char* kImages = "images";

TflitePicture AppendNumbers(const ExportJob& job, const Shape& shape, TfliteGraph& graph) {
  if (job.input == ExportInput::kFloat) {
    const int images = graph.AddValue(kImages, TensorType::kFloat, shape);
    graph.SetInput(kImages, images);
    return {images};
  }
  const int images = graph.AddValue(kImages, TensorType::kUint8, shape);
  graph.SetInput(kImages, images);
  const int numbers = graph.AddValue("images_float", TensorType::kFloat, shape);
  graph.AddOperator(Operator::kCast, {images}, {numbers});
  const Preprocessing& preprocessing = job.graph.model().preprocessing();
  const int scaled = graph.AddValue("images_scaled", TensorType::kFloat, shape);
  graph.AddOperator(Operator::kMul,
                    {numbers, graph.AddFloats("preprocessing.scale", {3}, preprocessing.scale)},
                    {scaled}, TfliteOptions(tflite::OptionsType::kMul));
  const int preprocessed = graph.AddValue("images_preprocessed", TensorType::kFloat, shape);
  graph.AddOperator(Operator::kAdd,
                    {scaled, graph.AddFloats("preprocessing.offset", {3}, preprocessing.offset)},
                    {preprocessed}, TfliteOptions(tflite::OptionsType::kAdd));
  return {preprocessed};
}

TflitePicture AppendBytes(const ExportJob& job, const Shape& shape, TfliteGraph& graph) {
  if (job.input == ExportInput::kFloat) {
    throw Error(ErrorKind::kConfig, "--input float: a model in int8 reads the bytes of pictures",
                "Leave --input out, or add --precision float32.");
  }
  const std::array<std::uint8_t, 3>& zero = *job.graph.picture_zero();
  const int images =
      graph.AddValue(kImages, TensorType::kUint8, shape, TfliteQuantization{1, zero[0]});
  graph.SetInput(kImages, images);
  const int bytes = graph.AddValue("images_bytes", TensorType::kInt8, shape,
                                   TfliteQuantization{1, zero[0] - 128});
  graph.AddOperator(Operator::kQuantize, {images}, {bytes});
  return {bytes, {0, zero[1] - zero[0], zero[2] - zero[0]}};
}

}  // namespace

TflitePicture AppendPicture(const ExportJob& job, TfliteGraph& graph) {
  const MapSize size = job.graph.model().network().input();
  const Shape shape = {size.height, size.width, 3};
  return job.graph.picture_zero() ? AppendBytes(job, shape, graph)
                                  : AppendNumbers(job, shape, graph);
}

}  // namespace weir
