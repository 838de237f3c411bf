// What is wrong with how a command ended in which something failed, and with what it left.
#pragma once

#include <filesystem>
#include <string>

#include "tests/memory/failed_run.h"
#include "tests/memory/tried_command.h"

namespace weir {

// Empty where nothing is. It ends with one of weir's own statuses and in words, or as somebody's
// library makes it (ExcuseFor); no file is torn; where it says that all went well, it has said and
// left what a whole run does, or has told what was lost; and `--resume` goes on to the same end.
// With status 1 too: no call to the system that fails is a fault of weir's.
// Where it ends otherwise, or tells of a loss, its words hold the reason why calls of `kind` fail.
std::string OffenceOf(const TriedCommand& command, const std::string& kind, const FailedRun& run,
                      const WholeRun& whole, const std::filesystem::path& out);

}  // namespace weir
