// How each type of a parameter is read, written and described. Included by params.h alone.
//
// ParamType<T> has
//   static TypeWords Words(const FieldRules&);
//   static std::optional<T> Read(const YamlNode&, const FieldRules&, Problems&);  // empty:
//   reported static YamlNode Write(const T&, const FieldRules&); static YamlNode Schema(const
//   FieldRules&);
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

#include "framework/params.h"
#include "framework/schema.h"

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

template <class T, class P>
void ReadField(const Field<P, T>& field, const YamlNode& node, P& params, Problems& problems) {
  std::optional<YamlNode> value = FindField(node, field.name, field.rules, problems);
  if (!value && field.rules.is_required) return AddMissing(node, field.name, problems);
  if (!value) {
    if constexpr (!HasFields<T>) return;
    const std::string name(field.name);  // so that what is required inside it is missed
    value = YamlNode::Null(node.position())
                .Named(node.path() + (node.path().empty() ? "" : ".") + name, name);
  }
  if (auto read = ParamType<T>::Read(*value, field.rules, problems)) {
    params.*field.member = *std::move(read);
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
  ForEachField<P>([&]<class S, class T>(const Field<S, T>& field) {
    entries.push_back(
        {std::string(field.name), ParamType<T>::Write(params.*field.member, field.rules)});
  });
  return YamlNode::Map(entries);
}

template <class P>
YamlNode StructSchema() {
  const P defaults{};
  std::vector<schema::Property> properties;
  ForEachField<P>([&]<class S, class T>(const Field<S, T>& field) {
    YamlNode form = ParamType<T>::Schema(field.rules);
    form = form.With({"description", YamlNode::Scalar(std::string(field.doc), true)});
    for (const std::string& old : field.rules.old_names) {
      properties.push_back({old, form.With({"deprecated", YamlNode::Scalar("true")})});
    }
    const bool is_required = field.rules.is_required;
    if (!is_required) {
      const YamlNode value = ParamType<T>::Write(defaults.*field.member, field.rules);
      if (value.is_scalar() || value.is_list()) form = form.With({"default", value});
    }
    properties.push_back({std::string(field.name), form, is_required});
  });
  return schema::MapOf(properties, true);
}

template <class P>
std::vector<FieldDoc> DescribeStruct();

// The fields inside a struct, a list of structs, …; of anything else none.
template <class T>
std::vector<FieldDoc> NestedDocs() {
  if constexpr (HasFields<T>) {
    return DescribeStruct<T>();
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
  ForEachField<P>([&]<class S, class T>(const Field<S, T>& field) {
    FieldDoc doc;
    doc.name = field.name;
    doc.type = ParamType<T>::Words(field.rules).one;
    doc.required = field.rules.is_required;
    if (!doc.required) {
      doc.default_value = EmitFlow(ParamType<T>::Write(defaults.*field.member, field.rules));
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

template <>
struct ParamType<bool> {
  static TypeWords Words(const FieldRules&) { return {"true or false", "true or false"}; }
  static std::optional<bool> Read(const YamlNode& node, const FieldRules& rules, Problems& out) {
    return detail::ReadBool(node, rules, out);
  }
  static YamlNode Write(bool value, const FieldRules&) {
    return YamlNode::Scalar(value ? "true" : "false");
  }
  static YamlNode Schema(const FieldRules&) { return schema::OfType("boolean"); }
};

template <class T>
requires std::same_as<T, int> || std::same_as<T, std::int64_t> || std::same_as<T, std::uint64_t>
struct ParamType<T> {
  static TypeWords Words(const FieldRules&) { return {"a whole number", "whole numbers"}; }
  static std::optional<T> Read(const YamlNode& node, const FieldRules& rules, Problems& out) {
    return detail::ReadWhole<T>(node, rules, out);
  }
  static YamlNode Write(T value, const FieldRules&) {
    return YamlNode::Scalar(std::to_string(value));
  }
  static YamlNode Schema(const FieldRules& rules) { return detail::WholeSchema(rules); }
};

template <>
struct ParamType<double> {
  static TypeWords Words(const FieldRules&) { return {"a number", "numbers"}; }
  static std::optional<double> Read(const YamlNode& node, const FieldRules& rules, Problems& out) {
    return detail::ReadNumber(node, rules, out);
  }
  static YamlNode Write(double value, const FieldRules&) { return detail::WriteNumber(value); }
  static YamlNode Schema(const FieldRules& rules) { return detail::NumberSchema(rules); }
};

template <>
struct ParamType<std::string> {
  static TypeWords Words(const FieldRules& rules) {
    if (rules.choices.empty()) return {"text", "texts"};
    return {detail::ChoicesInWords(rules), detail::ChoicesInWords(rules)};
  }
  static std::optional<std::string> Read(const YamlNode& node, const FieldRules& rules,
                                         Problems& out) {
    return detail::ReadText(node, rules, out);
  }
  static YamlNode Write(const std::string& text, const FieldRules&) {
    return detail::WriteText(text);
  }
  static YamlNode Schema(const FieldRules& rules) { return detail::TextSchema(rules); }
};

template <>
struct ParamType<std::filesystem::path> {
  static TypeWords Words(const FieldRules&) { return {"a path", "paths"}; }
  static std::optional<std::filesystem::path> Read(const YamlNode& node, const FieldRules& rules,
                                                   Problems& out) {
    return detail::ReadPath(node, rules, out);
  }
  static YamlNode Write(const std::filesystem::path& path, const FieldRules&) {
    return detail::WritePath(path);
  }
  static YamlNode Schema(const FieldRules&) { return schema::Text(); }
};

template <>
struct ParamType<ByteSize> {
  static TypeWords Words(const FieldRules&) { return {"a size such as 512MiB", "sizes"}; }
  static std::optional<ByteSize> Read(const YamlNode& node, const FieldRules& rules,
                                      Problems& out) {
    return detail::ReadByteSize(node, rules, out);
  }
  static YamlNode Write(ByteSize size, const FieldRules&) { return YamlNode::Scalar(ToText(size)); }
  static YamlNode Schema(const FieldRules&) { return detail::ByteSizeSchema(); }
};

template <>
struct ParamType<Duration> {
  static TypeWords Words(const FieldRules&) { return {"a length of time such as 90s", "times"}; }
  static std::optional<Duration> Read(const YamlNode& node, const FieldRules& rules,
                                      Problems& out) {
    return detail::ReadDuration(node, rules, out);
  }
  static YamlNode Write(Duration duration, const FieldRules&) {
    return YamlNode::Scalar(ToText(duration));
  }
  static YamlNode Schema(const FieldRules&) { return detail::DurationSchema(); }
};

template <>
struct ParamType<YamlNode> {
  static TypeWords Words(const FieldRules&) { return {"YAML", "YAML"}; }
  static std::optional<YamlNode> Read(const YamlNode& node, const FieldRules&, Problems&) {
    return node;
  }
  static YamlNode Write(const YamlNode& node, const FieldRules&) { return node; }
  static YamlNode Schema(const FieldRules&) { return schema::Anything(); }
};

template <class E>
requires std::is_enum_v<E>
struct ParamType<E> {
  static FieldRules Table(FieldRules rules) {
    if constexpr (requires { EnumNames<E>::kNames; }) {
      if (!rules.choices.empty()) return rules;
      for (const auto& [text, value] : EnumNames<E>::kNames)
        rules.choices.emplace_back(text, value);
    }
    return rules;
  }
  static TypeWords Words(const FieldRules& rules) {
    const std::string words = detail::ChoicesInWords(Table(rules));
    return {words, words};
  }
  static std::optional<E> Read(const YamlNode& node, const FieldRules& rules, Problems& out) {
    const std::optional<std::int64_t> value = detail::ReadChoice(node, Table(rules), out);
    return value ? std::optional(static_cast<E>(*value)) : std::nullopt;
  }
  static YamlNode Write(E value, const FieldRules& rules) {
    return detail::WriteChoice(static_cast<std::int64_t>(value), Table(rules));
  }
  static YamlNode Schema(const FieldRules& rules) { return detail::TextSchema(Table(rules)); }
};

template <class T>
struct ParamType<std::optional<T>> {
  using Element = T;
  static TypeWords Words(const FieldRules& rules) { return ParamType<T>::Words(rules); }
  static std::optional<std::optional<T>> Read(const YamlNode& node, const FieldRules& rules,
                                              Problems& out) {
    if (node.is_null()) return std::optional<T>();
    std::optional<T> value = ParamType<T>::Read(node, rules, out);
    return value ? std::optional(std::move(value)) : std::nullopt;
  }
  static YamlNode Write(const std::optional<T>& value, const FieldRules& rules) {
    return value ? ParamType<T>::Write(*value, rules) : YamlNode();
  }
  static YamlNode Schema(const FieldRules& rules) {
    return schema::AnyOf({schema::OfType("null"), ParamType<T>::Schema(rules)});
  }
};

template <class T>
struct ParamType<Auto<T>> {
  using Element = T;
  static FieldRules OrAuto(FieldRules rules) {
    rules.is_auto_allowed = true;
    return rules;
  }
  static TypeWords Words(const FieldRules& rules) {
    const TypeWords words = ParamType<T>::Words(rules);
    return {"auto or " + words.one, "auto or " + words.many};
  }
  static std::optional<Auto<T>> Read(const YamlNode& node, const FieldRules& rules, Problems& out) {
    if (detail::IsAuto(node)) return Auto<T>();
    std::optional<T> value = ParamType<T>::Read(node, OrAuto(rules), out);
    return value ? std::optional(Auto<T>(*std::move(value))) : std::nullopt;
  }
  static YamlNode Write(const Auto<T>& value, const FieldRules& rules) {
    return value.is_auto() ? YamlNode::Scalar("auto") : ParamType<T>::Write(value.value(), rules);
  }
  static YamlNode Schema(const FieldRules& rules) {
    return schema::AnyOf({schema::OneOf({"auto"}), ParamType<T>::Schema(rules)});
  }
};

template <class T>
struct ParamType<std::vector<T>> {
  using Element = T;
  static TypeWords Words(const FieldRules& rules) {
    return {"a list of " + ParamType<T>::Words(rules).many, "lists"};
  }
  static std::optional<std::vector<T>> Read(const YamlNode& node, const FieldRules& rules,
                                            Problems& out) {
    const auto items = detail::ReadList(node, rules, Words(rules).one, 0, out);
    if (!items) return std::nullopt;
    std::vector<T> values;
    for (const YamlNode& item : *items) {
      if (std::optional<T> value = ParamType<T>::Read(item, rules, out)) {
        values.push_back(*std::move(value));
      }
    }
    return values.size() == items->size() ? std::optional(std::move(values)) : std::nullopt;
  }
  static YamlNode Write(const std::vector<T>& values, const FieldRules& rules) {
    std::vector<YamlNode> items;
    for (const T& value : values) items.push_back(ParamType<T>::Write(value, rules));
    return YamlNode::List(items);
  }
  static YamlNode Schema(const FieldRules& rules) {
    return schema::ListOf(ParamType<T>::Schema(rules));
  }
};

template <class T, std::size_t N>
struct ParamType<std::array<T, N>> {
  using Element = T;
  static TypeWords Words(const FieldRules& rules) {
    return {"a list of " + std::to_string(N) + " " + ParamType<T>::Words(rules).many, "lists"};
  }
  static std::optional<std::array<T, N>> Read(const YamlNode& node, const FieldRules& rules,
                                              Problems& out) {
    const auto items = detail::ReadList(node, rules, Words(rules).one, N, out);
    if (!items) return std::nullopt;
    std::array<T, N> values{};
    bool ok = true;
    for (std::size_t i = 0; i < N; ++i) {
      std::optional<T> value = ParamType<T>::Read((*items)[i], rules, out);
      ok = ok && value.has_value();
      if (value) values[i] = *std::move(value);
    }
    return ok ? std::optional(values) : std::nullopt;
  }
  static YamlNode Write(const std::array<T, N>& values, const FieldRules& rules) {
    std::vector<YamlNode> items;
    for (const T& value : values) items.push_back(ParamType<T>::Write(value, rules));
    return YamlNode::List(items);
  }
  static YamlNode Schema(const FieldRules& rules) {
    return schema::ListOf(ParamType<T>::Schema(rules), N);
  }
};

template <HasFields P>
struct ParamType<P> {
  static TypeWords Words(const FieldRules&) { return {"a map of keys", "maps"}; }
  static std::optional<P> Read(const YamlNode& node, const FieldRules&, Problems& out) {
    return detail::ReadStruct<P>(node, out, {});
  }
  static YamlNode Write(const P& params, const FieldRules&) { return detail::WriteStruct(params); }
  static YamlNode Schema(const FieldRules&) { return detail::StructSchema<P>(); }
};

}  // namespace weir
