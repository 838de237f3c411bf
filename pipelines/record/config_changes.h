// What is different between two configurations, for somebody who goes on with a run.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

// Gives a line for each value that differs between two configurations, which are texts as
// ResolvedYaml makes them: "training.epochs was 2, is 4 from here on", or "was 2, is 4, which comes
// too late" where what it is for is over. Values are called as --set addresses them, and only the
// first 200 bytes of a long one are shown. Gives nothing where one of the texts is no
// configuration, and one line where one has more than 20,000 values. Holds up to 8 MB. Pure; any
// thread.
std::vector<std::string> ChangesBetween(const std::string& before, const std::string& now,
                                        const std::function<bool(std::string_view key)>& is_over);

}  // namespace weir
