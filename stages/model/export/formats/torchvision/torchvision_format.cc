#include "stages/model/export/formats/torchvision/torchvision_format.h"

#include <array>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "stages/model/export/formats/torch_archive.h"
#include "stages/model/export/formats/torchvision/torchvision_program.h"
#include "stages/model/export/formats/unfolded_weights.h"
#include "stages/model/weights/containers/pickle_writer.h"
#include "stages/model/weights/safetensors_writer.h"

namespace weir {
namespace {

constexpr std::string_view kSafetensors = ".safetensors";
constexpr std::array<std::string_view, 2> kEndings{".pth", kSafetensors};

// As the state dict has them: the backbone's are called so in the graph, too.
std::vector<inference::Constant> TensorsOf(const InferenceGraph& graph) {
  const TorchvisionClassifier classifier = ClassifierOf(graph.model());
  std::vector<inference::Constant> tensors;
  for (const inference::Operation& operation : graph.operations()) {
    for (const inference::Constant& constant : operation.constants) {
      std::string name = constant.name;
      if (IsOfHead(operation)) {
        name = classifier.names.at(operation.name) + name.substr(operation.name.size());
      }
      tensors.push_back({std::move(name), constant.shape});
    }
  }
  return tensors;
}

// As torch.save pickles it: the tensors by their names.
std::string StateDict(const std::vector<inference::Constant>& tensors) {
  PickleWriter pickle;
  pickle.Add(kEmptyDict).Add(kMark);
  for (int i = 0; const inference::Constant& tensor : tensors) {
    pickle.AddText(tensor.name);
    AddTorchTensor(tensor.shape, i++, pickle);
  }
  return pickle.Add(kSetItems).Add(kStop).bytes();
}

// Gives the values of one tensor after another.
template <class Take>
void ReadTensors(const InferenceGraph& graph, Take take) {
  const float epsilon = Convention::Torchvision().batch_norm_epsilon;
  for (int i = 0; i < static_cast<int>(graph.operations().size()); ++i) {
    for (const std::vector<float>& values : ReadUnfolded(graph, i, epsilon)) take(values);
  }
}

void Write(const ExportJob& job, AtomicFile& file) {
  NamingOf(kTorchvision, job.graph.model());  // that there is one
  const std::vector<inference::Constant> tensors = TensorsOf(job.graph);
  const auto about = DescribeWeights(job, TorchvisionProgram(job));
  if (!file.path().string().ends_with(kSafetensors)) {
    TorchArchive archive(file, StateDict(tensors), about);
    ReadTensors(job.graph, [&](const std::vector<float>& values) { archive.WriteTensor(values); });
    archive.Close();
    return;
  }
  std::vector<TensorToWrite> header;
  for (const inference::Constant& tensor : tensors) {
    header.push_back(TensorToWrite::Of(tensor.name, tensor.shape, {}));
  }
  WriteSafetensorsHeader(file, header, about);
  ReadTensors(job.graph, [&file](const std::vector<float>& values) {
    file.Write(std::as_bytes(std::span(values)));
  });
}

constexpr const char* kOpening = R"(
def open_model(path):
    network = model
    if path.endswith(".safetensors"):
        import safetensors.torch
        network.load_state_dict(safetensors.torch.load_file(path))
    else:
        network.load_state_dict(torch.load(path, weights_only=True))
    network.eval()

    def run(images):
        with torch.no_grad():
            return torch.softmax(network(torch.from_numpy(images)), 1).numpy()

    return run
)";

}  // namespace

const ExportFormat kTorchvisionFormat = {.name = "torchvision",
                                         .title = "weights for torchvision",
                                         .file_name = "model.pth",
                                         .endings = kEndings,
                                         .write = Write,
                                         .build = TorchvisionProgram,
                                         .load = TorchvisionLoading,
                                         .module = "torchvision",
                                         .package = "torchvision",
                                         .opening = kOpening};

}  // namespace weir
