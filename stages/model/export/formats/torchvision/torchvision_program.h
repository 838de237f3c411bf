// The program in Python that builds the model whose weights `weir export --to torchvision` writes:
// torchvision's own network, and its classifier as the run declared the head.
//
// Pure; any thread.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "stages/model/export/formats/export_format.h"

namespace weir {

inline constexpr std::string_view kTorchvision = "torchvision";  // as a publisher of networks

// The head as torch.nn.Sequential, which begins with a dropout as torchvision's does.
struct TorchvisionClassifier {
  std::vector<std::string> modules;          // "torch.nn.Linear(1280, 2)"
  std::map<std::string, std::string> names;  // from "head.1" to "classifier.1"
  double dropout = 0;

  // Whether it is the one that torchvision makes by itself: a dropout and a linear layer.
  bool is_torchvisions() const { return modules.size() == 2 && names.size() == 1; }
};

// Throws Error(kConfig) where the head does not begin with an average of the whole map, as
// torchvision's networks do.
TorchvisionClassifier ClassifierOf(const Model& model);

// Where the model was trained with TensorFlow's padding, the program changes that of torchvision's
// network. Throws Error(kConfig) as ClassifierOf() does.
std::string TorchvisionProgram(const ExportJob& job);

// The lines that load the file into the model and make it ready to predict.
std::string TorchvisionLoading(const std::filesystem::path& path);

}  // namespace weir
