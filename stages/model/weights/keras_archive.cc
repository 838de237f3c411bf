#include "stages/model/weights/keras_archive.h"

#include <utility>

#include "framework/error.h"
#include "stages/model/weights/hdf5_reader.h"

namespace weir {
namespace {

constexpr const char* kWeights = "model.weights.h5";  // keras/src/saving/saving_lib.py

std::unique_ptr<WeightsFile> Open(WeightsContent content) {
  const ZipEntry weights = *content.zip->Find(kWeights);
  if (!weights.is_stored) {
    throw Error(ErrorKind::kData, content.path.string() + ": its " + kWeights + " is compressed",
                std::string("unpack it, and give ") + kWeights);
  }
  if (!weights.Intact()) {
    throw Error(ErrorKind::kData,
                content.path.string() + ": its " + kWeights +
                    " does not have the checksum that the file states",
                "copy or download the file again, or save it again by model.save()");
  }
  return OpenHdf5(content.path, std::move(content.file), weights.bytes);
}

constexpr std::string_view kEndings[] = {".keras"};

}  // namespace

constinit const WeightsFormat kKerasArchiveFormat = {
    .whose = "a Keras",
    .endings = kEndings,
    .is_of_keras = true,
    .matches = [](const WeightsContent& it) { return it.zip && it.zip->Find(kWeights); },
    .open = &Open,
};

}  // namespace weir
