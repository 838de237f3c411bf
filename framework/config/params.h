// Parameters: one declaration gives the defaults, the documentation, the checks and the errors.
//
//   struct Params {
//     int max_megapixels = 200;
//     double zoom = 0;
//     static auto Fields() {
//       return std::tuple{
//           Field{"max_megapixels", &Params::max_megapixels, "Refuse larger pictures.",
//                 Range{1, 2000}},
//           Field{"zoom", &Params::zoom, "Draw each axis from [1 - zoom, 1 + zoom].",
//                 Range{0, 1}}};
//     }
//     void Check(const Blame& blame) const;  // optional: conditions between fields
//   };
//
// The name of a field is its key in the YAML. Members may be
//   bool, int, std::int64_t, std::uint64_t     true or false; whole numbers
//   double                                     0.5, 1e-3, 1/255
//   std::string, ByteSize, Duration            text; 512MiB; 90s
//   std::filesystem::path                      relative to the folder of the file it is written in
//                                              (of a --set: to the working directory)
//   an enum                                    with a table, EnumNames or Choices
//   std::optional<T>, std::vector<T>, std::array<T, N>, Auto<T>, another struct with Fields()
//   YamlNode                                   as it is written, for a component to parse itself
//   or any type with a specialisation of ParamType (param_types.h).
//
// Nothing is clipped or guessed: what does not fit is a problem, shown with its place. All
// functions may be called from any thread; they share nothing.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "framework/byte_size.h"
#include "framework/config/duration.h"
#include "framework/config/yaml_node.h"
#include "framework/config/yaml_source.h"

namespace weir {

// `auto`, or a value that the user fixed. A new one is auto.
template <class T>
class Auto {
 public:
  Auto() = default;
  Auto(T value) : value_(std::move(value)) {}

  bool is_auto() const { return !value_.has_value(); }
  const T& value() const { return value_.value(); }  // throws std::bad_optional_access if auto
  T value_or(T chosen) const { return value_.value_or(std::move(chosen)); }
  friend bool operator==(const Auto&, const Auto&) = default;

 private:
  std::optional<T> value_;
};

// An end of a range: a number, a ByteSize or a Duration.
struct Bound {
  template <std::integral T>
  Bound(T number) : value(number), text(std::to_string(number)) {}
  Bound(double number);
  Bound(ByteSize size) : value(size.bytes), text(ToText(size)) {}
  Bound(Duration duration) : value(duration.seconds), text(ToText(duration)) {}

  long double value;
  std::string text;
};

// What may stand behind a Field's documentation. Limits hold for each element of a list.
struct Range {  // both ends are allowed
  Bound low, high;
};
struct AtLeast {
  Bound low;
};
struct MoreThan {
  Bound low;
};
struct Required {};  // has no default: leaving it out is a problem
// What the field was called before: still read, with a warning that gives the new name.
struct WasCalled {
  const char* name;
};
// What other programs call the field: ElsewhereCalled{"lr", "base_lr"}. Not read: the problem gives
// the name here. What is set in another place here is a ForeignWord (foreign_word.h).
struct ElsewhereCalled {
  ElsewhereCalled(std::initializer_list<const char*> names) : names(names) {}
  std::vector<const char*> names;
};

struct Choice {
  Choice(const char* text) : text(text) {}
  explicit Choice(std::string_view text) : text(text) {}
  template <class E>
  requires std::is_enum_v<E> Choice(const char* text, E e)
      : text(text), value(static_cast<std::int64_t>(e)) {}

  std::string text;
  std::int64_t value = 0;  // the enum's value; 0 where the choice is a text
};
// Choices{"adam", "sgd"} for a std::string, Choices{{"nearest", Fill::kNearest}, ...} for an enum.
struct Choices {
  Choices(std::initializer_list<Choice> list) : list(list) {}
  explicit Choices(std::vector<Choice> list) : list(std::move(list)) {}
  std::vector<Choice> list;
};

// The same table for every field of an enum:
//   template <> struct EnumNames<Fill> {
//     static constexpr std::array kNames{std::pair{"nearest", Fill::kNearest}, ...};
//   };
template <class E>
struct EnumNames;

// What is asked of a field's value, beside its type.
struct FieldRules {
  void Add(const Range& range) { low = range.low, high = range.high; }
  void Add(const AtLeast& limit) { low = limit.low; }
  void Add(const MoreThan& limit) { low = limit.low, is_low_excluded = true; }
  void Add(const Choices& table) { choices = table.list; }
  void Add(Required) { is_required = true; }
  void Add(WasCalled old) { old_names.emplace_back(old.name); }
  void Add(const ElsewhereCalled& elsewhere) { foreign_names = elsewhere.names; }

  std::optional<Bound> low, high;
  bool is_low_excluded = false;
  bool is_required = false;
  bool is_auto_allowed = false;  // the field is an Auto<T>: its messages name `auto` too
  std::vector<Choice> choices;
  std::vector<std::string> old_names;
  std::vector<const char*> foreign_names;
};

template <class Struct, class T>
struct Field {
  template <class... Rules>
  Field(std::string_view name, T Struct::*member, std::string_view doc, const Rules&... what)
      : name(name), member(member), doc(doc) {
    (rules.Add(what), ...);
  }

  using Type = T;
  T& Of(Struct& params) const { return params.*member; }
  const T& Of(const Struct& params) const { return params.*member; }

  std::string_view name;
  T Struct::*member;
  std::string_view doc;
  FieldRules rules;
};
template <class Struct, class T, class... Rules>
Field(std::string_view, T Struct::*, std::string_view, const Rules&...) -> Field<Struct, T>;

// A field of a struct that is itself a member of Struct, whose keys stand beside Struct's own.
template <class Struct, class Member, class T>
struct FieldOfMember : Field<Member, T> {
  FieldOfMember(Member Struct::*holder, const Field<Member, T>& field)
      : Field<Member, T>(field), holder(holder) {}

  T& Of(Struct& params) const { return params.*holder.*this->member; }
  const T& Of(const Struct& params) const { return params.*holder.*this->member; }

  Member Struct::*holder;
};

// The fields of a member that is a struct, to append to Struct's own by std::tuple_cat: several
// Params have them in common, and declare them once. The member's Check() is not called by itself.
template <class Struct, class Member>
auto FieldsOf(Member Struct::*holder) {
  return std::apply(
      [&](const auto&... field) { return std::tuple{FieldOfMember(holder, field)...}; },
      Member::Fields());
}

template <class P>
concept HasFields = requires {
  P::Fields();
};

// Given to Check(), which is called when every field by itself was right.
class Blame {
 public:
  Blame(const YamlNode& node, Problems& problems) : node_(node), problems_(problems) {}
  // Shows the value of `field`, or the map where it is not written. `message` is whole:
  // "`low` takes less than `high`, not 3".
  void operator()(std::string_view field, std::string_view message) const;

 private:
  const YamlNode& node_;
  Problems& problems_;
};

// One row of the help text.
struct FieldDoc {
  std::string name;
  std::string type;           // in words: "a list of 2 whole numbers"
  std::string default_value;  // as YAML text; empty where required
  std::string range;          // "1 to 2000", "more than 0"; empty where there is none
  std::string doc;
  bool required = false;
  std::vector<std::string> choices;
  std::vector<std::string> old_names;
  std::vector<std::string> foreign_names;  // what other programs call it; not read
  std::vector<FieldDoc> nested;            // the fields of a struct, or of the elements of a list
  bool operator==(const FieldDoc&) const = default;
};

}  // namespace weir

#include "framework/config/params_detail.h"  // IWYU pragma: export

namespace weir {

// Reads a map (or null: every default). What is wrong goes to `problems`; a field with a problem
// keeps its default. Keys of `others` are allowed beside the fields, and left alone.
template <HasFields P>
P Parse(const YamlNode& node, Problems& problems, std::span<const std::string> others = {}) {
  return detail::ReadStruct<P>(node, problems, others);
}

// Throws Error(kConfig) with every problem there is.
template <HasFields P>
P Parse(const YamlNode& node) {
  Problems problems;
  P params = Parse<P>(node, problems);
  problems.ThrowIfAny();
  return params;
}

template <HasFields P>
std::vector<FieldDoc> Describe() {
  return detail::DescribeStruct<P>();
}

// What Parse<P> takes, as JSON Schema (schema.h).
template <HasFields P>
YamlNode SchemaOf() {
  return detail::StructSchema<P>();
}

// Every value as resolved, so that Parse<P>(ToYaml(p)) is p wherever it is read: paths are made
// absolute. EmitYaml makes it text.
template <HasFields P>
YamlNode ToYaml(const P& params) {
  return detail::WriteStruct(params);
}

}  // namespace weir
