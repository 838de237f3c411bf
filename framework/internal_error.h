// What to do about a failure that nobody foresaw: an exception that is no Error.
#pragma once

namespace weir {

inline constexpr const char* kInternalRemedy =
    "Where it had memory enough (`ulimit -v`, `ulimit -d`), this is a fault: please report it to "
    "whoever wrote that part.";

}  // namespace weir
