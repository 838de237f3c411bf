// Where a backbone's weights come from: nowhere, a path, a URL with its digest, or one of the names
// below, which stand for published files.
//
//   const WeightsSource source = ParseWeightsSource("imagenet", "", *Backbones().front(), 1.0);
//
// Pure; any thread. fetch_weights.h has the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stages/model/backbones/backbone.h"
#include "stages/model/backbones/convention.h"

namespace weir {

struct WeightsSource {
  static constexpr std::size_t kFewestDigits = 8;  // what torch.hub puts in a file's name
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

// What the file at an address is called.
std::string FileNameOf(std::string_view url);

}  // namespace weir
