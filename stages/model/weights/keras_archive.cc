#include "stages/model/weights/keras_archive.h"

#include <utility>

#include "framework/error.h"
#include "stages/model/weights/hdf5_reader.h"
#include "stages/model/weights/zip_directory.h"

namespace weir {
namespace {

constexpr const char* kWeights = "model.weights.h5";  // keras/src/saving/saving_lib.py

}  // namespace

bool LooksLikeKerasArchive(const std::filesystem::path& path, std::span<const std::byte> file) {
  return ZipDirectory::LooksLikeZip(file) && ZipDirectory(file, path.string()).Find(kWeights);
}

std::unique_ptr<WeightsFile> OpenKerasArchive(const std::filesystem::path& path,
                                              std::unique_ptr<MappedFile> file) {
  const ZipEntry weights = *ZipDirectory(file->bytes(), path.string()).Find(kWeights);
  if (!weights.is_stored) {
    throw Error(ErrorKind::kData, path.string() + ": its " + kWeights + " is compressed",
                std::string("unpack it, and give ") + kWeights);
  }
  if (!weights.Intact()) {
    throw Error(
        ErrorKind::kData,
        path.string() + ": its " + kWeights + " does not have the checksum that the file states",
        "copy or download the file again, or save it again by model.save()");
  }
  return OpenHdf5(path, std::move(file), weights.bytes);
}

}  // namespace weir
