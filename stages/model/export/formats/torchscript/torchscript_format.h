// TorchScript, for LibTorch and PyTorch from 1.13 on: torch.jit.load reads it in Python and C++.
// Written as text and a pickle of our own, without LibTorch.
//
// Beside the module the archive has texts that torch.jit.load gives to those who ask for them, in
// entries extra/<key>: classes (as JSON), preprocessing, backbone, weir_version, weights_sha256.
#pragma once

#include "stages/model/export/formats/export_format.h"

namespace weir {

extern const ExportFormat kTorchscriptFormat;

}  // namespace weir
