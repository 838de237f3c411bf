// How each type of a parameter is read, written and described. Included by params_detail.h alone.
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
#include <string>
#include <type_traits>
#include <vector>

#include "framework/config/params_detail.h"
#include "framework/config/schema.h"

namespace weir {

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
