// Compiles a function for several instruction sets; which one runs is chosen when the program is
// loaded. What it calls is to be WEIR_INLINE.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define WEIR_FOR_EACH_CPU __attribute__((target_clones("avx512f", "avx2", "default")))
// Without the sets that multiply and add in one rounding: the same bits on every x86.
#define WEIR_FOR_EACH_CPU_ALIKE __attribute__((target_clones("avx2", "default")))
#else
#define WEIR_FOR_EACH_CPU
#define WEIR_FOR_EACH_CPU_ALIKE
#endif
#define WEIR_INLINE [[gnu::always_inline]] inline
