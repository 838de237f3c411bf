// What is different between two configurations, for somebody who goes on with a run.
#pragma once

#include <string>
#include <vector>

namespace weir {

// Of the texts of two configurations as ResolvedYaml gives them, a line for each value that
// differs: "training.epochs was 2, is 4 from here on". Values are called as --set addresses them.
// Nothing of a text that is no YAML.
std::vector<std::string> ChangesBetween(const std::string& before, const std::string& now);

}  // namespace weir
