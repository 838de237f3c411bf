// A part of the configuration that is written as its name, or as {name: {parameters}}:
//
//   - flatten
//   - dense: {units: 1024, activation: relu}
//
// Internal to the sections `model:` and `training:`. Pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "framework/config/params.h"

namespace weir {

struct NamedParams {
  std::int64_t kind;  // the value of the Choice that was written
  YamlNode params;    // null where only the name stands there
};

// `what` is for messages: "head layer". Nullopt where there is a problem, which was then added.
std::optional<NamedParams> ReadNamedParams(const YamlNode& node, std::string_view what,
                                           const std::vector<Choice>& known, Problems& problems);

// The other way round: the name alone where `params` is an empty map.
YamlNode WriteNamedParams(std::string_view name, const YamlNode& params);

// The choices of an enum that has EnumNames.
template <class E>
std::vector<Choice> ChoicesOf() {
  std::vector<Choice> choices;
  for (const auto& [text, value] : EnumNames<E>::kNames) choices.emplace_back(text, value);
  return choices;
}

template <class E>
std::string_view NameIn(E value) {
  for (const auto& [text, named] : EnumNames<E>::kNames) {
    if (named == value) return text;
  }
  return "";
}

// Refuses 1, which a Range cannot leave out: `value` is of a field with Range{0, 1}.
void CheckLessThanOne(const Blame& blame, std::string_view field, double value);

// Why a number is no float32, in which 1e-50 is 0 and 1e50 is infinite: "`alpha` takes a number
// that float32 can hold, ..., not 1e50"; empty where it is one.
std::string WhyNotFloat32(std::string_view name, double value);
// Refuses such a number.
void CheckIsFloat32(const Blame& blame, std::string_view field, double value);

// The help of one component.
template <class P>
FieldDoc DescribeNamed(std::string_view name, std::string_view doc) {
  FieldDoc row;
  row.name = name;
  row.type = "a map of keys";
  row.doc = doc;
  row.nested = Describe<P>();
  return row;
}

}  // namespace weir
