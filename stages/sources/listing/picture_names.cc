#include "stages/sources/listing/picture_names.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "framework/config/suggestion.h"
#include "stages/decode/foreign_kinds.h"
#include "stages/decode/formats.h"
#include "stages/sources/listing/endings.h"

namespace weir {
namespace {

constexpr std::array<std::string_view, 4> kAnnotations = {".txt", ".csv", ".json", ".xml"};

// What Windows, macOS, Synology and Python leave in folders.
constexpr std::array<std::string_view, 10> kClutter = {
    "thumbs.db", "ehthumbs.db", "desktop.ini",  "icon\r",     "__macosx",
    "@eadir",    "__pycache__", "$recycle.bin", "lost+found", "system volume information"};

bool EndsInOneOf(std::span<const std::string_view> endings, std::string_view name) {
  return std::any_of(endings.begin(), endings.end(), [&](std::string_view ending) {
    return name.size() > ending.size() && HasEnding(name, ending);
  });
}

}  // namespace

bool IsPictureName(std::string_view name) {
  const auto is_of = [name](const ImageFormat* format) {
    return EndsInOneOf(format->endings, name);
  };
  return std::ranges::any_of(ImageFormats(), is_of) || EndsInOneOf(ForeignEndings(), name);
}

std::string PictureEndings() {
  std::vector<std::string> endings;
  for (const ImageFormat* format : ImageFormats()) {
    endings.insert(endings.end(), format->endings.begin(), format->endings.end());
  }
  endings.insert(endings.end(), ForeignEndings().begin(), ForeignEndings().end());
  return Enumerate(endings);
}

bool IsAnnotationName(std::string_view name) { return EndsInOneOf(kAnnotations, name); }

bool IsClutter(std::string_view name) {
  return name.starts_with('.') ||
         std::any_of(kClutter.begin(), kClutter.end(), [&](std::string_view known) {
           return name.size() == known.size() && HasEnding(name, known);
         });
}

}  // namespace weir
