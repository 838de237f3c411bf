#include "stages/model/export/formats/tflite/tflite_format.h"

#include <cstdint>
#include <limits>
#include <span>
#include <string>

#include "framework/byte_size.h"
#include "framework/error.h"
#include "stages/model/export/formats/encoded_constants.h"
#include "stages/model/export/formats/preprocessing_text.h"
#include "stages/model/export/formats/tflite/stored_zip.h"
#include "stages/model/export/formats/tflite/tflite_graph.h"
#include "stages/model/export/formats/tflite/tflite_metadata.h"
#include "stages/model/export/formats/tflite/tflite_nodes.h"
#include "stages/model/export/formats/tflite/tflite_writer.h"

namespace weir {
namespace {

// A flatbuffer's offsets reach so far with a sign.
constexpr std::uint64_t kMostBytes = std::numeric_limits<std::int32_t>::max();

void Write(const ExportJob& job, AtomicFile& file) {
  TfliteNodes nodes = TfliteNodesOf(job);
  TfliteGraph& graph = nodes.graph;
  graph.SetDescription(PreprocessingText(job, /*channels_last=*/true));
  const auto add = [&graph](const char* name, const auto& value) {
    graph.AddMetadata(name, std::as_bytes(std::span(value)));
  };
  add("TFLITE_METADATA", TfliteMetadataOf(job));
  add("weir_version", job.weir_version);
  add("weights_sha256", job.weights_sha256);
  TfliteWriter writer(graph);
  const std::string labels =
      StoredZip(writer.bytes(), kTfliteLabels, TfliteLabelsOf(job.graph.model()));
  const std::uint64_t bytes = writer.bytes() + labels.size();
  if (bytes > kMostBytes) {
    throw Error(ErrorKind::kConfig,
                "this model takes " + ToRoundText(ByteSize{bytes}) +
                    ", and a TensorFlow Lite file holds less than 2 GiB",
                "Train it with a smaller head: pool before the dense layers.");
  }
  ConstantReader constants(job.graph, nodes.encoders);
  writer.WriteTo(file, [&constants] { return constants.Next(); });
  file.Write(std::as_bytes(std::span(labels)));
}

constexpr const char* kOpening = R"(
import os
from ai_edge_litert.interpreter import Interpreter

def open_model(path):
    interpreter = Interpreter(model_path=path, num_threads=os.cpu_count())
    images = interpreter.get_input_details()[0]["index"]
    probabilities = interpreter.get_output_details()[0]["index"]
    allocated = []

    def run(batch):
        if allocated != [batch.shape]:
            interpreter.resize_tensor_input(images, batch.shape)
            interpreter.allocate_tensors()
            allocated[:] = [batch.shape]
        interpreter.set_tensor(images, batch)
        interpreter.invoke()
        return interpreter.get_tensor(probabilities)
    return run
)";

}  // namespace

const ExportFormat kTfliteFormat = {
    .name = "tflite",
    .title = "TensorFlow Lite, schema version 3",
    .file_name = "model.tflite",
    .write = Write,
    .channels_last = true,
    .why_not_any_size =
        "TensorFlow Lite resizes without antialiasing, and a model learns from "
        "pictures that are shrunk with it",
    .module = "ai_edge_litert",
    .package = "ai-edge-litert",
    .opening = kOpening};

}  // namespace weir
