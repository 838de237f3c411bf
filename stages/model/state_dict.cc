#include "stages/model/state_dict.h"

#include <algorithm>
#include <array>

#include "framework/error.h"
#include "stages/model/printable.h"

namespace weir {
namespace {

constexpr std::array<std::string_view, 3> kNestedUnder = {"state_dict", "model",
                                                          "model_state_dict"};
constexpr std::size_t kMostDimensions = 8;

bool HoldsTensors(const PickleValue& dict) {
  const std::vector<PickleValue>& items = dict.node->items;
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i].kind == PickleKind::kText && items[i + 1].kind == PickleKind::kTensor) return true;
  }
  return false;
}

const PickleValue* FindStateDict(const PickleValue& root) {
  if (root.kind != PickleKind::kDict) return nullptr;
  if (HoldsTensors(root)) return &root;
  const std::vector<PickleValue>& items = root.node->items;
  for (const std::string_view name : kNestedUnder) {
    for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
      if (items[i].text == name && items[i + 1].kind == PickleKind::kDict &&
          HoldsTensors(items[i + 1])) {
        return &items[i + 1];
      }
    }
  }
  return nullptr;
}

bool ToIntegers(const PickleValue& tuple, std::vector<std::int64_t>& integers) {
  const std::vector<PickleValue>& items = tuple.node->items;
  if (items.size() > kMostDimensions) return false;
  for (const PickleValue& item : items) {
    if (item.kind != PickleKind::kInteger || item.integer < 0 || !item.text.empty()) return false;
    integers.push_back(item.integer);
  }
  return true;
}

// Whether every element lies in the storage; the products cannot overflow, as each is checked
// against what is left of the storage.
bool StaysInside(const StoredTensor& tensor) {
  if (std::ranges::find(tensor.shape, 0) != tensor.shape.end()) return true;
  if (tensor.first >= tensor.storage_elements) return false;
  std::uint64_t left = tensor.storage_elements - tensor.first - 1;
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    const auto steps = static_cast<std::uint64_t>(tensor.shape[i] - 1);
    const auto stride = static_cast<std::uint64_t>(tensor.strides[i]);
    if (steps != 0 && stride > left / steps) return false;
    left -= steps * stride;
  }
  return true;
}

StoredTensor ToStored(std::string_view name, const PickleNode& node, const std::string& file_name) {
  const auto refuse = [&](const std::string& what) {
    throw Error(ErrorKind::kData, file_name + ": tensor '" + Printable(name) + "' " + what,
                "save the weights again by torch.save(model.state_dict(), path)");
  };
  const PickleNode& storage = *node.items[0].node;
  StoredTensor tensor{
      .name = std::string(name), .storage = storage.items[0].text, .element = node.element};
  if (storage.count < 0 || node.count < 0) refuse("has a place that no file can have");
  tensor.storage_elements = static_cast<std::uint64_t>(storage.count);
  tensor.first = static_cast<std::uint64_t>(node.count);
  if (!ToIntegers(node.items[1], tensor.shape) || !ToIntegers(node.items[2], tensor.strides) ||
      tensor.shape.size() != tensor.strides.size()) {
    refuse("has a shape that no tensor can have");
  }
  if (!ValueCount(tensor.shape, tensor.storage_elements)) {
    refuse("has more values than its storage: expanded tensors are not read");
  }
  if (!StaysInside(tensor)) refuse("lies outside its storage");
  return tensor;
}

}  // namespace

std::vector<StoredTensor> TensorsOf(const Pickle& pickle, const std::string& file_name) {
  const PickleValue* dict = FindStateDict(pickle.root());
  if (!dict) {
    throw Error(ErrorKind::kData, file_name + ": holds no dictionary of tensors",
                "save the weights alone, by torch.save(model.state_dict(), path)");
  }
  std::vector<StoredTensor> tensors;
  const std::vector<PickleValue>& items = dict->node->items;
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i].kind != PickleKind::kText || items[i + 1].kind != PickleKind::kTensor) continue;
    tensors.push_back(ToStored(items[i].text, *items[i + 1].node, file_name));
  }
  return tensors;
}

void ReadStrided(const StoredTensor& tensor, const std::byte* storage, std::span<float> out) {
  if (out.empty()) return;
  const std::size_t element_bytes = ElementBytes(tensor.element);
  const std::size_t rank = tensor.shape.size();
  const std::size_t row = rank == 0 ? 1 : static_cast<std::size_t>(tensor.shape.back());
  const std::size_t step = rank == 0 ? 1 : static_cast<std::size_t>(tensor.strides.back());
  std::vector<std::int64_t> index(rank, 0);
  for (std::size_t written = 0; written < out.size(); written += row) {
    std::uint64_t element = tensor.first;
    for (std::size_t i = 0; i < rank; ++i) {
      element += static_cast<std::uint64_t>(index[i] * tensor.strides[i]);
    }
    ConvertToFloat(tensor.element, storage + element * element_bytes, step,
                   out.subspan(written, row));
    for (std::size_t i = rank; i-- > 1;) {  // the next row: count up all but the last dimension
      if (++index[i - 1] < tensor.shape[i - 1]) break;
      index[i - 1] = 0;
    }
  }
}

}  // namespace weir
