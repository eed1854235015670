/* test_pool.c - NaN in a window of a largest is its result in inference, in every layout; the other windows have theirs. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "modules.h"
#include "program.h"

enum { BATCH = 16, CHANNELS = 20, HEIGHT = 7, WIDTH = 6, IMAGE = CHANNELS * HEIGHT * WIDTH };

/* Where the NaNs are. */
static bool is_spoilt(int image, int c, int y, int x)
{
    return (image == 3 && c == 17 && y == 2 && x == 5) || (image == 15 && c == 0 && y == 6 && x == 0) || (image == 9 && c == 4);
}

static float value_at(int image, int c, int y, int x)
{
    return (float)((image * 31 + c * 17 + y * 7 + x * 3) % 23) - 11;
}

/* The largest within the image; NAN where one is. */
static float expected_at(Pool o, int image, int c, int oy, int ox)
{
    float most = -INFINITY;
    for (int y = oy * o.stride - o.pad; y < oy * o.stride - o.pad + o.kernel; y++)
        for (int x = ox * o.stride - o.pad; x < ox * o.stride - o.pad + o.kernel; x++) {
            if (y < 0 || y >= HEIGHT || x < 0 || x >= WIDTH)
                continue;
            if (is_spoilt(image, c, y, x))
                return NAN;
            most = fmaxf(most, value_at(image, c, y, x));
        }
    return most;
}

static void check(Pool options, Plan plan, const char *name)
{
    Network *net = network_new();
    const Tensor *y = max_pool(net, "pool", network_input(net, (Shape){ CHANNELS, HEIGHT, WIDTH }), options);
    Program *program = program_compile(net, &plan, PURPOSE_inference, BATCH);
    float *image = program_image(program);
    for (int i = 0; i < BATCH * IMAGE; i++) {
        const int n = i / IMAGE, c = i / (HEIGHT * WIDTH) % CHANNELS, row = i / WIDTH % HEIGHT, column = i % WIDTH;
        image[i] = is_spoilt(n, c, row, column) ? NAN : value_at(n, c, row, column);
    }
    program_forward(program);
    const float *out = program_logits(program);
    const Shape shape = y->shape;
    for (int n = 0; n < BATCH; n++)
        for (int c = 0; c < shape.c; c++)
            for (int oy = 0; oy < shape.h; oy++)
                for (int ox = 0; ox < shape.w; ox++, out++) {
                    const float expected = expected_at(options, n, c, oy, ox);
                    if (isnan(expected) ? !isnan(*out) : *out != expected)
                        fail_msg("%s, kernel %d stride %d pad %d: image %d, channel %d at %d, %d: %g, expected %g", name, options.kernel, options.stride,
                                 options.pad, n, c, oy, ox, (double)*out, (double)expected);
                }
    program_free(program);
    network_free(net);
}

static void test_nan(void **state)
{
    (void)state;
    static const Pool pools[] = { { .kernel = 2, .stride = 2 }, { .kernel = 3, .stride = 2, .pad = 1 }, { .kernel = 3, .stride = 1, .pad = 2 }, { .kernel = 2, .stride = 3 } };
    static const struct { LayoutPolicy layout; const char *name; } layouts[] = {
        { LAYOUT_blocked, "blocked" }, { LAYOUT_channels_last, "channels last" }, { LAYOUT_batch_last, "batch last" },
    };
    for (size_t i = 0; i < sizeof pools / sizeof *pools; i++)
        for (size_t k = 0; k < sizeof layouts / sizeof *layouts; k++)
            check(pools[i], (Plan){ .layout = layouts[k].layout }, layouts[k].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_nan) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
