// What an HTTP status is called (RFC 9110), and a refusal as JSON.
#pragma once

#include <string>

namespace weir {

// "Content Too Large"; of the statuses that weir gives.
const char* StatusText(int status);

// {"error": reason}
std::string ErrorJson(const std::string& reason);

}  // namespace weir
