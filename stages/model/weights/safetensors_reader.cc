#include "stages/model/weights/safetensors_reader.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "framework/byte_size.h"
#include "framework/error.h"
#include "framework/text.h"
#include "stages/files/byte_reader.h"
#include "stages/model/weights/safetensors_header.h"
#include "stages/model/weights/safetensors_limits.h"

namespace weir {
namespace {

constexpr std::size_t kLengthBytes = 8;
// Names, shapes and places take at most five times the header's bytes (4.5, measured).
constexpr std::size_t kBytesForOneOfHeader = 5;

class SafetensorsFile final : public WeightsFile {
 public:
  explicit SafetensorsFile(WeightsContent content)
      : WeightsFile(content.path), file_(std::move(content.file)) {
    ByteReader reader(file_->bytes());
    const std::uint64_t header_bytes = reader.Read<std::uint64_t>().value_or(0);
    if (header_bytes > kMostSafetensorsHeaderBytes) {
      Refuse("its header is longer than " + ToRoundText(ByteSize{kMostSafetensorsHeaderBytes}));
    }
    opening_bytes_ = kBytesForOneOfHeader * header_bytes;
    const auto text = reader.Take(header_bytes);
    if (!text) Refuse("its header reaches past the end of the file");
    values_ = *reader.Take(reader.remaining());
    SafetensorsHeader header = ReadHeader(AsText(*text));
    metadata_ = std::move(header.metadata);
    for (std::size_t i = 0; i < header.places.size(); ++i) {
      const SafetensorsPlace& place = header.places[i];
      TensorInfo& tensor = header.tensors[i];
      tensor.is_floating = place.element && IsFloating(*place.element);
      if (place.element) continue;
      tensor.unread =
          "is of type " + Printable(header.unread_types[place.unread_type]) + ", which is not read";
    }
    const std::vector<std::size_t> order = SetTensors(std::move(header.tensors));
    CheckTiling(header.places);
    places_.reserve(order.size());
    for (const std::size_t i : order) places_.push_back(header.places[i]);
  }

 private:
  void ReadAt(std::size_t index, std::span<float> out) override {
    const SafetensorsPlace& place = places_[index];
    ConvertToFloat(*place.element, values_.data() + place.begin, 1, out);
  }

  SafetensorsHeader ReadHeader(std::string_view text) const {
    try {
      return ReadSafetensorsHeader(text, values_.size());
    } catch (const SafetensorsRefusal& refusal) {
      Refuse(refusal.what());
    }
  }

  void CheckTiling(const std::vector<SafetensorsPlace>& places) const {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> sorted;
    sorted.reserve(places.size());
    for (const SafetensorsPlace& place : places) sorted.emplace_back(place.begin, place.end);
    std::ranges::sort(sorted);
    std::uint64_t end = 0;
    for (const auto& [begin, next] : sorted) {
      if (begin != end) Refuse("its tensors overlap or leave gaps");
      end = next;
    }
    if (end != values_.size()) Refuse("it has bytes that belong to no tensor");
  }

  [[noreturn]] void Refuse(const std::string& what) const {
    throw Error(ErrorKind::kData, path().string() + ": " + what,
                "the file is damaged or cut short: copy or download it again");
  }

  std::unique_ptr<MappedFile> file_;
  std::span<const std::byte> values_;
  std::vector<SafetensorsPlace> places_;  // in the order of tensors()
};

bool LooksLikeSafetensors(std::span<const std::byte> file) {
  return file.size() > kLengthBytes && file[kLengthBytes] == std::byte{'{'};
}

constexpr std::string_view kEndings[] = {".safetensors"};

}  // namespace

constinit const WeightsFormat kSafetensorsFormat = {
    .whose = "a",
    .endings = kEndings,
    .matches = [](const WeightsContent& it) { return LooksLikeSafetensors(it.bytes()); },
    .open = [](WeightsContent content) -> std::unique_ptr<WeightsFile> {
      return std::make_unique<SafetensorsFile>(std::move(content));
    },
};

std::uint64_t SafetensorsHeaderBytes(std::span<const std::byte> file) {
  if (!LooksLikeSafetensors(file)) return 0;
  return ByteReader(file).Read<std::uint64_t>().value_or(0);
}

}  // namespace weir
