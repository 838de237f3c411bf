#include "stages/model/export/formats/torchvision/pth_writer.h"

#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>

#include "stages/model/weights/containers/pickle_opcodes.h"

namespace weir {
namespace {

constexpr std::string_view kFolder = "model/";

// Writes Python's values as a pickle of protocol 2 builds them: each is left on a stack, where what
// follows takes it from.
class PickleText {
 public:
  PickleText() { Add(kProto).AddBytes("\2"); }

  PickleText& Add(PickleOpcode opcode) {
    bytes_ += static_cast<char>(opcode);
    return *this;
  }

  PickleText& AddText(std::string_view text) {
    Add(kBinUnicode).AddNumber(static_cast<std::uint32_t>(text.size()));
    return AddBytes(text);
  }

  // A whole number that is not negative.
  PickleText& AddWhole(std::int64_t number) {
    if (number <= std::numeric_limits<std::int32_t>::max()) {
      return Add(kBinInt).AddNumber(static_cast<std::int32_t>(number));
    }
    return Add(kLong1).AddBytes("\10").AddNumber(number);  // in eight bytes
  }

  PickleText& AddWholes(const Shape& numbers) {
    Add(kMark);
    for (const std::int64_t number : numbers) AddWhole(number);
    return Add(kTuple);
  }

  PickleText& AddGlobal(std::string_view module, std::string_view name) {
    return Add(kGlobal).AddBytes(module).AddBytes("\n").AddBytes(name).AddBytes("\n");
  }

  const std::string& bytes() const { return bytes_; }

 private:
  PickleText& AddBytes(std::string_view bytes) {
    bytes_ += bytes;
    return *this;
  }

  template <class Number>
  PickleText& AddNumber(Number number) {
    char bytes[sizeof number];
    std::memcpy(bytes, &number, sizeof number);
    return AddBytes({bytes, sizeof number});
  }

  std::string bytes_;
};

// In values, row-major.
Shape StridesOf(const Shape& shape) {
  Shape strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

// torch._utils._rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict()), where the
// storage is what is called `key` beside the pickle.
void AddTensor(const PthTensor& tensor, const std::string& key, PickleText& pickle) {
  pickle.AddGlobal("torch._utils", "_rebuild_tensor_v2").Add(kMark);
  pickle.Add(kMark).AddText("storage").AddGlobal("torch", "FloatStorage").AddText(key);
  pickle.AddText("cpu").AddWhole(ValuesIn(tensor.shape)).Add(kTuple).Add(kBinPersId);
  pickle.AddWhole(0).AddWholes(tensor.shape).AddWholes(StridesOf(tensor.shape)).Add(kNewFalse);
  pickle.AddGlobal("collections", "OrderedDict").Add(kEmptyTuple).Add(kReduce);
  pickle.Add(kTuple).Add(kReduce);
}

std::string StateDict(const std::vector<PthTensor>& tensors) {
  PickleText pickle;
  pickle.Add(kEmptyDict).Add(kMark);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    pickle.AddText(tensors[i].name);
    AddTensor(tensors[i], std::to_string(i), pickle);
  }
  return pickle.Add(kSetItems).Add(kStop).bytes();
}

}  // namespace

PthWriter::PthWriter(AtomicFile& file, const std::vector<PthTensor>& tensors,
                     const std::map<std::string, std::string>& extra)
    : archive_(file, ArchiveWriter::Kind::kZip) {
  const std::string folder(kFolder);
  archive_.Add(folder + "data.pkl", StateDict(tensors));
  archive_.Add(folder + "byteorder", "little");
  for (const auto& [key, text] : extra) archive_.Add(folder + "extra/" + key, text);
}

void PthWriter::Write(std::span<const float> values) {
  archive_.Begin(std::string(kFolder) + "data/" + std::to_string(written_++), values.size_bytes());
  archive_.Write(std::as_bytes(values));
}

void PthWriter::Close() {
  archive_.Add(std::string(kFolder) + "version", "3\n");
  archive_.Close();
}

}  // namespace weir
