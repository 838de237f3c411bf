#include "stages/model/weights/weights_file.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <numeric>

#include "framework/byte_size.h"
#include "framework/error.h"
#include "framework/text.h"
#include "stages/model/weights/containers/element_type.h"
#include "stages/model/weights/foreign_file.h"
#include "stages/model/weights/safetensors_limits.h"
#include "stages/model/weights/safetensors_reader.h"
#include "stages/model/weights/weights_format.h"
#include "stages/model/weights/weights_formats.h"

namespace weir {

std::int64_t TensorInfo::values() const {
  const auto count = ValueCount(shape, std::numeric_limits<std::int64_t>::max());
  return static_cast<std::int64_t>(count.value_or(0));
}

namespace {

const WeightsFormat& FormatOf(const WeightsContent& content) {
  const auto formats = WeightsFormats();
  const auto found = std::find_if(formats.rbegin(), formats.rend(), [&](const WeightsFormat* each) {
    return each->matches(content);
  });
  if (found == formats.rend()) RefuseForeignFile(content);
  return **found;
}

}  // namespace

std::unique_ptr<WeightsFile> WeightsFile::Open(const std::filesystem::path& path) {
  return Open(path, MappedFile(path));
}

std::unique_ptr<WeightsFile> WeightsFile::Open(const std::filesystem::path& path,
                                               MappedFile mapped) {
  std::unique_ptr<WeightsFile> file;
  try {
    WeightsContent content = {.path = path, .file = std::make_unique<MappedFile>(mapped)};
    if (ZipDirectory::LooksLikeZip(mapped.bytes())) {
      content.zip = std::make_unique<ZipDirectory>(content.bytes(), path.string());
    }
    const WeightsFormat& format = FormatOf(content);
    file = format.open(std::move(content));
    file->format_ = &format;
  } catch (const Error&) {
    mapped.CheckUnchanged();  // it says more than what was made of a half of the file
    throw;
  }
  mapped.CheckUnchanged();
  file->mapped_.emplace(std::move(mapped));
  return file;
}

std::unique_ptr<WeightsFile> WeightsFile::OpenOwn(const std::filesystem::path& path,
                                                  MappedFile mapped) {
  if (SafetensorsHeaderBytes(mapped.bytes()) > kMostOwnHeaderBytes) {
    throw Error(ErrorKind::kData,
                path.string() + ": its header is longer than " +
                    ToRoundText(ByteSize{kMostOwnHeaderBytes}) + ", which weir does not write",
                "the file is damaged or somebody else's: copy it again");
  }
  return Open(path, std::move(mapped));
}

const TensorInfo* WeightsFile::Find(std::string_view name) const {
  const auto found = std::ranges::lower_bound(tensors_, name, {}, &TensorInfo::name);
  return found != tensors_.end() && found->name == name ? &*found : nullptr;
}

void WeightsFile::Read(const TensorInfo& tensor, std::span<float> out) {
  assert(&tensor >= tensors_.data() && &tensor < tensors_.data() + tensors_.size());
  assert(static_cast<std::int64_t>(out.size()) == tensor.values());
  if (!tensor.unread.empty()) {
    throw Error(ErrorKind::kData,
                path_.string() + ": tensor '" + Printable(tensor.name) + "' " + tensor.unread,
                "copy or download the file again, or save its tensors again, whole and in float32");
  }
  try {
    ReadAt(static_cast<std::size_t>(&tensor - tensors_.data()), out);
  } catch (const Error&) {
    mapped_->CheckUnchanged();
    throw;
  }
  mapped_->CheckUnchanged();
}

std::vector<std::size_t> WeightsFile::SetTensors(std::vector<TensorInfo> tensors) {
  std::vector<std::size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {},
                    [&](std::size_t i) -> const std::string& { return tensors[i].name; });
  tensors_.reserve(tensors.size());
  for (std::size_t i : order) {
    if (!tensors_.empty() && tensors_.back().name == tensors[i].name) {
      throw Error(ErrorKind::kData,
                  path_.string() + ": tensor '" + Printable(tensors[i].name) + "' is there twice",
                  "save the weights again");
    }
    tensors_.push_back(std::move(tensors[i]));
  }
  return order;
}

}  // namespace weir
