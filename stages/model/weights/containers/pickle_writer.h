// Writes Python's values as a pickle of protocol 2 builds them: each is left on a stack, where what
// follows takes it from.
//
//   PickleWriter pickle;
//   pickle.Add(kEmptyDict).Add(kMark).AddText("epoch").AddWhole(7).Add(kSetItems).Add(kStop);
//   file.Write(pickle.bytes());
//
// Holds the pickle. One thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "framework/shape.h"
#include "stages/model/weights/containers/pickle_opcodes.h"

namespace weir {

class PickleWriter {
 public:
  PickleWriter();

  PickleWriter& Add(PickleOpcode opcode);
  PickleWriter& AddText(std::string_view text);
  PickleWriter& AddWhole(std::int64_t number);    // not negative
  PickleWriter& AddWholes(const Shape& numbers);  // as a tuple
  PickleWriter& AddGlobal(std::string_view module, std::string_view name);

  const std::string& bytes() const { return bytes_; }

 private:
  PickleWriter& AddBytes(std::string_view bytes);
  template <class Number>
  PickleWriter& AddNumber(Number number);

  std::string bytes_;
};

}  // namespace weir
