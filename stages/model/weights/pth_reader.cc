#include "stages/model/weights/pth_reader.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "framework/error.h"
#include "framework/text.h"
#include "stages/files/byte_reader.h"
#include "stages/model/weights/containers/pickle.h"
#include "stages/model/weights/containers/pickle_calls.h"
#include "stages/model/weights/containers/zip_directory.h"
#include "stages/model/weights/foreign_file.h"
#include "stages/model/weights/state_dict.h"

namespace weir {
namespace {

constexpr std::string_view kPickleName = "/data.pkl";

// torch.serialization's MAGIC_NUMBER 0x1950a86a20f9469cfc6c, as the pickle that opens an old file.
constexpr std::array<unsigned char, 15> kLegacyMagic = {
    0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.'};

bool LooksLegacy(std::span<const std::byte> file) {
  return file.size() >= kLegacyMagic.size() &&
         std::memcmp(file.data(), kLegacyMagic.data(), kLegacyMagic.size()) == 0;
}

class PthFile final : public WeightsFile {
 public:
  explicit PthFile(WeightsContent content)
      : WeightsFile(content.path),
        file_(std::move(content.file)),
        name_(path().string()),
        zip_(std::move(content.zip)) {
    std::vector<StoredTensor> tensors = zip_ ? ReadZip() : ReadLegacy();
    std::vector<TensorInfo> infos;
    for (StoredTensor& tensor : tensors) {
      if (tensor.info.unread.empty()) tensor.info.unread = Missing(tensor);
      if (!tensor.info.unread.empty()) tensor.info.shape.clear();
      tensor.info.is_floating = IsFloating(tensor.element);
      infos.push_back(tensor.info);
    }
    for (const std::size_t i : SetTensors(std::move(infos)))
      stored_.push_back(std::move(tensors[i]));
  }

 private:
  struct Storage {
    std::span<const std::byte> bytes;
    const ZipEntry* entry = nullptr;  // null in an old file, which has no checksums
    bool checked = false;
  };

  void ReadAt(std::size_t index, std::span<float> out) override {
    const StoredTensor& tensor = stored_[index];
    Storage& storage = storages_.at(tensor.storage);
    if (!storage.checked && storage.entry && !storage.entry->Intact()) {
      Refuse("tensor '" + Printable(tensor.info.name) +
             "' does not have the checksum that the file states");
    }
    storage.checked = true;
    ReadStrided(tensor, storage.bytes.data(), out);
  }

  std::vector<StoredTensor> ReadZip() {
    RefuseForeignZip(path(), *zip_);
    const auto pickle = std::ranges::find_if(zip_->entries(), [](const auto& entry) {
      return entry.first.ends_with(kPickleName) &&
             entry.first.find('/') == entry.first.size() - kPickleName.size();
    });
    if (pickle == zip_->entries().end()) Refuse("the zip file holds no data.pkl in its one folder");
    CheckStored(pickle->first, pickle->second);
    const std::string folder(pickle->first.substr(0, pickle->first.size() - kPickleName.size()));
    const ZipEntry* byte_order = zip_->Find(folder + "/byteorder");
    if (byte_order && AsText(byte_order->bytes) != "little") {
      Refuse("was saved on a big-endian machine, which is not supported");
    }
    if (!pickle->second.Intact())
      Refuse("data.pkl does not have the checksum that the file states");
    std::vector<StoredTensor> tensors = TensorsOf(Pickle(pickle->second.bytes, name_), name_);
    for (const StoredTensor& tensor : tensors) {
      const std::string name = folder + "/data/" + std::string(tensor.storage);
      const ZipEntry* entry = zip_->Find(name);
      if (entry) CheckStored(name, *entry);
      if (entry) storages_[tensor.storage] = {.bytes = entry->bytes, .entry = entry};
    }
    return tensors;
  }

  void CheckStored(std::string_view name, const ZipEntry& entry) const {
    if (entry.is_stored) return;
    throw Error(ErrorKind::kData, name_ + ": entry '" + Printable(name) + "' is compressed",
                "torch.save stores its entries uncompressed: save the weights with it again");
  }

  // Five pickles (magic, protocol, machine, the dictionary, the storages' keys), then each storage
  // as its number of elements in 64 bits and the elements. torch/serialization.py, _legacy_save.
  std::vector<StoredTensor> ReadLegacy() {
    std::span<const std::byte> rest = file_->bytes();
    const auto next = [&] {
      auto pickle = std::make_unique<Pickle>(rest, name_);
      rest = rest.subspan(pickle->bytes_read());
      return pickle;
    };
    next();
    const auto version = next();
    if (version->root().kind != PickleKind::kInteger || version->root().integer != 1001)
      Refuse("was saved in a version of the format that is not known");
    if (!IsLittleEndian(next()->root()))
      Refuse("was saved on a big-endian machine, which is not supported");
    const auto described = next();
    std::vector<StoredTensor> tensors = TensorsOf(*described, name_);
    std::map<std::string_view, std::size_t> element_bytes;
    for (const PickleNode* storage : described->storages()) {
      const StorageType* type = FindStorageType(storage->items[1]);
      if (!type) {
        Refuse("holds a storage of " + Printable(QualifiedName(storage->items[1])) +
               ", whose size is not known");
      }
      element_bytes[storage->items[0].text()] = type->element_bytes;
    }
    const auto keys = next();
    if (keys->root().kind != PickleKind::kList) Refuse("the list of storages is damaged");
    ByteReader reader(rest);
    for (const PickleValue& key : keys->root().node->items) {
      const auto elements = reader.Read<std::uint64_t>();
      const auto size = element_bytes.find(key.text());
      if (size == element_bytes.end()) Refuse("the list of storages is damaged");
      if (!elements || *elements > reader.remaining() / size->second) Refuse("is cut short");
      storages_[key.text()] = {.bytes = *reader.Take(*elements * size->second)};
    }
    return tensors;
  }

  static bool IsLittleEndian(const PickleValue& machine) {
    if (machine.kind != PickleKind::kDict) return false;
    const std::vector<PickleValue>& items = machine.node->items;
    for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
      if (items[i].text() == "little_endian")
        return items[i + 1].kind == PickleKind::kBool && items[i + 1].integer == 1;
    }
    return false;
  }

  // Why the tensor's values are not in the file; empty if they are.
  std::string Missing(const StoredTensor& tensor) const {
    const auto found = storages_.find(tensor.storage);
    if (found == storages_.end()) return "has no values in the file";
    const bool fits =
        tensor.storage_elements <= found->second.bytes.size() / ElementBytes(tensor.element);
    return fits ? "" : "is longer than its place in the file";
  }

  [[noreturn]] void Refuse(const std::string& what) const {
    throw Error(ErrorKind::kData, name_ + ": " + what,
                "copy or download the file again, or save it again by "
                "torch.save(model.state_dict(), path)");
  }

  std::unique_ptr<MappedFile> file_;
  const std::string name_;
  const std::unique_ptr<ZipDirectory> zip_;  // null of an old file
  std::map<std::string_view, Storage> storages_;
  std::vector<StoredTensor> stored_;  // in the order of tensors()
};

// Whose folder the pickle lies in, and whether that is the only one, is seen when it is read.
bool Matches(const WeightsContent& content) {
  if (!content.zip) return LooksLegacy(content.bytes());
  return std::ranges::any_of(content.zip->entries(),
                             [](const auto& entry) { return entry.first.ends_with(kPickleName); });
}

constexpr std::string_view kEndings[] = {".pth"};
constexpr std::string_view kOtherEndings[] = {".pt", ".bin", ".ckpt"};

}  // namespace

constinit const WeightsFormat kPthFormat = {
    .whose = "a PyTorch",
    .endings = kEndings,
    .other_endings = kOtherEndings,
    .matches = &Matches,
    .open = [](WeightsContent content) -> std::unique_ptr<WeightsFile> {
      return std::make_unique<PthFile>(std::move(content));
    },
};

}  // namespace weir
