// What is said to a command line in the words of another program: `weir train a.yaml --epochs 3`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace weir {

// A command that other programs have, and what it is here.
struct ForeignCommand {
  std::vector<std::string_view> words;
  std::string_view command;    // "run"
  std::string_view arguments;  // "CONFIG"
};

const std::vector<ForeignCommand>& ForeignCommands();

// One line for each such word; none where there are none. `arguments` stand behind the name of the
// program, and could not be read as `app` declares them.
std::vector<std::string> AdviceOnCommandLine(const CLI::App& app,
                                             const std::vector<std::string>& arguments);

}  // namespace weir
