// What holds of every part that a configuration may name (framework/config/parts.h).
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "framework/config/parts.h"
#include "framework/config/yaml_emitter.h"

namespace weir {

template <class Kind>
std::shared_ptr<const Kind> MadeOfDefaults(const Part<Kind>& part) {
  Problems problems;
  auto made = part.read(YamlNode::Null({}), problems);
  EXPECT_EQ(problems.text(), "");
  return made;
}

// Expects that a part of these parameters is read from what it is written as, under each of its
// names, and that it and its fields are documented.
template <class Kind>
void ExpectRoundTrip(const Part<Kind>& part, const YamlNode& params = YamlNode::Null({})) {
  using Type = ParamType<std::shared_ptr<const Kind>>;
  for (const std::string_view name : part.names) {
    Problems problems;
    const auto read = Type::Read(YamlNode::Map({{std::string(name), params}}), {}, problems);
    ASSERT_TRUE(read.has_value()) << problems.text();
    const YamlNode written = Type::Write(*read, {});
    const auto again = Type::Read(written, {}, problems);
    ASSERT_TRUE(again.has_value()) << problems.text();
    EXPECT_EQ(EmitYaml(Type::Write(*again, {})), EmitYaml(written));
    EXPECT_NE(EmitYaml(Type::Schema({})).find(name), std::string::npos);
  }
  const FieldDoc doc = part.describe();
  EXPECT_FALSE(doc.doc.empty());
  EXPECT_NE(EmitYaml(part.schema()).find("properties"), std::string::npos);
  for (const FieldDoc& field : doc.nested) EXPECT_FALSE(field.doc.empty()) << field.name;
}

}  // namespace weir
