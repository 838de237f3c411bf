// The commands that use a trained model, and their options.
#pragma once

namespace CLI {
class App;
}

namespace weir {

class StageTable;

// As DeclareCommands.
void DeclareModelCommands(CLI::App& app, StageTable& stages);

}  // namespace weir
