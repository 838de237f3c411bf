// Files of JSON lines that a run writes and a resumed run reads again, though a kill, a full disk
// or somebody's editor may have damaged them.
//
// One thread. Holds one line, of at most 256 KiB, and what it is parsed to.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace weir {

enum class LineUse {
  kKeep,
  kChange,   // as it is left by who was asked
  kForget,   // it is written anew
  kDamaged,  // no run wrote it so
};

// Takes the lines out of the file that `use` does not keep, and those that are no JSON object:
// torn, binary, longer than 256 KiB; a line that it changes is written as it is then. Lines that
// stay are the same bytes; a file of which all stays is left alone, and one that is not there is
// made, empty. Gives a line for people that says what was damaged; empty where nothing was. Throws
// Error(kData) where it cannot be read or written.
std::string SiftLines(const std::filesystem::path& path,
                      const std::function<LineUse(nlohmann::json&)>& use);

// Appends one line, whole or not at all: what a full disk took of it is taken back. Throws
// Error(kData) where it cannot be written. Text that is not UTF-8 is replaced.
void AppendLine(const std::filesystem::path& path, const nlohmann::json& value);

// The text of a value, with what is not UTF-8 replaced: paths are bytes, JSON is UTF-8.
std::string Dump(const nlohmann::json& value, int indent = -1);

}  // namespace weir
