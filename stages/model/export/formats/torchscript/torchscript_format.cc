#include "stages/model/export/formats/torchscript/torchscript_format.h"

#include <array>
#include <string>
#include <vector>

#include "stages/model/export/formats/model_texts.h"
#include "stages/model/export/formats/preprocessing_text.h"
#include "stages/model/export/formats/torch_archive.h"
#include "stages/model/export/formats/torchscript/torchscript_forward.h"
#include "stages/model/export/formats/torchscript/torchscript_module.h"
#include "stages/model/export/formats/torchscript/torchscript_pictures.h"

namespace weir {
namespace {

void Write(const ExportJob& job, AtomicFile& file) {
  TorchscriptModule module(kTorchscriptClass);
  const std::string forward = TorchscriptForward(job, module);
  TorchArchive archive(file, module.Pickle(), ModelTexts(job, PreprocessingText(job)));
  archive.Add("code/__torch__.py", module.ClassesText(forward));
  archive.Add("constants.pkl", PickleWriter().Add(kEmptyTuple).Add(kStop).bytes());
  for (const std::array<float, 3>& values : TorchscriptPreprocessing(job)) {
    archive.WriteTensor(values);
  }
  for (int i = 0; i < static_cast<int>(job.graph.operations().size()); ++i) {
    for (const std::vector<float>& values : job.graph.ReadConstants(i)) archive.WriteTensor(values);
  }
  archive.Close();
}

constexpr const char* kOpening = R"(
import warnings
import torch

def open_model(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # that torch.export is there beside it
        model = torch.jit.load(path, map_location="cpu")

    def run(images):
        with torch.inference_mode():
            return model(torch.tensor(images)).numpy()

    return run
)";

}  // namespace

const ExportFormat kTorchscriptFormat = {.name = "torchscript",
                                         .title = "TorchScript, for PyTorch 1.13 and newer",
                                         .file_name = "model.pt",
                                         .write = Write,
                                         .module = "torch",
                                         .package = "torch",
                                         .opening = kOpening};

}  // namespace weir
