#include "stages/model/backbones/fetch_weights.h"

#include <cassert>
#include <cstdlib>
#include <string>
#include <system_error>

#include "framework/error.h"
#include "stages/files/mapped_file.h"
#include "stages/files/sha256.h"
#include "stages/model/weights/foreign_file.h"

namespace weir {
namespace {

constexpr const char* kFolderRemedy =
    "set WEIR_CACHE to a folder that can be written, or give a path in model.backbone.weights";

bool Matches(const std::filesystem::path& file, const WeightsSource& source) {
  return Sha256Of(file).starts_with(source.sha256);
}

// A file whose publisher states no digest: used where Keras or a person has put it.
std::filesystem::path FindUnverified(const WeightsSource& source,
                                     const std::filesystem::path& cached) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets the environment while weir runs
  const char* const variable = std::getenv("HOME");
  const std::filesystem::path home = variable ? variable : "";
  for (const auto& file : {cached, home / ".keras" / "models" / cached.filename()}) {
    if (std::filesystem::is_regular_file(file)) return file;
  }
  throw Error(ErrorKind::kData,
              "weights: '" + source.name +
                  "' is not on this machine, and is not downloaded, as its "
                  "publisher states no sha256 to check it by",
              "download " + source.url + " to " + cached.string() +
                  ", or use weights: imagenet, which can be checked");
}

void RemoveQuietly(const std::filesystem::path& path) {
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
}

}  // namespace

std::filesystem::path Fetch(const WeightsSource& source, const std::filesystem::path& cache,
                            const ProgressCallback& progress) {
  assert(source.kind != WeightsSource::Kind::kNone);
  if (source.kind == WeightsSource::Kind::kPath) {
    if (!std::filesystem::exists(source.path)) {
      throw Error(ErrorKind::kData, "weights: " + source.path.string() + " does not exist",
                  "check the path, or use weights: imagenet");
    }
    return source.path;
  }
  // Addresses of others may end in the same name; their digests differ.
  const std::string file_name = FileNameOf(source.url);
  std::filesystem::path file =
      cache / (source.sha256.size() == kSha256Digits
                   ? source.sha256.substr(0, WeightsSource::kFewestDigits) + "-" + file_name
                   : file_name);
  if (source.sha256.empty()) return FindUnverified(source, file);
  if (std::filesystem::is_regular_file(file) && Matches(file, source)) return file;

  std::error_code error;
  std::filesystem::create_directories(cache, error);
  if (error) {
    throw Error(ErrorKind::kData,
                "weights: the folder " + cache.string() + " cannot be made: " + error.message(),
                kFolderRemedy);
  }
  const std::filesystem::path part = file.string() + ".part";
  const DownloadRequest request = {
      .url = source.url,
      .part = part,
      .most_bytes = source.most_bytes,
      .wanted = "the weights of a " + source.backbone,
      .remedy = "put the file at " + file.string() + ", or give a path in model.backbone.weights",
      .elsewhere = kFolderRemedy};
  const bool resumed = std::filesystem::exists(part, error);
  if (!resumed || !Matches(part, source)) Download(request, progress);
  // What was there may be of an older file.
  if (resumed && std::filesystem::exists(part, error) && !Matches(part, source)) {
    RemoveQuietly(part);
    Download(request, progress);
  }
  if (!std::filesystem::exists(part, error)) {
    throw Error(ErrorKind::kData, source.url + ": is empty", request.remedy);
  }
  if (const std::string digest = Sha256Of(part); !digest.starts_with(source.sha256)) {
    const auto text = FindForeignText(MappedFile(part).bytes());
    RemoveQuietly(part);
    if (text) throw Error(ErrorKind::kData, source.url + ": " + text->is, text->remedy);
    throw Error(ErrorKind::kData,
                source.url + ": has the sha256 " + digest + " and not " + source.sha256,
                "the file there has changed, or something on the way changed it: check the digest "
                "with its publisher");
  }
  std::filesystem::rename(part, file, error);
  if (error) {
    throw Error(ErrorKind::kData, file.string() + ": cannot be written: " + error.message(),
                kFolderRemedy);
  }
  return file;
}

}  // namespace weir
