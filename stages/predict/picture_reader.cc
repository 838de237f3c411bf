#include "stages/predict/picture_reader.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include "framework/config/params.h"
#include "framework/error.h"
#include "framework/memory/memory_budget.h"
#include "framework/text.h"
#include "stages/byte_source.h"
#include "stages/predict/picture_stages.h"

namespace weir {
namespace {

const Pass kPass{.split = Split::kPredict};

StageContext ContextOf() {
  return {kPass, 0, [] { return false; }};
}

[[noreturn]] void Refuse(const std::string& why) {
  throw Error(ErrorKind::kData, why,
              "Give the model pixels of its size, made ready as the run did.");
}

class MemorySource final : public ByteSource {
 public:
  MemorySource(const void* bytes, std::size_t size)
      : bytes_(static_cast<const std::byte*>(bytes), size) {}

  std::uint64_t size() const override { return bytes_.size(); }
  FileStamp stamp() const override { return {}; }
  std::string identity() const override { return ""; }
  std::size_t bytes_at_once() const override { return 0; }
  std::size_t Read(std::uint64_t offset, void* to, std::size_t count) const override {
    if (offset >= bytes_.size()) return 0;
    count = std::min<std::size_t>(count, bytes_.size() - offset);
    std::memcpy(to, bytes_.data() + offset, count);
    return count;
  }

 private:
  const std::span<const std::byte> bytes_;
};

}  // namespace

ImageFile FileInMemory(const void* bytes, std::size_t size) {
  ImageFile file;
  file.sample.path = "the picture";
  file.part = FilePart{.path = file.sample.path,
                       .source = std::make_shared<const MemorySource>(bytes, size)};
  return file;
}

Image CopyOf(const PixelView& pixels) {
  const auto height = static_cast<std::size_t>(pixels.height);
  const std::size_t row = std::size_t{3} * static_cast<std::size_t>(pixels.width);
  Image image{{}, pixels.height, pixels.width, AlignedBuffer<std::uint8_t>(row * height)};
  for (std::size_t y = 0; y < height; ++y) {
    std::memcpy(image.pixels.data() + y * row, pixels.pixels + y * pixels.row_bytes, row);
  }
  return image;
}

PictureReader::PictureReader(const YamlNode& pictures, MapSize input) : input_(input) {
  if (!pictures.is_list() || pictures.items().empty()) {
    Refuse("the model does not say by which stages its pictures are made ready");
  }
  BuildContext context{.upstream = {}, .resources = resources_, .training = false};
  Registry registry;
  AddPictureStages(registry);
  for (const YamlNode& stage : pictures.items()) Append(stage, registry, context);
  if (!decode_) Refuse("the model's pictures are not made ready by `decode`");
  const Shape wanted = {input.height, input.width, 3};
  if (context.upstream.dims != wanted) {
    Refuse("the stages that make the model's pictures ready do not give its size, " +
           std::to_string(input.height) + "x" + std::to_string(input.width));
  }
  MemoryBudget nothing(0);  // none of them holds anything
  OpenContext open{.budget = nothing};
  decode_->Open(open);
  for (PlacedStage& placed : behind_) placed.any->stage().Open(open);
}

void PictureReader::Append(const YamlNode& stage, const Registry& registry, BuildContext& context) {
  const std::vector<YamlEntry> entries = stage.entries();
  if (entries.size() != 1) Refuse("a stage that makes the model's pictures ready has no name");
  const StageSpec* const spec = registry.Find(entries[0].key);
  if (!spec) {
    Refuse("its pictures are made ready by a stage " + InBackticks(entries[0].key) +
           ", which is not weir's own");
  }
  Problems problems;
  spec->check(entries[0].value, problems);
  if (!problems.empty()) Refuse(problems.messages().front());
  if (spec->name == Decode::kName) {
    if (decode_) Refuse("its pictures are decoded twice");
    decode_ = std::make_unique<Decode>(Parse<Decode::Params>(entries[0].value), context);
    decode_->set_consumers(1);
    return;
  }
  if (!decode_) Refuse("its pictures are changed before they are decoded");
  behind_.push_back(spec->make(entries[0].value, context));
  Stage& made = behind_.back().any->stage();
  const ItemSpec output = made.output();
  if (!output.dims.empty()) context.upstream = output;
  bytes_behind_decode_ += made.footprint().item_bytes;
}

Outcome<std::size_t> PictureReader::BytesFor(const ImageFile& file) const {
  Outcome<std::size_t> bytes = decode_->AdmissionBytes(file);
  if (std::size_t* of_decoding = std::get_if<std::size_t>(&bytes)) {
    *of_decoding += bytes_behind_decode_;
  }
  return bytes;
}

Outcome<Image> PictureReader::Read(const ImageFile& file, std::size_t bytes) const {
  StageContext context = ContextOf();
  context.set_granted_bytes(bytes - std::min(bytes, bytes_behind_decode_));
  Outcome<Image> decoded = decode_->Map(file, context);
  if (std::holds_alternative<Drop>(decoded)) return decoded;
  return ReadPixels(std::get<Image>(std::move(decoded)));
}

Outcome<Image> PictureReader::ReadPixels(Image picture) const {
  StageContext context = ContextOf();
  Packet packet = Packet::Make(std::move(picture));
  for (const PlacedStage& placed : behind_) {
    Outcome<Packet> made = placed.any->Map(std::move(packet), {}, context);
    if (Drop* drop = std::get_if<Drop>(&made)) return std::move(*drop);
    packet = std::get<Packet>(std::move(made));
  }
  Ticket none;
  return packet.Take<Image>(none);
}

}  // namespace weir
