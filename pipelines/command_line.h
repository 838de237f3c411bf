// The commands and their options, declared once: parsing, checks and --help.
#pragma once

namespace CLI {
class App;
}

namespace weir {

// Adds every command to `app`; parsing the command line then runs the one that was typed.
void DeclareCommands(CLI::App& app);

}  // namespace weir
