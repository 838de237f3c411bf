// Compiles a function for several instruction sets; which one runs is chosen when the program is
// loaded. What it calls is to be WEIR_INLINE.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define WEIR_FOR_EACH_CPU __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define WEIR_FOR_EACH_CPU
#endif
#define WEIR_INLINE [[gnu::always_inline]] inline
