// Where a backbone's weights come from: nowhere, a path, a URL with its digest, or one of the names
// below, which stand for published files.
//
//   const WeightsSource source = ParseWeightsSource("imagenet", "", *Backbones().front(), 1.0);
//   const auto file = WeightsFile::Open(Fetch(source, CacheFolder()));
//
// Pure but for Fetch, which is for one thread at a time (a lock keeps two processes apart).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stages/files/download.h"
#include "stages/model/backbones/backbone.h"
#include "stages/model/backbones/convention.h"

namespace weir {

struct WeightsSource {
  enum class Kind { kNone, kPath, kUrl };
  Kind kind = Kind::kNone;
  std::filesystem::path path{};  // kPath
  std::string url{};             // kUrl
  // kUrl: the digest's 64 digits, or as many of its first as are published (8 for torchvision and
  // timm, in the file's name, as torch.hub checks them). Empty where none is: such a file is used
  // where somebody has put it, and never downloaded.
  std::string sha256{};
  // No longer file is taken. A checkpoint of somebody's training holds an optimizer's state and
  // moving averages beside the weights.
  std::uint64_t most_bytes = std::uint64_t{1} << 30;
  std::string backbone{};                  // for messages: BackboneKind::title
  std::string name{};                      // what a published file is called: "imagenet"
  std::optional<Convention> convention{};  // a published file's convention; others say theirs
};

// The names of all backbones' published files, "none" first.
std::vector<std::string> WeightsNames();

// `weights` is a name, an http://, https:// or file:// address, or else a path. `sha256` is empty,
// or of an address's file; an address that carries it as torch.hub's do
// ("name-7ebf99e0.pth") needs none. Throws Error(kConfig) for an address without a digest, a digest
// of something else, and a name that has no file for `backbone` of `width`.
WeightsSource ParseWeightsSource(std::string_view weights, std::string_view sha256,
                                 const BackboneKind& backbone, double width);

// The file on this machine: the path itself, the file in the cache if its digest is right, or else
// a download into the cache, which is whole and checked or absent. A download that stopped goes on
// where it was. `source` is not kNone. Throws Error(kData): no such file, no network, a wrong
// digest; Error(kInterrupted) when `progress` stops it.
std::filesystem::path Fetch(const WeightsSource& source, const std::filesystem::path& cache,
                            const ProgressCallback& progress = {});

}  // namespace weir
