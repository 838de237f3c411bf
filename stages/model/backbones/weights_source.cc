#include "stages/model/backbones/weights_source.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include "framework/config/suggestion.h"
#include "framework/error.h"
#include "stages/files/sha256.h"
#include "stages/model/backbones/published_weights.h"

namespace weir {
namespace {

constexpr std::string_view kHexadecimal = "0123456789abcdef";

bool IsUrl(std::string_view text) {
  return text.starts_with("https://") || text.starts_with("http://") || text.starts_with("file://");
}

// torch.hub's HASH_REGEX: "-", the first digits, "."
std::string DigestInName(const std::string& file_name) {
  const std::size_t dash = file_name.rfind('-');
  if (dash == file_name.npos) return "";
  const std::size_t end = file_name.find_first_not_of(kHexadecimal, dash + 1);
  if (end == file_name.npos || file_name[end] != '.' ||
      end - dash - 1 < WeightsSource::kFewestDigits)
    return "";
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

}  // namespace

std::string FileNameOf(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  return std::string(url.substr(url.rfind('/') + 1));
}

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

}  // namespace weir
