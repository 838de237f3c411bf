#include "stages/model/export/formats/onnx/onnx_format.h"

#include <cstdint>
#include <limits>
#include <protozero/pbf_builder.hpp>
#include <span>
#include <string>

#include "framework/byte_size.h"
#include "framework/error.h"
#include "stages/model/export/formats/encoded_constants.h"
#include "stages/model/export/formats/model_texts.h"
#include "stages/model/export/formats/onnx/onnx_fields.h"
#include "stages/model/export/formats/onnx/onnx_graph.h"
#include "stages/model/export/formats/onnx/onnx_nodes.h"
#include "stages/model/export/formats/preprocessing_text.h"

namespace weir {
namespace {

using onnx::ModelField;

// The oldest opset whose Resize can do without aliasing, and the version of the file that goes with
// it (ONNX 1.13, December 2022).
constexpr std::int64_t kOpset = 18;
constexpr std::int64_t kIrVersion = 8;

// Readers take a message whole, and its length is a signed number of 32 bits.
constexpr std::uint64_t kMostBytes = std::numeric_limits<std::int32_t>::max();

// All of a ModelProto but its graph.
std::string ModelHead(const ExportJob& job) {
  const std::string preprocessing = PreprocessingText(job);
  std::string head;
  protozero::pbf_builder<ModelField> builder(head);
  builder.add_int64(ModelField::kIrVersion, kIrVersion);
  builder.add_string(ModelField::kProducerName, "weir");
  builder.add_string(ModelField::kProducerVersion, job.weir_version);
  builder.add_string(ModelField::kDocString, preprocessing);
  std::string opset;
  protozero::pbf_builder<onnx::OpsetField>(opset).add_int64(onnx::OpsetField::kVersion, kOpset);
  builder.add_message(ModelField::kOpsetImport, opset);
  auto texts = ModelTexts(job, preprocessing);
  texts["precision"] = job.graph.picture_zero() ? "int8" : "float32";
  for (const auto& [key, value] : texts) {
    std::string message;
    protozero::pbf_builder<onnx::MetadataField> entry(message);
    entry.add_string(onnx::MetadataField::kKey, key);
    entry.add_string(onnx::MetadataField::kValue, value);
    builder.add_message(ModelField::kMetadataProps, message);
  }
  return head;
}

void Write(const ExportJob& job, AtomicFile& file) {
  const auto [graph, encoders] = OnnxNodesOf(job);
  std::string head = ModelHead(job);
  AppendFieldHead(static_cast<std::uint32_t>(ModelField::kGraph), graph.bytes(), head);
  if (head.size() + graph.bytes() > kMostBytes) {
    throw Error(ErrorKind::kConfig,
                "this model takes " + ToRoundText(ByteSize{head.size() + graph.bytes()}) +
                    ", and an ONNX file holds less than 2 GiB",
                "Train it with a smaller head: pool before the dense layers.");
  }
  file.Write(std::as_bytes(std::span(head)));
  ConstantReader constants(job.graph, encoders);
  graph.WriteTo(file, [&constants] { return constants.Next(); });
}

constexpr const char* kOpening = R"(
import onnxruntime

def open_model(path):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda images: session.run(["probabilities"], {"images": images})[0]
)";

}  // namespace

const ExportFormat kOnnxFormat = {.name = "onnx",
                                  .title = "ONNX, opset 18",
                                  .file_name = "model.onnx",
                                  .write = Write,
                                  .module = "onnxruntime",
                                  .package = "onnxruntime",
                                  .opening = kOpening};

}  // namespace weir
