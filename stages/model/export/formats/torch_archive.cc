#include "stages/model/export/formats/torch_archive.h"

#include <cstddef>

namespace weir {
namespace {

constexpr const char* kFolder = "model/";
constexpr std::uint16_t kAlignment = 64;

// In values, row-major.
Shape StridesOf(const Shape& shape) {
  Shape strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

}  // namespace

// torch._utils._rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict()), where the
// storage is what is called data/<index> beside the pickle.
void AddTorchTensor(const Shape& shape, int index, PickleWriter& pickle) {
  pickle.AddGlobal("torch._utils", "_rebuild_tensor_v2").Add(kMark);
  pickle.Add(kMark).AddText("storage").AddGlobal("torch", "FloatStorage");
  pickle.AddText(std::to_string(index)).AddText("cpu").AddWhole(ValuesIn(shape));
  pickle.Add(kTuple).Add(kBinPersId);
  pickle.AddWhole(0).AddWholes(shape).AddWholes(StridesOf(shape)).Add(kNewFalse);
  pickle.AddGlobal("collections", "OrderedDict").Add(kEmptyTuple).Add(kReduce);
  pickle.Add(kTuple).Add(kReduce);
}

TorchArchive::TorchArchive(AtomicFile& file, const std::string& pickle,
                           const std::map<std::string, std::string>& extra)
    : zip_(file, kAlignment) {
  Add("data.pkl", pickle);
  Add("byteorder", "little");
  for (const auto& [key, text] : extra) Add("extra/" + key, text);
}

void TorchArchive::Add(const std::string& path, std::string_view content) {
  zip_.Add(kFolder + path, content);
}

void TorchArchive::WriteTensor(std::span<const float> values) {
  zip_.Begin(kFolder + ("data/" + std::to_string(tensors_++)), values.size_bytes());
  zip_.Write(std::as_bytes(values));
}

void TorchArchive::Close() {
  Add("version", "3\n");
  zip_.Close();
}

}  // namespace weir
