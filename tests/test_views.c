/* test_views.c - views of images against pictures that are padded and cut out here, each seen by itself. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "architectures.h"
#include "parameters.h"
#include "setups.h"
#include "views.h"

enum { CHANNELS = 3, BATCH = 5, PAD_MOST = 2, SIDE_MOST = 64 };

/* Where a view's window lies in the image with a border, in steps from its centre; by hand. */
typedef struct Window {
    int    left, top;
    bool   mirrored;
    double weight;
} Window;

static const Window plain[] = { { 0, 0, false, 1 } };
static const Window flip[] = { { 0, 0, false, 0.5 }, { 0, 0, true, 0.5 } };
/* airbench: 1/2 (net(x) + net(mirrored)) / 2, and 1/2 of the mean over the two windows of the image padded by one */
static const Window flip_shift[] = {
    { 0, 0, false, 0.25 }, { 0, 0, true, 0.25 }, { -1, -1, false, 0.125 }, { -1, -1, true, 0.125 }, { 1, 1, false, 0.125 }, { 1, 1, true, 0.125 },
};
static const Window ten[] = {
    { 0, 0, false, 0.1 }, { 0, 0, true, 0.1 }, { -1, -1, false, 0.1 }, { -1, -1, true, 0.1 }, { 1, -1, false, 0.1 },
    { 1, -1, true, 0.1 }, { -1, 1, false, 0.1 }, { -1, 1, true, 0.1 }, { 1, 1, false, 0.1 }, { 1, 1, true, 0.1 },
};

static const struct { const char *name; const Window *windows; int count; } sets[] = {
    { "none", plain, 1 }, { "flip", flip, 2 }, { "flip-shift", flip_shift, 6 }, { "ten", ten, 10 },
};
enum { SETS = sizeof sets / sizeof *sets };

/* The image with a border of `pad` pixels, as torch's F.pad(mode="reflect"), one line and then the other way. */
static void pad_line(const float *line, int count, int step, int pad, float *out)
{
    for (int i = 0; i < count; i++)
        out[pad + i] = line[i * step];
    for (int i = 1; i <= pad; i++) {
        out[pad - i] = line[i * step];
        out[pad + count - 1 + i] = line[(count - 1 - i) * step];
    }
}

static void cut_window(const float *plane, int side, Window window, int step, float *out)
{
    enum { MOST = SIDE_MOST + 2 * PAD_MOST };
    static float wide[SIDE_MOST][MOST], padded[MOST][MOST], column[MOST];
    const int pad = step;
    for (int y = 0; y < side; y++)
        pad_line(plane + y * side, side, 1, pad, wide[y]);
    for (int x = 0; x < side + 2 * pad; x++) {
        pad_line(&wide[0][x], side, MOST, pad, column);
        for (int y = 0; y < side + 2 * pad; y++)
            padded[y][x] = column[y];
    }
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++)
            out[y * side + (window.mirrored ? side - 1 - x : x)] = padded[pad + window.top * step + y][pad + window.left * step + x];
}

static void test_pictures(void **state)
{
    (void)state;
    static const int sides[] = { 9, 32, 64 };
    static float image[CHANNELS * SIDE_MOST * SIDE_MOST], expected[SIDE_MOST * SIDE_MOST], got[CHANNELS * SIDE_MOST * SIDE_MOST];
    setup_draw(image, sizeof image / sizeof *image, 5);
    for (size_t s = 0; s < sizeof sides / sizeof *sides; s++)
        for (int set = 0; set < SETS; set++)
            for (int place = 0; place < sets[set].count; place++) {
                const int side = sides[s];
                view_apply(view_set_find(sets[set].name), place, (Shape){ CHANNELS, side, side }, image, got);
                for (int c = 0; c < CHANNELS; c++) {
                    cut_window(image + c * side * side, side, sets[set].windows[place], side == 64 ? 2 : 1, expected);
                    if (memcmp(expected, got + c * side * side, (size_t)(side * side) * sizeof *got))
                        fail_msg("%s, view %d, side %d, channel %d: other pixels", sets[set].name, place, side, c);
                }
            }
}

/* One image, one view, in a program of its own size. */
static void add_view(Program *one, const float *image, int side, Window window, double *logits)
{
    for (int c = 0; c < CHANNELS; c++)
        cut_window(image + c * side * side, side, window, 1, program_image(one) + c * side * side);
    program_forward(one);
    for (int k = 0; k < CLASSES; k++)
        logits[k] += window.weight * (double)program_logits(one)[k];
}

static double top_of(const float *logits)
{
    double sum = 0, most = 0;
    for (int k = 0; k < CLASSES; k++) {
        sum += exp((double)logits[k]);
        most = fmax(most, exp((double)logits[k]));
    }
    return most / sum;
}

static int below_or_above(const void *a, const void *b)
{
    return *(const double *)a < *(const double *)b ? -1 : 1;
}

/* `count` images of a batch; with `some` only those that are less sure than the middle one get further views. */
static void check_logits(Network *net, Program *five, Program *one, int set, int count, bool some, const float *images)
{
    const int side = network_image(net)->shape.h;
    const size_t size = shape_size(network_image(net)->shape);
    float alone[BATCH * CLASSES];
    double sure[BATCH];
    program_set_image(five, images);
    program_forward(five);
    memcpy(alone, program_logits(five), (size_t)count * CLASSES * sizeof *alone);
    for (int i = 0; i < count; i++)
        sure[i] = top_of(alone + i * CLASSES);
    qsort(sure, (size_t)count, sizeof *sure, below_or_above);
    const double below = some ? sure[count / 2] - 1e-9 : 0;

    Views *views = views_new(net, five, (ViewOptions){ .set = view_set_find(sets[set].name), .below = below });
    const float *got = views_logits(views, images, count);
    for (int i = 0; i < count; i++) {
        double expected[CLASSES] = { 0 };
        const bool further = !some || top_of(alone + i * CLASSES) < below;
        for (int w = 0; w < sets[set].count && further; w++)
            add_view(one, images + (size_t)i * size, side, sets[set].windows[w], expected);
        for (int k = 0; k < CLASSES; k++) {
            const double logit = (double)got[i * CLASSES + k];
            if (further ? fabs(logit - expected[k]) > 2e-5 * (1 + fabs(expected[k])) : got[i * CLASSES + k] != alone[i * CLASSES + k])
                fail_msg("%s, %d images%s: logit %d of image %d is %.8g, expected %.8g", sets[set].name, count, some ? ", some" : "", k, i,
                         logit, further ? expected[k] : (double)alone[i * CLASSES + k]);
        }
    }
    views_free(views);
}

static void test_logits(void **state)
{
    (void)state;
    Error error;
    Network *net = architecture_network(architecture_find("resnet18", &error), (Shape){ CHANNELS, 16, 16 }, &(ArchOptions){ .classes = CLASSES }, &error);
    assert_non_null(net);
    parameters_init(net, 3);
    Program *five = program_compile(net, &(Plan){ 0 }, PURPOSE_inference, BATCH), *one = program_compile(net, &(Plan){ 0 }, PURPOSE_inference, 1);
    const size_t count = BATCH * shape_size(network_image(net)->shape);
    float *images = aligned_alloc(64, count * sizeof *images);
    assert_non_null(images);
    setup_draw(images, count, 7);
    for (int set = 0; set < SETS; set++)
        for (int images_of = 1; images_of <= BATCH; images_of += 2) {
            check_logits(net, five, one, set, images_of, false, images);
            check_logits(net, five, one, set, images_of, true, images);
        }
    free(images);
    program_free(five);
    program_free(one);
    network_free(net);
}

/* What the table of options says, and weights that leave a constant output as it is. */
static void test_sets(void **state)
{
    (void)state;
    assert_string_equal(VIEW_SET_NAMES, "none flip flip-shift ten");
    for (int set = 0; set < SETS; set++) {
        assert_string_equal(view_set_name(view_set_find(sets[set].name)), sets[set].name);
        assert_int_equal(view_set_count(view_set_find(sets[set].name)), sets[set].count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_sets), cmocka_unit_test(test_pictures), cmocka_unit_test(test_logits) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
