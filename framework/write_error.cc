#include "framework/write_error.h"

#include <cerrno>
#include <system_error>

#include "framework/byte_size.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

// The outermost folder on the way to `path` that is not there; empty where all are.
fs::path MissingFolder(const fs::path& path) {
  fs::path missing;
  std::error_code unknown;
  for (fs::path folder = path.parent_path(); !folder.empty(); folder = folder.parent_path()) {
    if (fs::exists(folder, unknown) || unknown) break;
    missing = folder;
    if (folder == folder.parent_path()) break;
  }
  return missing;
}

// " (3 MiB are free)"; empty where nobody says.
std::string FreeSpace(const fs::path& path) {
  std::error_code unknown;
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const fs::space_info space = fs::space(folder, unknown);
  return unknown ? "" : " (" + ToRoundText(ByteSize{space.available}) + " are free)";
}

std::string Remedy(int error, const std::string& elsewhere) {
  switch (error) {
    case ENOSPC:
      return "Free space on that disk, or " + elsewhere + ".";
    case EDQUOT:
      return "Your quota on that disk is used up: free space there, or " + elsewhere + ".";
    case EFBIG:
      return "A file may not become that large here: raise the limit (`ulimit -f`), or " +
             elsewhere + ".";
    case ENOENT:
    case ENOTDIR:
    case ESTALE:
      return "Make that folder, and leave it in its place while weir runs, or " + elsewhere + ".";
    case EACCES:
    case EPERM:
      return "See that you may write there, or " + elsewhere + ".";
    case EROFS:
      return "That file system may only be read: " + elsewhere + ".";
    case EIO:
    case ENXIO:
    case ENODEV:
      return "The disk reports a fault: see the system's log, and " + elsewhere + ".";
    case EMFILE:
    case ENFILE:
      return "Too many files are open: raise the limit (`ulimit -n`), or close other programs.";
    case ENOMEM:
    case ENOBUFS:
      return "Free memory on this machine.";
    case ENAMETOOLONG:
      return "Use a shorter name.";
    default:
      return "See what is wrong with that place, or " + elsewhere + ".";
  }
}

}  // namespace

Error WriteError(const fs::path& path, const std::string& doing, int error,
                 const std::string& elsewhere) {
  std::string reason = std::generic_category().message(error);
  if (error == ENOENT || error == ENOTDIR) {
    const fs::path missing = MissingFolder(path);
    if (!missing.empty()) reason = "the folder " + missing.string() + " is not there";
  } else if (error == ENOSPC) {
    reason += FreeSpace(path);
  }
  return {ErrorKind::kData, path.string() + ": " + doing + ": " + reason, Remedy(error, elsewhere)};
}

}  // namespace weir
