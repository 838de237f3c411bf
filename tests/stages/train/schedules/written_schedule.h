// A schedule of a test, as a configuration has it: "{step: {every: 3}}".
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "framework/config/yaml_reader.h"
#include "stages/train/schedules/schedule.h"

namespace weir {

// Null, with the problems, where it is none.
inline std::shared_ptr<const Schedule> ReadSchedule(const std::string& text, Problems& problems) {
  using Type = ParamType<std::shared_ptr<const Schedule>>;
  const YamlNode node = ParseYaml(YamlSource::File("a.yaml", text, "/"), problems);
  return Type::Read(node, {}, problems).value_or(nullptr);
}

inline std::shared_ptr<const Schedule> Written(const std::string& text) {
  Problems problems;
  auto schedule = ReadSchedule(text, problems);
  EXPECT_EQ(problems.text(), "") << text;
  return schedule;
}

}  // namespace weir
