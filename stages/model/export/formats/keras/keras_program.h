// The program in Python that builds the model whose weights `weir export --to keras` writes: Keras'
// own network, and the head as the run declared it.
//
// Pure; any thread.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "stages/model/export/formats/export_format.h"

namespace weir {

inline constexpr std::string_view kKeras = "Keras";  // as a publisher of networks

// Where the head gives logits it has the softmax that `weir predict` takes of them. Throws
// Error(kConfig) where Keras' network pads its maps otherwise than this one was trained with.
std::string KerasProgram(const ExportJob& job);

// "model.load_weights(\"first/model.weights.h5\")", with the end of its line.
std::string KerasLoading(const std::filesystem::path& path);

}  // namespace weir
