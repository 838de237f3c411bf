// Parts of one kind that a configuration chooses from by name: the optimizers, the losses. Each is
// a class in a file of its own,
//
//   class Sgd final : public Optimizer {
//    public:
//     static constexpr std::array<std::string_view, 1> kNames{"sgd"};  // the first is written
//     static constexpr std::string_view kDoc = "Steps along the gradient.";
//     struct Params {...};  // with Fields(), and Check() where it is needed (params.h)
//     explicit Sgd(const Params& params);
//   };
//
// and one row, PartOf<Optimizer, Sgd>(), of the list Optimizer::All(). The list is all that
// reading, writing, the documentation and the schema know. In the YAML a part is its name, or
// {name: {parameters}} (component.h); in C++ it is a shared object that cannot change any more.
//
// A kind is an abstract class with
//
//   static constexpr std::string_view kWord = "optimizer", kOne = "an optimizer", kMany = ...;
//   static std::span<const Part<Optimizer>> All();
//   virtual YamlNode ToYaml() const = 0;  // every parameter as resolved
//
// and a field of a Params may then be a std::shared_ptr<const Optimizer>, or a list of them.
//
// Pure functions; any thread.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "framework/config/component.h"
#include "framework/config/params.h"
#include "framework/config/schema.h"
#include "framework/config/suggestion.h"

namespace weir {

// What a part holds from its constructor on: `params`, which Parse would take. Throws
// Error(kConfig) where it would not.
template <HasFields P>
P Checked(P params) {
  Parse<P>(ToYaml(params));
  return params;
}

// A row of a list.
template <class Kind>
struct Part {
  std::span<const std::string_view> names;
  // Makes it from its parameters, where null is every default; null where there is a problem.
  std::shared_ptr<const Kind> (*read)(const YamlNode& params, Problems& problems);
  YamlNode (*schema)();    // gives that of the parameters
  FieldDoc (*describe)();  // gives its help, that of the parameters in it
};

template <class Kind, class Made>
constexpr Part<Kind> PartOf() {
  using Params = typename Made::Params;
  return {.names = Made::kNames,
          .read = [](const YamlNode& node, Problems& problems) -> std::shared_ptr<const Kind> {
            const std::size_t before = problems.size();
            const auto params = Parse<Params>(node, problems);
            if (problems.size() != before) return nullptr;
            return std::make_shared<const Made>(params);
          },
          .schema = [] { return SchemaOf<Params>(); },
          .describe = [] { return DescribeNamed<Params>(Made::kNames.front(), Made::kDoc); }};
}

template <class Kind>
concept HasParts = requires {
  { Kind::All() } -> std::same_as<std::span<const Part<Kind>>>;
};

// The help of each part, in the order of the list, under the name that is written.
template <HasParts Kind>
std::vector<FieldDoc> DescribeParts() {
  std::vector<FieldDoc> rows;
  for (const Part<Kind>& part : Kind::All()) {
    rows.push_back(part.describe());
    if (part.names.size() == 1) continue;
    const std::vector<std::string> others(part.names.begin() + 1, part.names.end());
    rows.back().doc += " Also called " + Enumerate(others) + ".";
  }
  return rows;
}

template <HasParts Kind>
struct ParamType<std::shared_ptr<const Kind>> {
  using Chosen = std::shared_ptr<const Kind>;

  static TypeWords Words(const FieldRules&) {
    return {std::string(Kind::kOne), std::string(Kind::kMany)};
  }

  static std::vector<FieldDoc> Nested() { return DescribeParts<Kind>(); }

  static std::optional<Chosen> Read(const YamlNode& node, const FieldRules&, Problems& problems) {
    const std::span<const Part<Kind>> parts = Kind::All();
    std::vector<Choice> known;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      for (const std::string_view name : parts[i].names) {
        known.emplace_back(name).value = static_cast<std::int64_t>(i);
      }
    }
    const auto written = ReadNamedParams(node, Kind::kWord, known, problems);
    if (!written) return std::nullopt;
    const Part<Kind>& part = parts[static_cast<std::size_t>(written->kind)];
    Chosen made = part.read(written->params, problems);
    return made ? std::optional(std::move(made)) : std::nullopt;
  }

  static YamlNode Write(const Chosen& chosen, const FieldRules&) { return chosen->ToYaml(); }

  static YamlNode Schema(const FieldRules&) {
    std::vector<schema::Property> forms;
    for (const Part<Kind>& part : Kind::All()) {
      for (const std::string_view name : part.names) {
        forms.push_back({std::string(name), part.schema()});
      }
    }
    return schema::NamedOf(forms);
  }
};

}  // namespace weir
