#include "stages/files.h"

#include <string>
#include <system_error>

#include "framework/error.h"

namespace weir {

Files::Files(const std::vector<std::filesystem::path>& paths) {
  for (const std::filesystem::path& path : paths) {
    std::error_code error;
    const std::filesystem::file_status status = std::filesystem::status(path, error);
    if (status.type() == std::filesystem::file_type::not_found) {
      throw Error(ErrorKind::kData, "'" + path.string() + "' does not exist",
                  "Name pictures, or folders that hold pictures.");
    }
    if (!std::filesystem::is_directory(status)) {
      files_.AddFile(path.string(), -1);
    } else if (files_.AddFolder(path.string(), -1, true) == 0) {
      throw Error(ErrorKind::kData, "'" + path.string() + "' has no pictures",
                  "Pictures end in " + PictureEndings() + ".");
    }
  }
}

Footprint Files::footprint() const {
  return {.held = {{"list of the files", MemoryTag::kReserve, files_.bytes()}}};
}

void Files::Open(OpenContext& context) {
  lease_ = LeaseListing(context.budget, kName, footprint(), files_.size());
}

std::optional<ImageFile> Files::Next(StageContext&) {
  if (position_ >= files_.size()) return std::nullopt;
  const std::uint64_t index = position_++;
  return ImageFile{{index, files_.label(index), files_.path(index)}};
}

}  // namespace weir
