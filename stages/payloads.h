// What the picture stages hand to each other. The names are the ports' and part of the plugin
// interface.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "framework/flow/packet.h"
#include "framework/flow/pass.h"
#include "framework/shape.h"
#include "stages/file_stamp.h"
#include "stages/pixel_view.h"

namespace weir {

// Uninitialised, aligned to 64 bytes (a cache line, an AVX-512 register). Copies copy the values.
template <class T>
class AlignedBuffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t size)
      : size_(size),
        data_(static_cast<T*>(::operator new (size * sizeof(T), std::align_val_t{64}))) {}
  AlignedBuffer(const AlignedBuffer& other) : AlignedBuffer(other.size_) {
    if (size_ > 0) std::memcpy(data_.get(), other.data_.get(), other.bytes());
  }
  AlignedBuffer(AlignedBuffer&& other) noexcept = default;
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept = default;
  AlignedBuffer& operator=(const AlignedBuffer& other) { return *this = AlignedBuffer(other); }

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  std::size_t size() const { return size_; }
  std::size_t bytes() const { return size_ * sizeof(T); }

 private:
  struct Free {
    void operator()(T* data) const { ::operator delete (data, std::align_val_t{64}); }
  };
  std::size_t size_ = 0;
  std::unique_ptr<T, Free> data_;
};

// A class, and how much of a sample is of it.
struct LabelPart {
  int label = -1;
  double part = 1;
};

// Which sample of the data something is of.
struct Sample {
  std::uint64_t index = 0;  // in the listing: the same in every epoch
  int label = -1;           // its class; -1 where it has none; of a mixture the one with the most
  std::string path;
  std::vector<LabelPart> mixture{};  // what it is mixed of, where it is; the parts add up to 1
  std::uint64_t order = 0;           // its place in the pass; known from `batch` on
};

class ByteSource;

// Where the bytes of a sample are: a file, or a part of one. Past the end there are none.
struct FilePart {
  std::string path;
  std::uint64_t begin = 0;
  std::uint64_t size = std::numeric_limits<std::uint64_t>::max();
  std::optional<FileStamp> stamp{};  // where the place holds only as long as the file is that
  std::shared_ptr<const ByteSource> source{};  // where it is no file here; `path` is for messages
};

struct ImageFile {
  static constexpr PortType kPortType = "image/file";
  Sample sample;
  std::optional<FilePart> part{};  // where it is no file of its own, at sample.path
  FilePart content() const { return part ? *part : FilePart{sample.path}; }
  const std::string& name() const { return sample.path; }  // in messages
};

// sRGB, [height, width, 3], rows without gaps, upright.
struct Image {
  static constexpr PortType kPortType = "image/u8hwc";
  Sample sample;
  int height = 0;
  int width = 0;
  AlignedBuffer<std::uint8_t> pixels;
  PixelView view() const { return {pixels.data(), height, width}; }
  MutablePixelView view() { return {pixels.data(), height, width}; }
  std::size_t bytes() const { return pixels.bytes(); }
  bool is_whole() const {
    return height > 0 && width > 0 && pixels.size() >= std::size_t{3} * height * width;
  }
};

// A picture as a file has it.
struct EncodedImage {
  static constexpr PortType kPortType = "image/encoded";
  Sample sample;
  std::string ending;  // the ending of its file's name: "jpg"
  std::vector<std::uint8_t> content;
  std::size_t bytes() const { return content.capacity(); }
};

// Memory of a batch on a device, made and read by the device side alone; ends with the batch.
class DeviceBatch {
 public:
  virtual ~DeviceBatch() = default;
};

// [size, height, width, 3] on the host, or handed over to a device.
struct Batch {
  static constexpr PortType kPortType = "batch/u8nhwc";
  std::vector<Sample> samples;
  int height = 0;
  int width = 0;
  AlignedBuffer<std::uint8_t> pixels;   // room for the batch size; empty where `device` holds it
  std::shared_ptr<DeviceBatch> device;  // null on the host
  int size() const { return static_cast<int>(samples.size()); }
  std::size_t bytes() const { return pixels.bytes(); }
  bool is_whole() const {
    return device || pixels.size() >= samples.size() * std::size_t{3} * height * width;
  }
};

// Features on a device, laid out as FeatureBatch::values has them.
class DeviceFeatures {
 public:
  virtual ~DeviceFeatures() = default;

  // Within Device::Issue: where they are on the device; work that is queued from now on sees all
  // of them.
  virtual const float* BeginUse() = 0;
  // Within Device::Issue: no work reads them that is queued later.
  virtual void EndUse() = 0;

  // A copy on the host. Any thread.
  virtual void Fetch(AlignedBuffer<float>& to) = 0;
};

// [size, dims...] in float32 on the host: what the frozen prefix gives, [N, C] or [N, h, w, C], or
// pictures as numbers, [N, H, W, 3].
struct FeatureBatch {
  static constexpr PortType kPortType = "batch/features";
  std::vector<Sample> samples;
  Shape dims;                   // the shape of one sample
  AlignedBuffer<float> values;  // empty where `device` holds them
  // Null on the host; else all stages that take the batch take it so (Stage::may_stay_on_device).
  std::shared_ptr<DeviceFeatures> device{};
  int size() const { return static_cast<int>(samples.size()); }
  std::size_t bytes() const { return values.bytes(); }
  bool is_whole() const {
    return device || values.size() >= samples.size() * static_cast<std::size_t>(ValuesIn(dims));
  }
};

// The names of the classes, in the order of their labels; provided by the source.
struct Classes {
  static constexpr std::string_view kResource = "classes";
  std::vector<std::string> names;
};

// How many samples a pass over each split will begin with; provided by the source.
struct SampleCounts {
  static constexpr std::string_view kResource = "sample counts";
  std::map<Split, std::uint64_t> of_split;
  std::uint64_t operator[](Split split) const {
    const auto found = of_split.find(split);
    return found == of_split.end() ? 0 : found->second;
  }
};

// How many of the samples that a pass over each split will begin with are of each class; provided
// by a source that knows, and of use as long as the pipeline is there. Any thread.
struct ClassCounts {
  static constexpr std::string_view kResource = "class counts";
  std::function<std::uint64_t(Split, int label)> of;
};

// The samples of a pass in its order, before any is looked at; provided by the source, and of use
// as long as the pipeline is there. Any thread; a walk belongs to one.
struct SampleOrder {
  static constexpr std::string_view kResource = "sample order";
  using Walk = std::function<std::optional<Sample>()>;
  std::function<Walk(const Pass&)> begin;  // from pass.first_sample on
  // The same of this rank's samples alone; empty where the source knows nothing of ranks.
  std::function<Walk(const Pass&)> begin_share;
  Walk BeginShare(const Pass& pass) const { return begin_share ? begin_share(pass) : begin(pass); }
  std::uint64_t index_end = 0;  // every Sample.index is below it
  std::function<FilePart(const Sample&)> content = [](const Sample& sample) {
    return FilePart{sample.path};
  };
};

// How the samples of a pass are gathered; provided by the stage that does. A batch is a window of
// the pass: the samples of `size` orders in a row, less those that were dropped on their way. So a
// sample that is dropped leaves its own batch smaller, and moves no other.
struct Batching {
  static constexpr std::string_view kResource = "batching";
  int size = 0;
  bool drop_last = false;  // whether a train pass leaves out what is over at its end
};

// The size that a picture is wanted in at least, in pixels, so that no more is decoded; provided by
// the stages that resize. Where others take the whole picture, it does not hold.
struct WantedSize {
  static constexpr std::string_view kResource = "wanted size";
  int height = 0;
  int width = 0;
  int stages = 1;  // how many stages provide it
  void Merge(const WantedSize& other) {
    height = std::max(height, other.height);
    width = std::max(width, other.width);
    stages += other.stages;
  }
};

}  // namespace weir
