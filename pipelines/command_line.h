// The commands and their options, declared once: parsing, checks and --help.
#pragma once

namespace CLI {
class App;
}

namespace weir {

class StageTable;

// Adds every command to `app`; parsing the command line then runs the one that was typed, with
// `stages`, which outlive `app`.
void DeclareCommands(CLI::App& app, StageTable& stages);

}  // namespace weir
