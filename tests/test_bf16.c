/* test_bf16.c - activations of bf16 numbers: every number there is, in every instruction set. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "layouts.h"

enum { NUMBERS = 1 << 16 };

static const View all = { .n = 1, .c = 1, .h = 256, .w = 256, .block = 1, .padded = 1 };

static double value_of(uint16_t number)
{
    const int sign = number >> 15, exponent = (number >> 7) & 0xFF, fraction = number & 0x7F;
    const double size = exponent == 0xFF ? (fraction ? (double)NAN : (double)INFINITY)
                      : exponent ? ldexp(128 + fraction, exponent - 134) : ldexp(fraction, -133);
    return sign ? -size : size;
}

static uint16_t *every_number(void)
{
    uint16_t *numbers = calloc(NUMBERS, sizeof *numbers);
    assert_non_null(numbers);
    for (int i = 0; i < NUMBERS; i++)
        numbers[i] = (uint16_t)i;
    return numbers;
}

/* The nearest bf16 number lies within half a unit of the eighth bit; 1e-6 is the f32 function's own error. */
static void hold(const char *name, const char *what, double x, double got, double expected)
{
    if (isnan(expected) ? !isnan(got) : fabs(got - expected) > fabs(expected) * 0x1.01p-8 + 1e-6)
        fail_msg("%s %s %s(%.9g) is %.9g, expected %.9g", kernels_isa(), name, what, x, got, expected);
}

static void test_functions(void **state)
{
    (void)state;
    uint16_t *x = every_number(), *y = every_number(), *dy = every_number();
    for (int i = 0; i < NUMBERS; i++)
        dy[i] = 0x3F40;      /* 0.75 */
    for (ActivationKey key = ACT_native + 1; key < ACT_COUNT; key++) {
        if (key == ACT_prelu)
            continue;
        const ActivationInfo *info = activation_info(key);
        const Activation act = activation_of(key);
        kernel_activation_forward_bf16(&all, act, x, y);
        for (int i = 0; i < NUMBERS; i++)
            if (fabs(value_of(x[i])) < 1e4)
                hold(info->key, "f", value_of(x[i]), value_of(y[i]), activation_value(act, value_of(x[i])));
        kernel_activation_backward_bf16(&all, act, x, dy, y);
        for (int i = 0; i < NUMBERS; i++)
            if (fabs(value_of(x[i])) < 1e4)
                hold(info->key, "f'", value_of(x[i]), value_of(y[i]), 0.75 * activation_slope(act, value_of(x[i])));
    }
    free(x);
    free(y);
    free(dy);
}

/* A number that needs no rounding comes back; half-way cases go to the even one: 0.75 times a number of 8 bits has 9 or 10. */
static void test_rounding(void **state)
{
    (void)state;
    uint16_t *x = every_number(), *y = every_number();
    kernel_activation_forward_bf16(&all, activation_of(ACT_identity), x, y);
    for (int i = 0; i < NUMBERS; i++)
        assert_true(y[i] == x[i] || isnan(value_of(x[i])));

    kernel_activation_forward_bf16(&all, activation_with(ACT_leaky_relu, 0.75f), x, y);
    for (int i = 0; i < NUMBERS; i++) {
        const double exact = 0.75 * value_of(x[i]);
        if (!(exact < 0) || -exact < (double)FLT_MIN || isinf(exact))
            continue;
        int exponent;
        const double fraction = frexp(exact, &exponent);
        assert_true(value_of(y[i]) == ldexp(nearbyint(ldexp(fraction, 8)), exponent - 8));
    }
    free(x);
    free(y);
}

/* Channels that only fill the last block stay zero where f(0) is not. */
static void test_padding(void **state)
{
    (void)state;
    const View view = { .n = 2, .c = 5, .h = 3, .w = 3, .block = 8, .padded = 8 };
    uint16_t x[2 * 8 * 9] = { 0 }, y[2 * 8 * 9];
    memset(y, 0xFF, sizeof y);
    kernel_activation_forward_bf16(&view, activation_of(ACT_sigmoid), x, y);
    for (int i = 0; i < 2 * 8 * 9; i++)
        assert_true(value_of(y[i]) == (i % 8 < 5 ? 0.5 : 0.0));
}

int main(void)
{
    if (!getenv("CONVZOO_ISA"))
        return run_every_isa();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_functions), cmocka_unit_test(test_rounding), cmocka_unit_test(test_padding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
