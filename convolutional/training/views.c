/* views.c - see views.h. */

#include "views.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "errors.h"

/* out(y, x) = image(y + down, x + right), mirrored afterwards; in steps. */
typedef struct ViewPlace {
    int    right, down;
    bool   mirrored;
    double weight;
} ViewPlace;

enum { STEP_SIDE = 32, PLACES_MOST = 10 };

#define BOTH(right, down, weight) { right, down, false, weight }, { right, down, true, weight }

/* The first place of each is the image as it is. */
static const ViewPlace places[VIEW_SET_COUNT][PLACES_MOST] = {
    [VIEWS_none] = { { 0, 0, false, 1 } },
    [VIEWS_flip] = { BOTH(0, 0, 0.5) },
    [VIEWS_flip_shift] = { BOTH(0, 0, 0.25), BOTH(-1, -1, 0.125), BOTH(1, 1, 0.125) },
    [VIEWS_ten] = { BOTH(0, 0, 0.1), BOTH(-1, -1, 0.1), BOTH(1, -1, 0.1), BOTH(-1, 1, 0.1), BOTH(1, 1, 0.1) },
};

/* A further view that is to be computed. */
typedef struct Ask {
    int image, place;
} Ask;

struct Views {
    Program    *program;
    ViewOptions options;
    Shape       shape;
    int         batch, classes;
    float      *images;        /* batch x c h w: a batch of further views */
    Ask        *asks;          /* batch: whose they are */
    double     *sums;          /* batch x classes */
    float      *logits;        /* batch x classes */
};

#define X(key, name) name,
static const char *const names[] = { VIEW_SETS(X, X) };
#undef X

const char *view_set_name(ViewSet set)
{
    return names[set];
}

int view_set_count(ViewSet set)
{
    int count = 0;
    while (count < PLACES_MOST && places[set][count].weight > 0)
        count++;
    return count;
}

ViewSet view_set_find(const char *name)
{
    int set = 0;
    while (set < VIEW_SET_COUNT && strcmp(names[set], name))
        set++;
    CHECK(set < VIEW_SET_COUNT, "views '%s'", name);
    return (ViewSet)set;
}

/* Where a pixel beyond the border is seen; an image of one pixel a side has but that one. */
static int reflect(int at, int count)
{
    const int period = count > 1 ? 2 * (count - 1) : 1;
    at = (at % period + period) % period;
    return at < count ? at : period - at;
}

static int steps(int count, int side)
{
    return count * (side > STEP_SIDE ? side / STEP_SIDE : 1);
}

void view_apply(ViewSet set, int place, Shape shape, const float *image, float *out)
{
    const ViewPlace *to = &places[set][place];
    const int down = steps(to->down, shape.h), right = steps(to->right, shape.w);
    for (int c = 0; c < shape.c; c++)
        for (int y = 0; y < shape.h; y++) {
            const float *row = image + ((size_t)c * (size_t)shape.h + (size_t)reflect(y + down, shape.h)) * (size_t)shape.w;
            for (int x = 0; x < shape.w; x++)
                *out++ = row[reflect((to->mirrored ? shape.w - 1 - x : x) + right, shape.w)];
        }
}

Views *views_new(const Network *network, Program *program, ViewOptions options)
{
    Views *v = allocate(1, sizeof *v, "views of images");
    v->program = program;
    v->options = options;
    v->shape = network_image(network)->shape;
    v->batch = program_batch(program);
    v->classes = (int)shape_size(network_logits(network)->shape);
    if (view_set_count(options.set) == 1)
        return v;
    const size_t rows = (size_t)v->batch, outputs = rows * (size_t)v->classes;
    v->images = allocate(rows * shape_size(v->shape), sizeof *v->images, "views of images");
    v->asks = allocate(rows, sizeof *v->asks, "views of images");
    v->sums = allocate(outputs, sizeof *v->sums, "views of images");
    v->logits = allocate(outputs, sizeof *v->logits, "views of images");
    return v;
}

void views_free(Views *v)
{
    if (!v)
        return;
    free(v->images);
    free(v->asks);
    free(v->sums);
    free(v->logits);
    free(v);
}

/* The largest of the softmax. What is not finite is never sure. */
static double top_probability(const float *logits, int classes, double temperature)
{
    const double divisor = temperature > 0 ? temperature : 1;
    double largest = -INFINITY, sum = 0;
    for (int k = 0; k < classes; k++)
        largest = fmax(largest, (double)logits[k]);
    for (int k = 0; k < classes; k++)
        sum += exp(((double)logits[k] - largest) / divisor);
    return 1 / sum;
}

/* Computes the views that are asked for, and adds them to their images' sums. */
static void run_asked(Views *v, const float *images, int asked)
{
    const size_t size = shape_size(v->shape);
    #pragma omp parallel for schedule(static)
    for (int i = 0; i < asked; i++)
        view_apply(v->options.set, v->asks[i].place, v->shape, images + (size_t)v->asks[i].image * size, v->images + (size_t)i * size);
    memset(v->images + (size_t)asked * size, 0, (size_t)(v->batch - asked) * size * sizeof *v->images);
    program_set_image(v->program, v->images);
    program_forward(v->program);
    const float *logits = program_logits(v->program);
    for (int i = 0; i < asked; i++) {
        double *sum = v->sums + (size_t)v->asks[i].image * (size_t)v->classes;
        for (int k = 0; k < v->classes; k++)
            sum[k] += places[v->options.set][v->asks[i].place].weight * (double)logits[(size_t)i * (size_t)v->classes + (size_t)k];
    }
}

/* Begins an image's sum; whether it gets further views. One that does not keeps its logits' bits. */
static bool begin_sum(Views *v, int image, const float *logits)
{
    const bool further = v->options.below <= 0 || !(top_probability(logits, v->classes, v->options.temperature) >= v->options.below);
    for (int k = 0; k < v->classes; k++)
        v->sums[(size_t)image * (size_t)v->classes + (size_t)k] = (further ? places[v->options.set][0].weight : 1) * (double)logits[k];
    return further;
}

const float *views_logits(Views *v, const float *images, int count)
{
    CHECK(count > 0 && count <= v->batch, "%d images, batch %d", count, v->batch);
    program_set_image(v->program, images);
    program_forward(v->program);
    const int each = view_set_count(v->options.set);
    if (each == 1)
        return program_logits(v->program);

    const size_t outputs = (size_t)count * (size_t)v->classes;
    memcpy(v->logits, program_logits(v->program), outputs * sizeof *v->logits);
    int asked = 0;
    for (int i = 0; i < count; i++) {
        if (!begin_sum(v, i, v->logits + (size_t)i * (size_t)v->classes))
            continue;
        for (int place = 1; place < each; place++) {
            v->asks[asked++] = (Ask){ i, place };
            if (asked == v->batch) {
                run_asked(v, images, asked);
                asked = 0;
            }
        }
    }
    if (asked)
        run_asked(v, images, asked);
    for (size_t i = 0; i < outputs; i++)
        v->logits[i] = (float)v->sums[i];
    return v->logits;
}
