#include "stages/model/weights/state_dict.h"

#include <algorithm>
#include <deque>
#include <unordered_set>
#include <utility>

#include "framework/error.h"
#include "framework/text.h"
#include "stages/model/weights/containers/pickle_calls.h"

namespace weir {
namespace {

constexpr std::size_t kMostDimensions = 8;
constexpr int kDeepest = 16;  // containers inside each other
constexpr std::size_t kMostKeyBytes = 1024;
constexpr std::size_t kMostTensors = 100'000;
constexpr std::size_t kMostObjects = 1000;  // no more are named; the rest is passed over
constexpr std::size_t kMostNameBytes = std::size_t{32} << 20;

bool HoldsItems(const PickleValue& value) {
  switch (value.kind) {
    case PickleKind::kDict:
    case PickleKind::kList:
    case PickleKind::kTuple:
      return !value.node->items.empty();
    case PickleKind::kObject:
      return value.node->items.size() > 1;
    default:
      return false;
  }
}

bool ToIntegers(const PickleValue& tuple, std::vector<std::int64_t>& integers) {
  const std::vector<PickleValue>& items = tuple.node->items;
  if (items.size() > kMostDimensions) return false;
  for (const PickleValue& item : items) {
    if (item.kind != PickleKind::kInteger || item.integer < 0) return false;
    integers.push_back(item.integer);
  }
  return true;
}

// Whether every element lies in the storage; the products cannot overflow, as each is checked
// against what is left of the storage.
bool StaysInside(const StoredTensor& tensor) {
  const Shape& shape = tensor.info.shape;
  if (std::ranges::find(shape, 0) != shape.end()) return true;
  if (tensor.first >= tensor.storage_elements) return false;
  std::uint64_t left = tensor.storage_elements - tensor.first - 1;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const auto steps = static_cast<std::uint64_t>(shape[i] - 1);
    const auto stride = static_cast<std::uint64_t>(tensor.strides[i]);
    if (steps != 0 && stride > left / steps) return false;
    left -= steps * stride;
  }
  return true;
}

// What keeps the tensor from being read; empty if nothing does.
std::string Place(const PickleValue& value, StoredTensor& tensor) {
  const PickleNode& node = *value.node;
  const PickleNode& storage = *node.items[0].node;
  tensor.storage = storage.items[0].text();
  tensor.element = node.element;
  if (!ToIntegers(node.items[1], tensor.info.shape) || !ToIntegers(node.items[2], tensor.strides) ||
      tensor.info.shape.size() != tensor.strides.size()) {
    tensor.info.shape.clear();
    return "has a shape that no tensor can have";
  }
  if (!node.is_read) return "is " + DescribeUnread(value) + ", which is not read";
  if (storage.count < 0 || node.count < 0) return "has a place that no file can have";
  tensor.storage_elements = static_cast<std::uint64_t>(storage.count);
  tensor.first = static_cast<std::uint64_t>(node.count);
  if (!ValueCount(tensor.info.shape, tensor.storage_elements)) {
    return "has more values than its storage: expanded tensors are not read";
  }
  if (!StaysInside(tensor)) return "lies outside its storage";
  return "";
}

// Walks through a pickle's containers, the nearest first.
class Search {
 public:
  explicit Search(const std::string& file_name) : file_name_(file_name) {}

  std::vector<StoredTensor> Run(const PickleValue& root) {
    if (HoldsItems(root)) {
      seen_.insert(root.node);
      groups_.push_back({&root, "", 1});
    }
    for (; !groups_.empty(); groups_.pop_front()) LookInto(groups_.front());
    if (tensors_.size() == objects_) RefuseWithoutTensors(root);
    return std::move(tensors_);
  }

 private:
  struct Group {
    const PickleValue* container;
    std::string path;  // the keys that lead to it, with a dot behind each
    int depth;
  };

  // `key` of `group` is `value`.
  void Enter(const PickleValue& value, const Group& group, std::string_view key) {
    if (group.depth == kDeepest || !seen_.insert(value.node).second) return;
    groups_.push_back({&value, group.path + std::string(key) + ".", group.depth + 1});
    Count(groups_.back().path);
  }

  void LookInto(const Group& group) {
    const std::vector<PickleValue>& items = group.container->node->items;
    const PickleKind kind = group.container->kind;
    if (kind == PickleKind::kList || kind == PickleKind::kTuple) {
      for (std::size_t i = 0; i < items.size(); ++i) LookAt(group, std::to_string(i), items[i]);
      return;
    }
    for (std::size_t i = kind == PickleKind::kObject ? 1 : 0; i + 1 < items.size(); i += 2) {
      const PickleValue& key = items[i];
      if (key.kind == PickleKind::kText) {
        LookAt(group, key.text(), items[i + 1]);
      } else if (key.kind == PickleKind::kInteger) {
        LookAt(group, std::to_string(key.integer), items[i + 1]);
      }
    }
  }

  void LookAt(const Group& group, std::string_view key, const PickleValue& value) {
    if (key.size() > kMostKeyBytes) return;
    if (value.kind == PickleKind::kTensor) return Add(group, key, value);
    if (value.kind == PickleKind::kObject && objects_ < kMostObjects) {
      AddObject(group, key, value);
    }
    if (HoldsItems(value)) Enter(value, group, key);
  }

  void Add(const Group& group, std::string_view key, const PickleValue& value) {
    if (tensors_.size() - objects_ == kMostTensors) {
      Refuse("holds more than " + std::to_string(kMostTensors) + " tensors");
    }
    StoredTensor& tensor = Name(group, key);
    tensor.info.unread = Place(value, tensor);
  }

  void AddObject(const Group& group, std::string_view key, const PickleValue& value) {
    ++objects_;
    Name(group, key).info.unread = "is " + DescribeUnread(value) + ", which is not read";
  }

  StoredTensor& Name(const Group& group, std::string_view key) {
    StoredTensor& tensor = tensors_.emplace_back();
    tensor.info.name = group.path + std::string(key);
    tensor.info.group_bytes = group.path.size();
    Count(tensor.info.name);
    return tensor;
  }

  void Count(std::string_view name) {
    name_bytes_ += name.size();
    if (name_bytes_ > kMostNameBytes) Refuse("has names of tensors that take more than 32 MiB");
  }

  // Says what is there in place of tensors: a whole model, as a rule.
  [[noreturn]] void RefuseWithoutTensors(const PickleValue& root) const {
    if (root.kind == PickleKind::kObject) {
      throw Error(ErrorKind::kData,
                  file_name_ + ": is " + DescribeUnread(root) + " and no dictionary of tensors",
                  "load it where its classes are known and save its weights alone, by "
                  "torch.save(torch.load(path, weights_only=False).state_dict(), new_path)");
    }
    if (!tensors_.empty()) {
      const TensorInfo& first = tensors_.front().info;
      throw Error(ErrorKind::kData,
                  file_name_ + ": holds no tensors: '" + Printable(first.name) + "' " +
                      first.unread.substr(0, first.unread.find(',')),
                  "load it where its classes are known and save the weights alone, by "
                  "torch.save(model.state_dict(), path)");
    }
    throw Error(ErrorKind::kData, file_name_ + ": holds no dictionary of tensors",
                "save the weights alone, by torch.save(model.state_dict(), path)");
  }

  [[noreturn]] void Refuse(const std::string& what) const {
    throw Error(ErrorKind::kData, file_name_ + ": " + what,
                "save the weights alone, by torch.save(model.state_dict(), path)");
  }

  const std::string& file_name_;
  std::deque<Group> groups_;
  std::unordered_set<const PickleNode*> seen_;
  std::vector<StoredTensor> tensors_;
  std::size_t objects_ = 0;  // among tensors_
  std::size_t name_bytes_ = 0;
};

}  // namespace

std::vector<StoredTensor> TensorsOf(const Pickle& pickle, const std::string& file_name) {
  return Search(file_name).Run(pickle.root());
}

void ReadStrided(const StoredTensor& tensor, const std::byte* storage, std::span<float> out) {
  if (out.empty()) return;
  const std::size_t element_bytes = ElementBytes(tensor.element);
  const std::size_t rank = tensor.info.shape.size();
  const std::size_t row = rank == 0 ? 1 : static_cast<std::size_t>(tensor.info.shape.back());
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
      if (++index[i - 1] < tensor.info.shape[i - 1]) break;
      index[i - 1] = 0;
    }
  }
}

}  // namespace weir
