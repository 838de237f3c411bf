#include "stages/model/export/formats/python_text.h"

#include <nlohmann/json.hpp>

namespace weir {

// JSON's texts, where no letter is escaped, and its numbers are Python's too.
std::string PythonText(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string PythonNumber(double number) { return nlohmann::json(number).dump(); }

}  // namespace weir
