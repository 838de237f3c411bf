#include "stages/model/safetensors_reader.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>

#include "framework/error.h"
#include "stages/model/byte_reader.h"
#include "stages/model/element_type.h"
#include "stages/model/printable.h"

namespace weir {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kLengthBytes = 8;
constexpr std::uint64_t kMostHeaderBytes = 16 << 20;
constexpr int kDeepest = 3;  // {name: {"shape": [...]}}
constexpr std::size_t kMostDimensions = 8;
constexpr const char* kMetadata = "__metadata__";

struct Placed {
  TensorInfo info;
  ElementType element = ElementType::kF32;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

class SafetensorsFile final : public WeightsFile {
 public:
  SafetensorsFile(const std::filesystem::path& path, std::unique_ptr<MappedFile> file)
      : WeightsFile(path), file_(std::move(file)) {
    ByteReader reader(file_->bytes());
    const std::uint64_t header_bytes = reader.Read<std::uint64_t>().value_or(0);
    if (header_bytes > kMostHeaderBytes) Refuse("its header is longer than 16 MiB");
    const auto header = reader.Take(header_bytes);
    if (!header) Refuse("its header reaches past the end of the file");
    values_ = *reader.Take(reader.remaining());

    std::vector<Placed> placed;
    const Json described = Parse(AsText(*header));
    for (const auto& [name, entry] : described.items()) {
      if (name == kMetadata) {
        ReadMetadata(entry);
      } else {
        placed.push_back(Place(name, entry));
      }
    }
    CheckTiling(placed);
    std::vector<TensorInfo> infos;
    for (const Placed& tensor : placed) infos.push_back(tensor.info);
    for (const std::size_t i : SetTensors(std::move(infos)))
      placed_.push_back(std::move(placed[i]));
  }

  WeightsFormat format() const override { return WeightsFormat::kSafetensors; }

 private:
  void ReadAt(std::size_t index, std::span<float> out) override {
    const Placed& tensor = placed_[index];
    ConvertToFloat(tensor.element, values_.data() + tensor.begin, 1, out);
  }

  Json Parse(std::string_view header) const {
    std::set<std::string> names;
    const auto check = [&](int depth, Json::parse_event_t event, Json& parsed) {
      if (depth > kDeepest) Refuse("its header is nested too deeply");
      if (event == Json::parse_event_t::key && depth == 1 &&
          !names.insert(parsed.get<std::string>()).second) {
        Refuse("tensor '" + Printable(parsed.get<std::string>()) + "' is there twice");
      }
      return true;
    };
    Json parsed;
    try {
      parsed = Json::parse(header, check);
    } catch (const Json::exception&) {
      Refuse("its header is not JSON");
    }
    if (!parsed.is_object()) Refuse("its header is not a JSON object");
    return parsed;
  }

  void ReadMetadata(const Json& entry) {
    if (!entry.is_object()) Refuse("its __metadata__ is not an object");
    for (const auto& [key, value] : entry.items()) {
      if (!value.is_string()) Refuse("its __metadata__ holds something other than text");
      metadata_[key] = value.get<std::string>();
    }
  }

  Placed Place(const std::string& name, const Json& entry) const {
    const auto refuse = [&](const std::string& what) {
      Refuse("tensor '" + Printable(name) + "' " + what);
    };
    Placed placed{.info = {.name = name}};
    if (!entry.is_object() || entry.size() != 3 || !entry.contains("dtype") ||
        !entry.contains("shape") || !entry.contains("data_offsets")) {
      refuse("is not described by dtype, shape and data_offsets");
    }
    const auto& type = entry["dtype"];
    const auto element =
        type.is_string() ? ElementTypeNamed(type.get<std::string>()) : std::nullopt;
    if (!element) refuse("has the type " + Printable(type.dump()) + ", which is not read");
    placed.element = *element;

    const auto& offsets = entry["data_offsets"];
    if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
        !offsets[1].is_number_unsigned()) {
      refuse("has no place in the file");
    }
    placed.begin = offsets[0].get<std::uint64_t>();
    placed.end = offsets[1].get<std::uint64_t>();
    if (placed.begin > placed.end || placed.end > values_.size()) refuse("lies outside the file");

    const auto& shape = entry["shape"];
    if (!shape.is_array() || shape.size() > kMostDimensions) refuse("has no shape");
    for (const auto& dimension : shape) {
      if (!dimension.is_number_unsigned()) refuse("has no shape");
      placed.info.shape.push_back(static_cast<std::int64_t>(dimension.get<std::uint64_t>()));
    }
    const std::uint64_t values = (placed.end - placed.begin) / ElementBytes(*element);
    if (ValueCount(placed.info.shape, values_.size()) != values ||
        values * ElementBytes(*element) != placed.end - placed.begin) {
      refuse("does not have as many bytes as its shape says");
    }
    return placed;
  }

  void CheckTiling(const std::vector<Placed>& placed) const {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> places;
    for (const Placed& tensor : placed) places.emplace_back(tensor.begin, tensor.end);
    std::ranges::sort(places);
    std::uint64_t end = 0;
    for (const auto& [begin, next] : places) {
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
  std::vector<Placed> placed_;  // in the order of tensors()
};

}  // namespace

bool LooksLikeSafetensors(std::span<const std::byte> file) {
  return file.size() > kLengthBytes && file[kLengthBytes] == std::byte{'{'};
}

std::unique_ptr<WeightsFile> OpenSafetensors(const std::filesystem::path& path,
                                             std::unique_ptr<MappedFile> file) {
  return std::make_unique<SafetensorsFile>(path, std::move(file));
}

}  // namespace weir
