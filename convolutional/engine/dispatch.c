/* dispatch.c - chooses the variant of every hot loop once, by what the processor has. */

#include "kernels.h"

#include <stdlib.h>
#include <string.h>

typedef enum { ISA_base, ISA_avx2, ISA_avx512 } Isa;

static Isa isa_of_processor(void)
{
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return ISA_avx512;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? ISA_avx2 : ISA_base;
}

static Isa isa_chosen(void)
{
    const Isa best = isa_of_processor();
    const char *wish = getenv("CONVZOO_ISA");
    if (wish && !strcmp(wish, "base"))
        return ISA_base;
    if (wish && !strcmp(wish, "avx2") && best > ISA_avx2)
        return ISA_avx2;
    return best;
}

static Isa  isa;
static bool vnni;      /* for one file's kernels: winograd_int16_multiply.c */

/* Before main, so that no call races with the choice. */
__attribute__((constructor)) static void isa_choose(void)
{
    isa = isa_chosen();
    vnni = isa == ISA_avx512 && !getenv("CONVZOO_ISA") && __builtin_cpu_supports("avx512vnni");
}

int kernels_block(void)
{
    return isa == ISA_avx512 ? 16 : 8;
}

bool kernels_have_vnni(void)
{
    return vnni;
}

const char *kernels_isa(void)
{
    static const char *const names[] = { [ISA_base] = "base", [ISA_avx2] = "avx2", [ISA_avx512] = "avx512" };
    return vnni ? "avx512 vnni" : names[isa];
}

/* The three variants of a kernel, and the function that calls the chosen one. */
#define KERNEL_ROW(type, name, parameters, arguments)                                   \
    type name##_base parameters;                                                        \
    type name##_avx2 parameters;                                                        \
    type name##_avx512 parameters;                                                      \
    type name parameters                                                                \
    {                                                                                   \
        return isa == ISA_avx512 ? name##_avx512 arguments                              \
             : isa == ISA_avx2   ? name##_avx2 arguments : name##_base arguments;       \
    }
#include "kernels.def"
#undef KERNEL_ROW
