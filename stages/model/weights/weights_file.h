// Named tensors in a file of one of the formats of weights_formats.h. The content tells which, not
// the name; nothing in a file is ever executed.
//
//   const auto file = WeightsFile::Open("backbone.pth");
//   std::vector<float> values(file->tensors()[0].values());
//   file->Read(file->tensors()[0], values);
//
// A file may come from anybody: whatever its bytes are, the outcome is tensors or an Error. A
// reader holds the table of names, and at most one tensor besides what it converts into; it never
// takes more memory than the file's size accounts for. One thread at a time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "framework/shape.h"
#include "stages/files/mapped_file.h"

namespace weir {

struct WeightsFormat;

struct TensorInfo {
  std::string name;
  Shape shape = {};  // empty where it cannot be read
  // As much of the name's front as are the groups (models, dictionaries) that it lies in; what
  // follows is the tensor's own key.
  std::size_t group_bytes = 0;
  bool is_floating = true;  // else it has whole numbers, as quantized weights do
  // Why the tensor cannot be read, to follow its name: "is a sparse tensor, which is not read".
  // Empty where it can.
  std::string unread = {};
  std::int64_t values() const;
};

class WeightsFile {
 public:
  // Throws Error(kData), naming the file and what is wrong with it; also where somebody writes to
  // it or cuts it short while it is read.
  static std::unique_ptr<WeightsFile> Open(const std::filesystem::path& path);
  // The same of a file that is mapped already, and stays so as long as this is there.
  static std::unique_ptr<WeightsFile> Open(const std::filesystem::path& path, MappedFile mapped);
  // The same of a file that weir writes: refused where its header is longer than weir's are.
  static std::unique_ptr<WeightsFile> OpenOwn(const std::filesystem::path& path, MappedFile mapped);

  virtual ~WeightsFile() = default;

  const std::filesystem::path& path() const { return path_; }
  const WeightsFormat& format() const { return *format_; }  // a row of weights_formats.h

  // Sorted by name. HDF5's are called "<layer>/<weight>" in either of Keras' layouts, without ":0":
  // "block_1_expand/kernel", "bn_Conv1/moving_mean"; where a .weights.h5 does not give the layers'
  // names, they are its own: "conv2d_3/kernel". The layers of a model inside another have its name
  // in front: "backbone/Conv1/kernel".
  const std::vector<TensorInfo>& tensors() const { return tensors_; }
  const TensorInfo* Find(std::string_view name) const;  // null if there is none

  const std::map<std::string, std::string>& metadata() const { return metadata_; }  // safetensors'

  // What opening the file takes beyond the reserve of a plan, in bytes: 0 but for headers of many
  // megabytes, such as networks for pictures do not have.
  std::size_t opening_bytes() const {
    return opening_bytes_ - std::min(opening_bytes_, kOpenedInReserve);
  }

  // Converts to float32, row-major as stored. `tensor` is one of tensors(), and out.size() its
  // values. Throws Error(kData) where it is one that is not read, proves to be damaged, or was
  // changed since.
  void Read(const TensorInfo& tensor, std::span<float> out);

 protected:
  explicit WeightsFile(std::filesystem::path path) : path_(std::move(path)) {}

  // Called once, by the constructor of a reader. Returns the order: tensors()[i] was given as
  // tensors[order[i]]. Throws Error(kData) if two have one name.
  std::vector<std::size_t> SetTensors(std::vector<TensorInfo> tensors);

  std::map<std::string, std::string> metadata_;
  std::size_t opening_bytes_ = 0;  // at most

 private:
  static constexpr std::size_t kOpenedInReserve = std::size_t{15} << 20;

  virtual void ReadAt(std::size_t index, std::span<float> out) = 0;  // gives tensors()[index]

  std::filesystem::path path_;
  std::vector<TensorInfo> tensors_;
  // From the end of Open on.
  const WeightsFormat* format_ = nullptr;
  std::optional<MappedFile> mapped_;
};

}  // namespace weir
