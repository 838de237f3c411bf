// A format of files of weights as a row of the list in weights_formats.h: all that the rest of weir
// knows of it.
//
// Immutable. All functions may be called from any thread, each for a file of its own.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

#include "stages/files/mapped_file.h"
#include "stages/model/weights/containers/zip_directory.h"
#include "stages/model/weights/weights_file.h"

namespace weir {

// A file that is to be opened.
struct WeightsContent {
  std::filesystem::path path{};
  std::unique_ptr<MappedFile> file{};
  std::unique_ptr<ZipDirectory> zip{};  // the directory, read and checked; null where it is no zip

  std::span<const std::byte> bytes() const { return file->bytes(); }
};

struct WeightsFormat {
  // Whose it is, as advice says it in front of the endings: "a PyTorch".
  std::string_view whose;

  // What the names of its files end in, in advice: ".pth". The first is what it is called by.
  std::span<const std::string_view> endings;

  // Further endings that other programs give such files: ".ckpt".
  std::span<const std::string_view> other_endings = {};

  // Whether the convention of such a file's network is Keras', where the file does not say which.
  bool is_of_keras = false;

  // Goes by the content alone, not by the name. What matches may still prove to be damaged.
  bool (*matches)(const WeightsContent& content);

  // Throws Error(kData).
  std::unique_ptr<WeightsFile> (*open)(WeightsContent content);
};

}  // namespace weir
