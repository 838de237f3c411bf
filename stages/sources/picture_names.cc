#include "stages/sources/picture_names.h"

#include <algorithm>
#include <array>
#include <vector>

#include "framework/config/suggestion.h"
#include "stages/sources/endings.h"

namespace weir {
namespace {

// Keras' list, and what else libvips reads everywhere.
constexpr std::array<std::string_view, 12> kPictures = {".jpg",  ".jpeg", ".png",  ".bmp",
                                                        ".ppm",  ".tif",  ".tiff", ".gif",
                                                        ".webp", ".heif", ".heic", ".avif"};
constexpr std::array<std::string_view, 4> kAnnotations = {".txt", ".csv", ".json", ".xml"};

// What Windows, macOS, Synology and Python leave in folders.
constexpr std::array<std::string_view, 10> kClutter = {
    "thumbs.db", "ehthumbs.db", "desktop.ini",  "icon\r",     "__macosx",
    "@eadir",    "__pycache__", "$recycle.bin", "lost+found", "system volume information"};

template <std::size_t size>
bool EndsInOneOf(const std::array<std::string_view, size>& endings, std::string_view name) {
  return std::any_of(endings.begin(), endings.end(), [&](std::string_view ending) {
    return name.size() > ending.size() && HasEnding(name, ending);
  });
}

}  // namespace

bool IsPictureName(std::string_view name) { return EndsInOneOf(kPictures, name); }

std::string PictureEndings() {
  return Enumerate(std::vector<std::string>(kPictures.begin(), kPictures.end()));
}

bool IsAnnotationName(std::string_view name) { return EndsInOneOf(kAnnotations, name); }

bool IsClutter(std::string_view name) {
  return name.starts_with('.') ||
         std::any_of(kClutter.begin(), kClutter.end(), [&](std::string_view known) {
           return name.size() == known.size() && HasEnding(name, known);
         });
}

}  // namespace weir
