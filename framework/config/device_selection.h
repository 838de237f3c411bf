// Where a configuration wants the work done: auto, cpu, cuda or cuda:N.
#pragma once

#include <optional>

#include "framework/config/params.h"

namespace weir {

struct DeviceSelection {
  enum class Kind { kAuto, kCpu, kCuda };
  Kind kind = Kind::kAuto;
  int index = 0;  // which GPU, from 0: 1 for cuda:1

  friend bool operator==(const DeviceSelection&, const DeviceSelection&) = default;
};

template <>
struct ParamType<DeviceSelection> {
  static TypeWords Words(const FieldRules&) { return {"auto, cpu, cuda or cuda:N", "devices"}; }
  static std::optional<DeviceSelection> Read(const YamlNode&, const FieldRules&, Problems&);
  static YamlNode Write(const DeviceSelection&, const FieldRules&);
  static YamlNode Schema(const FieldRules&) {
    return schema::Matching("^(auto|cpu|cuda(:[0-9]+)?)$");
  }
};

}  // namespace weir
