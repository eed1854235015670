/* layouts.c - see layouts.h. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "layouts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "errors.h"
#include "random.h"

const View shapes[SHAPES] = {
    { .n = 2, .c = 6, .h = 5, .w = 7 },        { .n = 3, .c = 24, .h = 4, .w = 4 },      { .n = 5, .c = 40, .h = 1, .w = 1 },
    { .n = 4, .c = 97, .h = 3, .w = 3 },       { .n = 1, .c = 16, .h = 13, .w = 11 },    { .n = 2, .c = 3, .h = 17, .w = 19 },
    { .n = 33, .c = 24, .h = 12, .w = 12 },    { .n = 3, .c = 1041, .h = 2, .w = 2 },    { .n = 40, .c = 520, .h = 1, .w = 1 },
    { .n = 150, .c = 19, .h = 7, .w = 7 },     { .n = 1, .c = 1, .h = 70, .w = 71 },     { .n = 1, .c = 10, .h = 1, .w = 1 },
};
const int blocks[BLOCKS] = { 1, 8, 16, 0 };

View view_of(View shape, int block)
{
    shape.block = block ? block : shape.c;
    shape.padded = (shape.c + shape.block - 1) / shape.block * shape.block;
    return shape;
}

const char *text_of(const View *v)
{
    static char text[100];
    snprintf(text, sizeof text, "%s %dx%dx%dx%d block %d", kernels_isa(), v->n, v->c, v->h, v->w, v->block);
    return text;
}

size_t pixels_of(const View *v)
{
    return (size_t)v->n * view_pixels(v);
}

size_t place(const View *v, int c, size_t i)
{
    const int inside = (int)(i % view_pixels(v));
    return view_offset(v, (int)(i / view_pixels(v)), c, inside / v->w, inside % v->w);
}

float *floats(size_t count)
{
    float *values = allocate(count, sizeof *values, "floats");
    memset(values, 0xff, count * sizeof *values);
    return values;
}

float *normals(const View *v, float center, float spread, uint64_t key)
{
    float *values = allocate(view_count(v), sizeof *values, "normals");
    Random random = random_stream(1, key, 0, RANDOM_init);
    for (int c = 0; c < v->c; c++)
        for (size_t i = 0; i < pixels_of(v); i++)
            values[place(v, c, i)] = center + spread * random_normal(&random);
    return values;
}

float *channel_normals(const View *v, float center, float spread, uint64_t key)
{
    return normals(&(View){ .n = 1, .c = v->c, .h = 1, .w = 1, .block = v->padded, .padded = v->padded }, center, spread, key);
}

static double root_mean_square(const View *v, const double *values)
{
    double sum = 0;
    for (int c = 0; c < v->c; c++)
        for (size_t i = 0; i < pixels_of(v); i++)
            sum += values[place(v, c, i)] * values[place(v, c, i)];
    return sqrt(sum / (double)pixels_of(v) / v->c);
}

void compare(const char *what, const View *v, const char *act, const float *got, const double *expected, double tolerance)
{
    const double scale = root_mean_square(v, expected);
    for (int c = 0; c < v->c; c++)
        for (size_t i = 0; i < pixels_of(v); i++) {
            const double value = expected[place(v, c, i)];
            if (!(fabs((double)got[place(v, c, i)] - value) <= tolerance * (fabs(value) + scale) + 1e-12))
                fail_msg("%s %s %s: channel %d, pixel %zu is %.9g, expected %.9g", text_of(v), act, what, c, i,
                         (double)got[place(v, c, i)], value);
        }
    const View all = { v->n, v->padded, v->h, v->w, v->block, v->padded };
    for (int c = v->c; c < v->padded; c++)
        for (size_t i = 0; i < pixels_of(v); i++)
            if (got[place(&all, c, i)] != 0)
                fail_msg("%s %s %s: padded channel %d is %g", text_of(v), act, what, c, (double)got[place(&all, c, i)]);
}

void compare_channels(const char *what, const View *v, const char *act, const float *got, const double *expected,
                      double tolerance)
{
    double scale = 0;
    for (int c = 0; c < v->c; c++)
        scale = fmax(scale, fabs(expected[c]));
    for (int c = 0; c < v->padded; c++) {
        const double value = c < v->c ? expected[c] : 0;
        if (!(fabs((double)got[c] - value) <= (c < v->c ? tolerance * scale + 1e-12 : 0)))
            fail_msg("%s %s %s: channel %d is %.9g, expected %.9g", text_of(v), act, what, c, (double)got[c], value);
    }
}

double *doubles(const View *v, const float *values)
{
    double *copy = allocate(view_count(v), sizeof *copy, "doubles");
    for (size_t i = 0; i < view_count(v); i++)
        copy[i] = (double)values[i];
    return copy;
}

void compare_bits(const char *what, const View *v, const float *got, const float *expected, size_t count)
{
    if (memcmp(got, expected, count * sizeof *got) != 0)
        fail_msg("%s: other bits with %s", text_of(v), what);
}

/* Runs this program again for one instruction set; 0 if its tests pass. */
static int run_again(const char *isa)
{
    const pid_t child = fork();
    if (child == 0) {
        /* Threads that wait without spinning: the machine may be busy. */
        if (setenv("CONVZOO_ISA", isa, 1) == 0 && setenv("OMP_WAIT_POLICY", "passive", 1) == 0)
            execl("/proc/self/exe", "test", (char *)NULL);
        perror("run_again");
        _exit(127);
    }
    int status = -1;
    if (child < 0 || waitpid(child, &status, 0) != child)
        perror("run_again");
    return status;
}

int run_every_isa(void)
{
    return run_again("avx512") | run_again("avx2") | run_again("base") ? 1 : 0;
}
