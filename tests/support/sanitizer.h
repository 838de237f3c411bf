// Whether this build runs under a sanitizer, which has a malloc of its own, wants to be the first
// library of a process, and takes addresses without end.
#pragma once

namespace weir {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kHasSanitizer = true;
#else
inline constexpr bool kHasSanitizer = false;
#endif

}  // namespace weir
