#include "stages/model/export/formats/torchscript/torchscript_pictures.h"

#include <utility>

#include "stages/model/export/formats/preprocessing_text.h"
#include "stages/model/export/formats/python_text.h"

namespace weir {
namespace {

// Types of numbers, as c10::ScalarType counts them.
constexpr int kBytes = 0, kFloats = 6;

std::string Differs(const std::string& what, int wanted) {
  return "torch.ne(" + what + ", " + std::to_string(wanted) + ")";
}

// The pictures in the model's size in float32, [N, 3, H, W]. PyTorch's filter is the one that weir
// resizes with, a triangle as wide as the scale, and leaves fractions, which are rounded to bytes.
std::string Resized(const std::string& pictures, const MapSize& size) {
  return "torch.round(torch._upsample_bilinear2d_aa(" + pictures + ", [" +
         std::to_string(size.height) + ", " + std::to_string(size.width) + "], False))";
}

}  // namespace

std::string TorchscriptInputCheck(const ExportJob& job) {
  const MapSize size = job.graph.model().network().input();
  const bool is_float = job.input == ExportInput::kFloat;
  const std::string images = kTorchscriptImages;
  const auto differs_at = [&images](int dimension, int wanted) {
    return " or " +
           Differs("torch.size(" + images + ", " + std::to_string(dimension) + ")", wanted);
  };
  std::string wrong = Differs("ops.prim.dtype(" + images + ")", is_float ? kFloats : kBytes) +
                      " or " + Differs("torch.dim(" + images + ")", 4);
  wrong += differs_at(is_float ? 1 : 3, 3);
  if (job.input != ExportInput::kAnySize) {
    wrong += differs_at(is_float ? 2 : 1, size.height) + differs_at(is_float ? 3 : 2, size.width);
  }
  const std::string message =
      images + " have to be " + InputShapeText(job, /*channels_last=*/false);
  return "    if " + wrong + ":\n      ops.prim.RaiseException(" + PythonText(message) + ")\n";
}

std::string TorchscriptPictures(const ExportJob& job, TorchscriptModule& module) {
  if (job.input == ExportInput::kFloat) return kTorchscriptImages;
  const std::string as_float = "torch.to(torch.permute(" + std::string(kTorchscriptImages) +
                               ", [0, 3, 1, 2]), " + std::to_string(kFloats) + ")";
  const std::string pictures = job.input == ExportInput::kAnySize
                                   ? Resized(as_float, job.graph.model().network().input())
                                   : as_float;
  const auto add = [&module](const char* name) {
    return module.Add(name, {1, 3, 1, 1}, TorchscriptModule::Role::kBuffer);
  };
  const std::string scaled = "torch.mul(" + pictures + ", " + add("preprocessing.scale") + ")";
  return "torch.add(" + scaled + ", " + add("preprocessing.offset") + ")";
}

std::vector<std::array<float, 3>> TorchscriptPreprocessing(const ExportJob& job) {
  if (job.input == ExportInput::kFloat) return {};
  const auto& [scale, offset] = job.graph.model().preprocessing();
  return {scale, offset};
}

}  // namespace weir
