// Options that several commands have.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace weir {

// --set, and --memory as the short form of one of them.
void AddOverrides(CLI::App* command, std::vector<std::string>& overrides);

// Reads the path of an option: shells leave the `~` of `--out=~/first` as it is.
CLI::Validator HomeFolder();

}  // namespace weir
