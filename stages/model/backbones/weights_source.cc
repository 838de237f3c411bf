#include "stages/model/backbones/weights_source.h"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <sstream>
#include <system_error>
#include <utility>

#include "framework/config/suggestion.h"
#include "framework/error.h"
#include "stages/files/mapped_file.h"
#include "stages/files/sha256.h"
#include "stages/model/backbones/published_weights.h"
#include "stages/model/weights/foreign_file.h"

namespace weir {
namespace {

constexpr std::string_view kHexadecimal = "0123456789abcdef";
constexpr std::size_t kFewestDigits = 8;  // what torch.hub puts in a file's name
constexpr const char* kFolderRemedy =
    "set WEIR_CACHE to a folder that can be written, or give a path in model.backbone.weights";

bool IsUrl(std::string_view text) {
  return text.starts_with("https://") || text.starts_with("http://") || text.starts_with("file://");
}

std::string FileNameOf(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  return std::string(url.substr(url.rfind('/') + 1));
}

// torch.hub's HASH_REGEX: "-", the first digits, "."
std::string DigestInName(const std::string& file_name) {
  const std::size_t dash = file_name.rfind('-');
  if (dash == file_name.npos) return "";
  const std::size_t end = file_name.find_first_not_of(kHexadecimal, dash + 1);
  if (end == file_name.npos || file_name[end] != '.' || end - dash - 1 < kFewestDigits) return "";
  return file_name.substr(dash + 1, end - dash - 1);
}

Convention ConventionOf(Publisher publisher) {
  return publisher == Publisher::kKeras ? Convention::Keras() : Convention::Torchvision();
}

bool IsName(std::string_view text) {
  return text != "none" && std::ranges::count(WeightsNames(), text) > 0;
}

// In the order of the table, each once.
std::vector<std::string> NamesOf(const BackboneKind& backbone) {
  std::vector<std::string> names;
  for (const PublishedWeights& weights : backbone.published) {
    if (std::ranges::count(names, weights.name) == 0) names.emplace_back(weights.name);
  }
  return names;
}

[[noreturn]] void RefuseName(std::string_view name, const BackboneKind& backbone, double width) {
  std::ostringstream what, widths;
  what << "weights: '" << name << "' has no file for ";
  for (const PublishedWeights& weights : backbone.published) {
    if (weights.name == name) widths << (widths.str().empty() ? "" : ", ") << weights.width;
  }
  if (widths.str().empty()) {
    what << backbone.name;
    const std::vector<std::string> names = NamesOf(backbone);
    throw Error(ErrorKind::kConfig, what.str(),
                names.empty() ? "give a file of weights, or none"
                              : "it has " + Enumerate(names) + "; or give a file of weights");
  }
  what << "width " << width;
  const auto of_keras =
      std::ranges::find(backbone.published, Publisher::kKeras, &PublishedWeights::publisher);
  throw Error(ErrorKind::kConfig, what.str(),
              "it has width " + widths.str() +
                  (of_keras == backbone.published.end()
                       ? ""
                       : "; " + std::string(of_keras->name) + " has all that Keras publishes"));
}

WeightsSource Published(std::string_view name, const BackboneKind& backbone, double width) {
  const auto found = std::ranges::find_if(backbone.published, [&](const PublishedWeights& it) {
    return it.name == name && it.width == width;
  });
  if (found == backbone.published.end()) RefuseName(name, backbone, width);
  return {.kind = WeightsSource::Kind::kUrl,
          .url = std::string(found->url),
          .sha256 = std::string(found->sha256),
          .most_bytes = backbone.largest_file_bytes,
          .name = std::string(name),
          .convention = ConventionOf(found->publisher)};
}

WeightsSource Address(std::string url, std::string sha256) {
  if (sha256.empty()) sha256 = DigestInName(FileNameOf(url));
  if (sha256.empty()) {
    throw Error(ErrorKind::kConfig, "weights: " + url + " has no sha256, so it cannot be checked",
                "write weights: {url: " + url + ", sha256: <the file's 64 digits>}");
  }
  return {.kind = WeightsSource::Kind::kUrl, .url = std::move(url), .sha256 = std::move(sha256)};
}

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

// All but the title of the backbone.
WeightsSource Parsed(std::string_view weights, std::string_view sha256,
                     const BackboneKind& backbone, double width) {
  const bool whole_digest =
      sha256.size() == kSha256Digits && sha256.find_first_not_of(kHexadecimal) == sha256.npos;
  if (!sha256.empty() && !whole_digest) {
    throw Error(ErrorKind::kConfig, "weights: sha256 '" + std::string(sha256) + "' is no digest",
                "give 64 hexadecimal digits in lower case, as sha256sum prints them");
  }
  if (IsUrl(weights)) return Address(std::string(weights), std::string(sha256));
  if (!sha256.empty()) {
    throw Error(ErrorKind::kConfig,
                "weights: sha256 is for a URL, not for '" + std::string(weights) + "'",
                "leave sha256 out");
  }
  if (weights == "none") return {};
  if (IsName(weights)) return Published(weights, backbone, width);
  return {.kind = WeightsSource::Kind::kPath, .path = std::filesystem::path(weights)};
}

void RemoveQuietly(const std::filesystem::path& path) {
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
}

}  // namespace

std::vector<std::string> WeightsNames() {
  std::vector<std::string> names = {"none"};
  for (const BackboneKind* backbone : Backbones()) {
    for (std::string& name : NamesOf(*backbone)) {
      if (std::ranges::count(names, name) == 0) names.push_back(std::move(name));
    }
  }
  return names;
}

WeightsSource ParseWeightsSource(std::string_view weights, std::string_view sha256,
                                 const BackboneKind& backbone, double width) {
  WeightsSource source = Parsed(weights, sha256, backbone, width);
  source.backbone = backbone.title;
  return source;
}

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
                   ? source.sha256.substr(0, kFewestDigits) + "-" + file_name
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
