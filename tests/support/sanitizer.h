// Whether this build runs under a sanitizer, which has a malloc of its own, wants to be the first
// library of a process, takes addresses without end, and keeps what was freed for a while.
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)  // g++
#define WEIR_HAS_SANITIZER
#elif defined(__has_feature)  // clang
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WEIR_HAS_SANITIZER
#endif
#endif

namespace weir {

#ifdef WEIR_HAS_SANITIZER
inline constexpr bool kHasSanitizer = true;
#else
inline constexpr bool kHasSanitizer = false;
#endif

}  // namespace weir
