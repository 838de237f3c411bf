// What is different between two configurations, for somebody who goes on with a run.
#pragma once

#include <string>
#include <vector>

namespace weir {

// Gives a line for each value that differs between two configurations, which are texts as
// ResolvedYaml makes them: "training.epochs was 2, is 4 from here on". Values are called as --set
// addresses them. Gives nothing where one of the texts is no configuration. Pure; any thread.
std::vector<std::string> ChangesBetween(const std::string& before, const std::string& now);

}  // namespace weir
