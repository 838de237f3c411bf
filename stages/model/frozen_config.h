// `frozen:` as a parameter (params.h): of the section `model:`, and of a phase of `training:`.
#pragma once

#include <optional>

#include "framework/config/params.h"
#include "stages/model/model_config.h"

namespace weir {

// all, none, {through: LAYER} or a list of patterns; that the layers exist is checked here, where
// there is a place to show.
template <>
struct ParamType<FrozenConfig> {
  static TypeWords Words(const FieldRules&) {
    return {"all, none, {through: LAYER} or a list of patterns", "frozen"};
  }
  static std::optional<FrozenConfig> Read(const YamlNode&, const FieldRules&, Problems&);
  static YamlNode Write(const FrozenConfig&, const FieldRules&);
  static YamlNode Schema(const FieldRules&);
};

}  // namespace weir
