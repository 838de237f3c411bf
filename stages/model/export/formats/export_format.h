// What a format is that a saved model can be exported in.
//
// Each is a folder beside this file, which gives one of these: it walks the operations of an
// InferenceGraph. It says too how Python opens what was written, for `weir export --check`; weir
// itself runs no Python.
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "stages/files/atomic_file.h"
#include "stages/model/export/inference/inference_graph.h"

namespace weir {

// What the exported model is fed.
enum class ExportInput {
  kUint8,    // pictures of the model's size, [N, H, W, 3]; it preprocesses them
  kAnySize,  // pictures of any one size, [N, height, width, 3]; it resizes them, too
  kFloat,    // what the network is fed in float32, resized and preprocessed: [N, 3, H, W], or
             // [N, H, W, 3] where the format has channels last
};
// Each with its name on the command line.
inline constexpr std::array<std::pair<std::string_view, ExportInput>, 3> kExportInputs{
    {{"uint8", ExportInput::kUint8},
     {"any-size", ExportInput::kAnySize},
     {"float", ExportInput::kFloat}}};
std::optional<ExportInput> InputOf(std::string_view name);

struct ExportJob {
  const InferenceGraph& graph;
  ExportInput input = ExportInput::kUint8;
  std::string weir_version{};    // "0.1.0"
  std::string weights_sha256{};  // the saved model's file of weights
};

struct ExportFormat {
  std::string_view name;       // what --to takes, in small letters: "onnx"
  std::string_view title;      // "ONNX, opset 18"
  std::string_view file_name;  // what it is called in the folder of a run: "model.onnx"
  // What a file of --out has to end in one of, as others tell the format by it; empty: in anything.
  std::span<const std::string_view> endings{};

  // Writes all of the file, and leaves the Commit() to the caller. Throws Error(kConfig) where the
  // format cannot hold the model, Error(kData) as the file and the graph do. Holds the constants of
  // one operation at a time, the names of the classes, and some 100 KB, in int8 some 500.
  void (*write)(const ExportJob& job, AtomicFile& file);

  // Where what is written are weights alone, for a network that a program of others builds and
  // feeds: Python's text that makes `model`, and the line that loads the file into it. The graph
  // then keeps its batch norms. build() throws Error(kConfig) where that network cannot compute
  // what the model does. Null: it is a whole model.
  std::string (*build)(const ExportJob& job) = nullptr;
  std::string (*load)(const std::filesystem::path& file) = nullptr;
  bool is_weights() const { return build != nullptr; }

  bool channels_last = false;           // an input of numbers is [N, H, W, 3]
  std::string_view why_not_any_size{};  // empty where it can resize as weir does

  std::string_view module;   // Python's, which runs it: "onnxruntime"
  std::string_view package;  // what pip calls that
  // Python's text of open_model(path), which gives a function of one array, the input, that returns
  // the probabilities, [N, classes]. The text of build() is run behind it, and the input is then
  // that of ExportInput::kFloat.
  std::string_view opening;
};

}  // namespace weir
