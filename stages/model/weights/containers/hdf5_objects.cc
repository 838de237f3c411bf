#include "stages/model/weights/containers/hdf5_objects.h"

#include <algorithm>

#include "framework/error.h"
#include "framework/text.h"
#include "stages/files/byte_reader.h"

// Layout and signatures: "HDF5 File Format Specification Version 3.0", sections II to IV.
namespace weir {
namespace {

constexpr std::string_view kSignature("\x89HDF\r\n\x1a\n", 8);
// A limit, so that a damaged file cannot keep the reader in a circle. A file of 52 convolutions and
// their batch norms has 6,000 messages.
constexpr int kMostLookedAt = 200'000;
constexpr int kDeepestTree = 8;
constexpr std::uint64_t kMostTextBytes = 1024;
constexpr std::size_t kSymbolBytes = 40;

enum Message {
  kDataspace = 0x01,
  kLinkInfo = 0x02,
  kDatatype = 0x03,
  kLink = 0x06,
  kLayout = 0x08,
  kAttribute = 0x0C,
  kContinuation = 0x10,
  kSymbolTable = 0x11,
};

}  // namespace

std::optional<Hdf5Attribute> Hdf5Object::FindAttribute(std::string_view name) const {
  const auto found = std::ranges::lower_bound(attributes, name, {}, &Attribute::name);
  if (found == attributes.end() || found->name != name) return std::nullopt;
  return ParseHdf5Attribute(found->message);
}

std::optional<std::uint64_t> Hdf5Object::FindChild(std::string_view name) const {
  const auto found = std::ranges::lower_bound(children, name, {}, &Hdf5Link::name);
  if (found == children.end() || found->name != name) return std::nullopt;
  return found->address;
}

bool Hdf5Objects::LooksLikeHdf5(std::span<const std::byte> file) {
  return AsText(file).starts_with(kSignature);
}

Hdf5Objects::Hdf5Objects(std::span<const std::byte> file, std::string file_name)
    : file_(file), file_name_(std::move(file_name)) {
  ByteReader reader(file_, kSignature.size());
  const auto version = Need(reader.Read<std::uint8_t>());
  if (version > 3) Refuse("has a superblock of version " + std::to_string(version));
  if (version <= 1) Need(reader.Take(4));  // versions of other parts
  const auto offset_bytes = Need(reader.Read<std::uint8_t>());
  const auto length_bytes = Need(reader.Read<std::uint8_t>());
  if (offset_bytes != 8 || length_bytes != 8) Refuse("does not use 64-bit addresses");
  if (version <= 1) {
    Need(reader.Take(version == 0 ? 9 : 13));  // tree sizes, flags
    if (Need(reader.Read<std::uint64_t>()) != 0) Refuse("does not start at its first byte");
    Need(reader.Take(32));  // 8 bytes each: free space, end, driver, the root's name
  } else {
    Need(reader.Take(1));
    if (Need(reader.Read<std::uint64_t>()) != 0) Refuse("does not start at its first byte");
    Need(reader.Take(16));  // 8 bytes each: extension, end
  }
  root_ = Need(reader.Read<std::uint64_t>());
}

Hdf5Object Hdf5Objects::Read(std::uint64_t address) {
  Hdf5Object object;
  std::vector<HeaderBlock> blocks{FirstBlock(address)};
  while (!blocks.empty()) {
    const HeaderBlock block = blocks.back();
    blocks.pop_back();
    ReadBlock(block, object, blocks);
  }
  std::ranges::stable_sort(object.attributes, {}, &Hdf5Object::Attribute::name);
  std::ranges::stable_sort(object.children, {}, &Hdf5Link::name);
  // clang 14 cannot compile std::ranges::unique of this standard library.
  const auto repeated =
      std::unique(object.children.begin(), object.children.end(),
                  [](const Hdf5Link& a, const Hdf5Link& b) { return a.name == b.name; });
  object.children.erase(repeated, object.children.end());
  return object;
}

Hdf5Objects::HeaderBlock Hdf5Objects::FirstBlock(std::uint64_t address) {
  ByteReader reader(At(address));
  if (AsText(At(address)).starts_with("OHDR")) {
    Need(reader.Take(5));
    const auto flags = Need(reader.Read<std::uint8_t>());
    if (flags & 0x20) Need(reader.Take(16));  // times
    if (flags & 0x10) Need(reader.Take(4));   // limits of attributes
    std::uint64_t bytes = 0;
    const auto size = Need(reader.Take(std::uint64_t{1} << (flags & 3)));
    std::memcpy(&bytes, size.data(), size.size());
    return {Need(reader.Take(bytes)), true, (flags & 4) != 0};
  }
  if (Need(reader.Read<std::uint8_t>()) != 1) Damaged();
  Need(reader.Take(7));
  const auto bytes = Need(reader.Read<std::uint32_t>());
  Need(reader.Take(4));
  return {Need(reader.Take(bytes)), false, false};
}

void Hdf5Objects::ReadBlock(const HeaderBlock& block, Hdf5Object& object,
                            std::vector<HeaderBlock>& more) {
  ByteReader reader(block.bytes);
  const std::size_t head = block.is_second_version ? (block.has_creation_order ? 6 : 4) : 8;
  while (reader.remaining() >= head) {
    Count();
    const int type = block.is_second_version ? Need(reader.Read<std::uint8_t>())
                                             : Need(reader.Read<std::uint16_t>());
    const auto bytes = Need(reader.Read<std::uint16_t>());
    const auto flags = Need(reader.Read<std::uint8_t>());
    Need(reader.Take(head - (block.is_second_version ? 4 : 5)));
    const auto message = Need(reader.Take(bytes));
    const bool is_elsewhere = flags & 2;
    if (is_elsewhere) continue;  // a shared type: its dataset is refused for want of one
    if (type != kContinuation) {
      ReadMessage(type, message, object);
      continue;
    }
    ByteReader place(message);
    const auto address = Need(place.Read<std::uint64_t>());
    const auto length = Need(place.Read<std::uint64_t>());
    HeaderBlock next = block;
    next.bytes = Need(ByteReader(At(address)).Take(length));
    if (block.is_second_version) {  // "OCHK" before and a checksum behind
      if (length < 8) Damaged();
      next.bytes = next.bytes.subspan(4, length - 8);
    }
    more.push_back(next);
  }
}

void Hdf5Objects::ReadMessage(int type, std::span<const std::byte> message, Hdf5Object& object) {
  switch (type) {
    case kDataspace:
      object.shape = ParseHdf5Shape(message);
      return;
    case kDatatype:
      object.type = ParseHdf5Type(message);
      return;
    case kLayout:
      object.is_dataset = true;
      object.layout = ParseHdf5Layout(message);
      return;
    case kAttribute:
      object.attributes.push_back({Need(ParseHdf5AttributeName(message)), message});
      return;
    case kSymbolTable:
      ReadSymbolTable(message, object);
      return;
    case kLink: {
      const Hdf5Link link = Need(ParseHdf5Link(message));
      AddChild(link.name, link.address, object);
      return;
    }
    case kLinkInfo: {
      ByteReader reader(message);
      Need(reader.Take(1));
      if (Need(reader.Read<std::uint8_t>()) & 1) Need(reader.Take(8));  // creation order
      if (Need(reader.Read<std::uint64_t>()) != kHdf5Undefined) {
        Refuse("has a group with dense links, which Keras does not write");
      }
      return;
    }
    default:
      return;
  }
}

void Hdf5Objects::ReadSymbolTable(std::span<const std::byte> message, Hdf5Object& object) {
  ByteReader reader(message);
  const auto tree = Need(reader.Read<std::uint64_t>());
  const auto heap_address = Need(reader.Read<std::uint64_t>());
  ByteReader heap(At(heap_address));
  if (AsText(Need(heap.Take(4))) != "HEAP") Damaged();
  Need(heap.Take(4));
  const auto bytes = Need(heap.Read<std::uint64_t>());
  Need(heap.Take(8));
  const auto names = ByteReader(At(Need(heap.Read<std::uint64_t>()))).Take(bytes);
  ReadSymbolNode(tree, kDeepestTree, Need(names), object);
}

// A node of the tree, or a leaf with the symbols themselves; `level` counts down.
void Hdf5Objects::ReadSymbolNode(std::uint64_t address, int level, std::span<const std::byte> names,
                                 Hdf5Object& object) {
  if (level < 0) Damaged();
  Count();
  ByteReader reader(At(address));
  const std::string_view signature = AsText(Need(reader.Take(4)));
  Need(reader.Take(2));
  const auto count = Need(reader.Read<std::uint16_t>());
  if (signature == "TREE") {
    Need(reader.Take(16));  // two siblings of 8 bytes
    for (int i = 0; i < count; ++i) {
      Need(reader.Take(8));  // key
      ReadSymbolNode(Need(reader.Read<std::uint64_t>()), level - 1, names, object);
    }
    return;
  }
  if (signature != "SNOD") Damaged();
  for (int i = 0; i < count; ++i) {
    ByteReader symbol(Need(reader.Take(kSymbolBytes)));
    const auto offset = *symbol.Read<std::uint64_t>();
    if (offset >= names.size()) Damaged();
    const std::string_view text = AsText(names.subspan(offset)).substr(0, kMostTextBytes);
    AddChild(text.substr(0, text.find('\0')), *symbol.Read<std::uint64_t>(), object);
  }
}

void Hdf5Objects::AddChild(std::string_view name, std::uint64_t address, Hdf5Object& object) {
  Count();
  if (address == kHdf5Undefined) return;  // a soft link, which Keras does not use
  if (name.size() > kMostTextBytes) Damaged();
  object.children.push_back({name, address});
}

std::vector<std::string_view> Hdf5Objects::Texts(const Hdf5Attribute& attribute) {
  const auto refuse = [&] { Refuse("attribute '" + Printable(attribute.name) + "' is not text"); };
  if (!attribute.type || !attribute.shape) refuse();
  const std::uint64_t most = attribute.values.size() / attribute.type->bytes;
  const std::uint64_t count = Need(ValueCount(*attribute.shape, most));
  if (count == 0) return {};
  if (attribute.type->kind == Hdf5Type::kNumber) refuse();
  std::vector<std::string_view> texts;
  ByteReader reader(attribute.values);
  for (std::uint64_t i = 0; i < count; ++i) {
    Count();
    const auto value = Need(reader.Take(attribute.type->bytes));
    if (attribute.type->kind == Hdf5Type::kVariableText) {
      texts.push_back(HeapText(value));
    } else {
      const std::string_view text = AsText(value).substr(0, kMostTextBytes);
      texts.emplace_back(text.substr(0, text.find('\0')));
    }
  }
  return texts;
}

// A text in a global heap: its length, the heap's address and its number there.
std::string_view Hdf5Objects::HeapText(std::span<const std::byte> reference) {
  ByteReader fields(reference);
  const auto length = Need(fields.Read<std::uint32_t>());
  const auto address = Need(fields.Read<std::uint64_t>());
  const auto number = Need(fields.Read<std::uint32_t>());
  if (length == 0) return {};
  ByteReader heap(At(address));
  if (AsText(Need(heap.Take(4))) != "GCOL") Damaged();
  Need(heap.Take(4));
  const auto heap_bytes = Need(heap.Read<std::uint64_t>());
  ByteReader objects(Need(ByteReader(At(address)).Take(heap_bytes)), heap.position());
  while (objects.remaining() > 0) {
    Count();
    const auto index = Need(objects.Read<std::uint16_t>());
    Need(objects.Take(6));
    const auto bytes = Need(objects.Read<std::uint64_t>());
    if (index == 0) break;  // the free space at the end
    const auto text = Need(objects.Take(bytes));
    objects.Take((8 - bytes % 8) % 8);
    if (index != number) continue;
    if (length > text.size() || length > kMostTextBytes) Damaged();
    const std::string_view found = AsText(text.first(length));
    return found.substr(0, found.find('\0'));
  }
  Damaged();
}

std::span<const std::byte> Hdf5Objects::Values(const Hdf5Object& dataset, std::string& unread) {
  const auto leave = [&](std::string_view why) {
    unread = why;
    return std::span<const std::byte>();
  };
  if (!dataset.is_dataset) return leave("is not a dataset");
  if (!dataset.type || dataset.type->kind != Hdf5Type::kNumber) {
    return leave("is not made of numbers that are read");
  }
  if (!dataset.layout) return leave("is chunked or compressed, as Keras does not write it");
  if (!dataset.shape) return leave("has no shape");
  const auto count = ValueCount(*dataset.shape, file_.size() / dataset.type->bytes);
  if (!count) return leave("has more values than the file can hold");
  const std::uint64_t bytes = *count * dataset.type->bytes;
  if (bytes == 0) return {};
  if (dataset.layout->bytes < bytes) return leave("has fewer values than its shape says");
  if (!dataset.layout->compact.empty()) return dataset.layout->compact.first(bytes);
  if (dataset.layout->address == kHdf5Undefined) return leave("has no values in the file");
  return Need(ByteReader(At(dataset.layout->address)).Take(bytes));
}

std::span<const std::byte> Hdf5Objects::At(std::uint64_t address) const {
  if (address >= file_.size()) Damaged();
  return file_.subspan(address);
}

void Hdf5Objects::Count() {
  if (++looked_at_ > kMostLookedAt) Refuse("is more entangled than Keras' files are");
}

void Hdf5Objects::Damaged() const { Refuse("is damaged or cut short"); }

void Hdf5Objects::Refuse(const std::string& what) const {
  throw Error(ErrorKind::kData, file_name_ + ": " + what,
              "copy or download the file again, or save it again by Keras' save_weights");
}

}  // namespace weir
