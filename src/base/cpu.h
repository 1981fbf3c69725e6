// SPDX-License-Identifier: MIT
/*
 * What the processor can do beyond what this was compiled for, and the system lets us use.
 * cpu_has_avx2() and the like, for x86 only; called by whoever has a variant for it.
 *
 * The C library has asked when the process began (glibc 2.33; The GNU C Library, "X86"). The
 * compiler's __builtin_cpu_supports asks once more, in every process: a dozen CPUID instructions,
 * each of which is a trap of microseconds in a virtual machine.
 */
#ifndef BASE_CPU_H
#define BASE_CPU_H

#if defined(__x86_64__) || defined(__i386__)
#include <stdbool.h>

#if defined(__has_include)
#if __has_include(<sys/platform/x86.h>)
#include <sys/platform/x86.h>
#define CPU_ACTIVE(name, NAME) x86_cpu_active(x86_cpu_##NAME)
#endif
#endif
#ifndef CPU_ACTIVE
#define CPU_ACTIVE(name, NAME) (__builtin_cpu_supports(#name) != 0)
#endif

/* X(the compiler's name, the library's) */
#define CPU_FEATURES(X)   \
    X(ssse3, SSSE3)       \
    X(avx2, AVX2)         \
    X(bmi, BMI1)          \
    X(bmi2, BMI2)         \
    X(avx512f, AVX512F)   \
    X(avx512bw, AVX512BW) \
    X(avx512vbmi, AVX512_VBMI)

#define CPU_HAS(name, NAME)                 \
    static inline bool cpu_has_##name(void) \
    {                                       \
        return CPU_ACTIVE(name, NAME);      \
    }
CPU_FEATURES(CPU_HAS)
#undef CPU_HAS

#endif
#endif
