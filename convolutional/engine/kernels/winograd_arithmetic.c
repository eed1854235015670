/* winograd_arithmetic.c - the kinds of numbers that a Winograd convolution multiplies. */

#include "winograd_int16.h"

static const Arithmetic floats = {
    .unit = GROUP,
    .patches = KERNEL(winograd_patches),
    .filter = KERNEL(winograd_filter),
    .filter_turned = KERNEL(winograd_filter_turned),
    .multiply = KERNEL(winograd_multiply),
    .patch_lines = KERNEL(winograd_patch_lines),
    .gradients = KERNEL(winograd_gradients),
    .multiply_transposed = KERNEL(winograd_multiply_transposed),
};

#define INT16_TRANSFORMS                                            \
    .int16 = true,                                                  \
    .unit = SECTION,                                                \
    .patches = KERNEL(winograd_int16_patches),                      \
    .filter = KERNEL(winograd_int16_filter),                        \
    .filter_turned = KERNEL(winograd_int16_filter_turned),          \
    .patch_lines = KERNEL(winograd_int16_patch_lines),              \
    .gradients = KERNEL(winograd_int16_gradients)

static const Arithmetic int16 = {
    INT16_TRANSFORMS,
    .multiply = KERNEL(winograd_int16_multiply),
    .multiply_transposed = KERNEL(winograd_int16_multiply_transposed),
};

/* The products alone are compiled with the instruction; it goes with vectors of 512 bits (kernels_have_vnni). */
static const Arithmetic int16_vnni = {
    INT16_TRANSFORMS,
    .multiply = winograd_int16_multiply_avx512vnni,
    .multiply_transposed = winograd_int16_multiply_transposed_avx512vnni,
};

const Arithmetic *KERNEL(winograd_arithmetic)(const WinogradKernel *k)
{
    return !k->int16 ? &floats : kernels_have_vnni() ? &int16_vnni : &int16;
}
