// Values as a program in Python writes them down. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace weir {

// In quotes. Bytes that are not UTF-8 become U+FFFD.
std::string PythonText(std::string_view text);

std::string PythonNumber(double number);  // "0.001"

}  // namespace weir
