// How each type of a parameter is read, written and described. Included by params.h alone.
//
// ParamType<T> has
//   static TypeWords Words(const FieldRules&);
//   static std::optional<T> Read(const YamlNode&, const FieldRules&, Problems&);
//   static YamlNode Write(const T&, const FieldRules&);
//   static YamlNode Schema(const FieldRules&);
// Read gives nothing where it has added a problem.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "framework/config/params.h"
#include "framework/config/schema.h"
#include "framework/config/yaml_emitter.h"

namespace weir {

struct TypeWords {
  std::string one;   // "a whole number"
  std::string many;  // "whole numbers", in "a list of …"
};

template <class T>
struct ParamType;

namespace detail {

// "`epochs` takes a whole number, not `ten`".
void AddWrongType(const YamlNode& node, const FieldRules& rules, const std::string& expected,
                  Problems& problems, const std::string& ending = "");
// Adds a problem and returns false where `value` is outside the rules.
bool IsInRange(const YamlNode& node, const FieldRules& rules, long double value,
               Problems& problems);
std::string RangeInWords(const FieldRules& rules);  // empty where there is none

std::optional<bool> ReadBool(const YamlNode& node, const FieldRules& rules, Problems& problems);
// T: int, std::int64_t or std::uint64_t.
template <class T>
std::optional<T> ReadWhole(const YamlNode& node, const FieldRules& rules, Problems& problems);
std::optional<double> ReadNumber(const YamlNode& node, const FieldRules& rules, Problems& problems);
std::optional<std::string> ReadText(const YamlNode& node, const FieldRules& rules,
                                    Problems& problems);
std::optional<std::filesystem::path> ReadPath(const YamlNode& node, const FieldRules& rules,
                                              Problems& problems);
std::optional<ByteSize> ReadByteSize(const YamlNode& node, const FieldRules& rules,
                                     Problems& problems);
std::optional<Duration> ReadDuration(const YamlNode& node, const FieldRules& rules,
                                     Problems& problems);
std::optional<std::int64_t> ReadChoice(const YamlNode& node, const FieldRules& rules,
                                       Problems& problems);
// nullopt where it is no list of that length (0: of any).
std::optional<std::vector<YamlNode>> ReadList(const YamlNode& node, const FieldRules& rules,
                                              const std::string& expected, std::size_t length,
                                              Problems& problems);
bool IsAuto(const YamlNode& node);

YamlNode WriteNumber(double value);
YamlNode WriteText(const std::string& text);  // quoted where it looks like something else
YamlNode WritePath(const std::filesystem::path& path);
YamlNode WriteChoice(std::int64_t value, const FieldRules& rules);
std::string ChoicesInWords(const FieldRules& rules);  // "nearest, constant or reflect"

YamlNode WholeSchema(const FieldRules& rules);
YamlNode NumberSchema(const FieldRules& rules);
YamlNode TextSchema(const FieldRules& rules);
YamlNode ByteSizeSchema();
YamlNode DurationSchema();

// Whether `node` can be read as a struct with these keys; adds unknown keys as problems.
bool IsStruct(const YamlNode& node, const std::vector<std::string>& fields,
              std::span<const std::string> others, Problems& problems);
void AddMissing(const YamlNode& node, std::string_view field, Problems& problems);
// The value that is written for a field, under its name or an old one; nothing where there is none.
std::optional<YamlNode> FindField(const YamlNode& node, std::string_view field,
                                  const FieldRules& rules, Problems& problems);

template <class P, class Visit>
void ForEachField(Visit&& visit) {
  std::apply([&](const auto&... field) { (visit(field), ...); }, P::Fields());
}

template <class AField, class P>
void ReadField(const AField& field, const YamlNode& node, P& params, Problems& problems) {
  using T = typename AField::Type;
  std::optional<YamlNode> value = FindField(node, field.name, field.rules, problems);
  if (!value && field.rules.is_required) return AddMissing(node, field.name, problems);
  if (!value) {
    if constexpr (!HasFields<T>) return;
    const std::string name(field.name);  // so that what is required inside it is missed
    value = YamlNode::Null(node.position())
                .Named(node.path() + (node.path().empty() ? "" : ".") + name, name);
  }
  if (auto read = ParamType<T>::Read(*value, field.rules, problems)) {
    field.Of(params) = *std::move(read);
  }
}

template <class P>
P ReadStruct(const YamlNode& node, Problems& problems, std::span<const std::string> others) {
  P params{};
  std::vector<std::string> names;
  std::vector<std::string> known(others.begin(), others.end());
  ForEachField<P>([&](const auto& field) {
    names.emplace_back(field.name);
    known.insert(known.end(), field.rules.old_names.begin(), field.rules.old_names.end());
  });
  const std::size_t before = problems.size();
  if (!IsStruct(node, names, known, problems)) return params;
  ForEachField<P>([&](const auto& field) { ReadField(field, node, params, problems); });
  if constexpr (requires(const Blame& blame) { params.Check(blame); }) {
    if (problems.size() == before) params.Check(Blame(node, problems));
  }
  return params;
}

template <class P>
YamlNode WriteStruct(const P& params) {
  std::vector<YamlEntry> entries;
  ForEachField<P>([&]<class AField>(const AField& field) {
    using T = typename AField::Type;
    entries.push_back(
        {std::string(field.name), ParamType<T>::Write(field.Of(params), field.rules)});
  });
  return YamlNode::Map(entries);
}

template <class P>
YamlNode StructSchema() {
  const P defaults{};
  std::vector<schema::Property> properties;
  ForEachField<P>([&]<class AField>(const AField& field) {
    using T = typename AField::Type;
    YamlNode form = ParamType<T>::Schema(field.rules);
    form = form.With({"description", YamlNode::Scalar(std::string(field.doc), true)});
    for (const std::string& old : field.rules.old_names) {
      properties.push_back({old, form.With({"deprecated", YamlNode::Scalar("true")})});
    }
    const bool is_required = field.rules.is_required;
    if (!is_required) {
      const YamlNode value = ParamType<T>::Write(field.Of(defaults), field.rules);
      if (value.is_scalar() || value.is_list()) form = form.With({"default", value});
    }
    properties.push_back({std::string(field.name), form, is_required});
  });
  return schema::MapOf(properties, true);
}

template <class P>
std::vector<FieldDoc> DescribeStruct();

// The fields inside a struct, a list of structs, …, or what the type names as Nested(); none for
// anything else.
template <class T>
std::vector<FieldDoc> NestedDocs() {
  if constexpr (HasFields<T>) {
    return DescribeStruct<T>();
  } else if constexpr (requires { ParamType<T>::Nested(); }) {
    return ParamType<T>::Nested();
  } else if constexpr (requires { typename ParamType<T>::Element; }) {
    return NestedDocs<typename ParamType<T>::Element>();
  } else {
    return {};
  }
}

template <class T>
std::vector<Choice> ChoicesOf(const FieldRules& rules) {
  if constexpr (requires { ParamType<T>::Table(rules); }) {
    return ParamType<T>::Table(rules).choices;
  } else if constexpr (requires { typename ParamType<T>::Element; }) {
    return ChoicesOf<typename ParamType<T>::Element>(rules);
  } else {
    return rules.choices;
  }
}

template <class P>
std::vector<FieldDoc> DescribeStruct() {
  const P defaults{};
  std::vector<FieldDoc> docs;
  ForEachField<P>([&]<class AField>(const AField& field) {
    using T = typename AField::Type;
    FieldDoc doc;
    doc.name = field.name;
    doc.type = ParamType<T>::Words(field.rules).one;
    doc.required = field.rules.is_required;
    if (!doc.required) {
      doc.default_value = EmitFlow(ParamType<T>::Write(field.Of(defaults), field.rules));
    }
    doc.range = RangeInWords(field.rules);
    doc.doc = field.doc;
    for (const Choice& choice : ChoicesOf<T>(field.rules)) doc.choices.push_back(choice.text);
    doc.old_names = field.rules.old_names;
    doc.nested = NestedDocs<T>();
    docs.push_back(std::move(doc));
  });
  return docs;
}

}  // namespace detail

}  // namespace weir

#include "framework/config/param_types.h"  // IWYU pragma: export
