#include "stages/model/weights/containers/pickle_writer.h"

#include <cstring>
#include <limits>

namespace weir {

PickleWriter::PickleWriter() { Add(kProto).AddBytes("\2"); }

PickleWriter& PickleWriter::Add(PickleOpcode opcode) {
  bytes_ += static_cast<char>(opcode);
  return *this;
}

PickleWriter& PickleWriter::AddText(std::string_view text) {
  Add(kBinUnicode).AddNumber(static_cast<std::uint32_t>(text.size()));
  return AddBytes(text);
}

PickleWriter& PickleWriter::AddWhole(std::int64_t number) {
  if (number <= std::numeric_limits<std::int32_t>::max()) {
    return Add(kBinInt).AddNumber(static_cast<std::int32_t>(number));
  }
  return Add(kLong1).AddBytes("\10").AddNumber(number);  // in eight bytes
}

PickleWriter& PickleWriter::AddWholes(const Shape& numbers) {
  Add(kMark);
  for (const std::int64_t number : numbers) AddWhole(number);
  return Add(kTuple);
}

PickleWriter& PickleWriter::AddGlobal(std::string_view module, std::string_view name) {
  return Add(kGlobal).AddBytes(module).AddBytes("\n").AddBytes(name).AddBytes("\n");
}

PickleWriter& PickleWriter::AddBytes(std::string_view bytes) {
  bytes_ += bytes;
  return *this;
}

template <class Number>
PickleWriter& PickleWriter::AddNumber(Number number) {
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  return AddBytes({bytes, sizeof number});
}

}  // namespace weir
