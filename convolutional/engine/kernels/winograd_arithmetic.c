/* winograd_arithmetic.c - the kinds of numbers that a Winograd convolution multiplies. */

#include "winograd_int16.h"

static const Arithmetic floats = {
    false, GROUP, KERNEL(winograd_patches), KERNEL(winograd_filter), KERNEL(winograd_filter_turned), KERNEL(winograd_multiply),
    KERNEL(winograd_patch_columns), KERNEL(winograd_gradients), KERNEL(winograd_multiply_transposed),
};

static const Arithmetic int16 = {
    true, SECTION, KERNEL(winograd_int16_patches), KERNEL(winograd_int16_filter), KERNEL(winograd_int16_filter_turned),
    KERNEL(winograd_int16_multiply), KERNEL(winograd_int16_patch_columns), KERNEL(winograd_int16_gradients),
    KERNEL(winograd_int16_multiply_transposed),
};

/* The products alone are compiled with the instruction; it goes with vectors of 512 bits (kernels_have_vnni). */
static const Arithmetic int16_vnni = {
    true, SECTION, KERNEL(winograd_int16_patches), KERNEL(winograd_int16_filter), KERNEL(winograd_int16_filter_turned),
    winograd_int16_multiply_avx512vnni, KERNEL(winograd_int16_patch_columns), KERNEL(winograd_int16_gradients),
    winograd_int16_multiply_transposed_avx512vnni,
};

const Arithmetic *KERNEL(winograd_arithmetic)(const WinogradKernel *k)
{
    return !k->int16 ? &floats : kernels_have_vnni() ? &int16_vnni : &int16;
}
