/* formula_kernels.c - activations that are computed from their formula, their gradients, and those of learned parameters.
 *
 * Where every number is by itself, a tensor is one array (kernel_expression). Else it is worked through in runs of numbers that lie together: a
 * block of channels of an image (view.h), or a pixel where a gated unit's input has all channels of a pixel together; and a run in strips.
 * Strips begin at the same places for any number of threads, and so do the sums over them. */

#include "isa.h"

#include "errors.h"
#include "integers.h"
#include "padding.h"
#include "random.h"

#include <string.h>

enum { STRIP = 1024 };      /* numbers; where which channel a number is of does not matter, shorter runs are joined */

/* How the runs of a kernel lie. */
typedef struct Runs {
    size_t runs, count;         /* how many, and numbers in one */
    size_t per_image;           /* runs of an image */
    size_t period;              /* a run's channels come back every `period` numbers */
    size_t pixels;              /* of an image */
    bool   by_pixel;            /* a run is a pixel */
    bool   gated;
} Runs;

/* Where a run begins. */
typedef struct Place {
    size_t x, g, y;
    size_t image, channel, pixel;
} Place;

static Runs runs_of(const FormulaKernel *k)
{
    const View *view = &k->view;
    const size_t pixels = view_pixels(view), padded = (size_t)view->padded;
    const size_t block = pixels == 1 ? padded : (size_t)view->block;      /* one pixel: all layouts are the same */
    Runs runs = { .pixels = pixels, .period = block, .gated = k->formula->gated, .per_image = padded / block };
    runs.by_pixel = runs.gated && (k->together || pixels == 1);
    if (runs.by_pixel)
        runs.per_image = pixels;
    else if (!k->learned && !k->draws && pixels * block < STRIP)
        runs.per_image = 1;
    runs.count = pixels * padded / runs.per_image;
    runs.runs = (size_t)view->n * runs.per_image;
    return runs;
}

static Place run_place(const FormulaKernel *k, const Runs *runs, size_t run)
{
    const size_t image = run / runs->per_image, at = run % runs->per_image, y = run * runs->count;
    Place place = { .x = y, .y = y, .image = image, .channel = runs->by_pixel ? 0 : at * runs->period, .pixel = runs->by_pixel ? at : 0 };
    if (runs->by_pixel) {
        place.x = 2 * y;
        place.g = place.x + runs->count;
    } else if (runs->gated) {
        place.x = y + image * view_image_stride(&k->view);
        place.g = place.x + view_image_stride(&k->view);
    }
    return place;
}

/* A parameter's value for each number of a strip. */
static void strip_spread(const Runs *runs, size_t at, size_t length, const float *weights, float *strip)
{
    size_t channel = at % runs->period;
    for (size_t i = 0; i < length; i++) {
        strip[i] = weights[channel];
        channel = channel + 1 == runs->period ? 0 : channel + 1;
    }
}

/* Uniform in [0, 1): a hash of the key and of the number's position in N C H W order, whatever the layout. */
static void strip_draw(const FormulaKernel *k, const Runs *runs, const Place *place, size_t at, size_t length, uint64_t key, float *strip)
{
    const uint64_t first = key + (place->image * (uint64_t)k->view.c + place->channel) * runs->pixels + place->pixel;
    size_t channel = at % runs->period, pixel = at / runs->period;
    for (size_t i = 0; i < length; i++) {
        strip[i] = (float)(random_mix(first + channel * runs->pixels + pixel) >> 40) * 0x1p-24f;
        if (++channel == runs->period)
            channel = 0, pixel++;
    }
}

/* Everything that a strip's numbers have beside themselves is the same for all. */
static bool is_flat(const FormulaKernel *k)
{
    return !k->formula->gated && !k->learned && !k->draws;
}

/* What the formula reads beside x, g and dy: from k, from the run's channel, or from strips that are filled here. */
static void parameters_set(const FormulaKernel *k, const Runs *runs, const Place *place, size_t at, size_t length, const FormulaInputs *in,
                           float strips[][STRIP], ExpressionStrips *to)
{
    static const float half = 0.5f;
    for (int i = 0; i < k->formula->parameters; i++) {
        const float **value = &to->inputs[EXPRESSION_parameter + i];
        to->each[i] = k->learned && runs->period > 1;
        if (to->each[i])
            strip_spread(runs, at, length, in->weights[i] + place->channel, strips[i]);
        *value = to->each[i] ? strips[i] : k->learned ? in->weights[i] + place->channel : &k->parameters[i];
    }
    const int noise = k->formula->noise;
    if (noise < 0)
        return;
    to->each[noise] = k->draws;
    to->inputs[EXPRESSION_parameter + noise] = k->draws ? strips[noise] : &half;
    if (k->draws)
        strip_draw(k, runs, place, at, length, in->key, strips[noise]);
}

/* The whole tensor in one. */
static void flat_run(const FormulaKernel *k, const ExpressionCode *code, const FormulaInputs *in, float *y)
{
    ExpressionStrips strips = { .inputs = { [EXPRESSION_x] = in->x, [EXPRESSION_dy] = in->dy } };
    parameters_set(k, NULL, NULL, 0, 0, in, NULL, &strips);
    KERNEL(kernel_expression)(code, view_count(&k->view), &strips, &y);
    padding_clear(&k->view, sizeof *y, y);
}

void KERNEL(kernel_formula_forward)(const FormulaKernel *k, const FormulaInputs *in, float *y)
{
    if (is_flat(k)) {
        flat_run(k, k->formula->forward, in, y);
        return;
    }
    const Runs runs = runs_of(k);
    #pragma omp parallel for schedule(static)
    for (size_t run = 0; run < runs.runs; run++) {
        const Place place = run_place(k, &runs, run);
        float spread[EXPRESSION_PARAMETERS][STRIP];
        for (size_t at = 0; at < runs.count; at += STRIP) {
            const size_t length = size_min(STRIP, runs.count - at);
            ExpressionStrips strips = { .inputs = { [EXPRESSION_x] = in->x + place.x + at, [EXPRESSION_g] = in->x + place.g + at } };
            parameters_set(k, &runs, &place, at, length, in, spread, &strips);
            KERNEL(kernel_expression_run)(k->formula->forward, length, &strips, (float *const[]){ y + place.y + at });
        }
    }
    padding_clear(&k->view, sizeof *y, y);
}

/* ---- backward ---- */

static size_t partial_count(const FormulaKernel *k)
{
    const Runs runs = runs_of(k);
    return runs.runs * runs.period;
}

size_t KERNEL(kernel_formula_scratch)(const FormulaKernel *k)
{
    return k->learned ? (size_t)k->formula->parameters * partial_count(k) * sizeof(float) : 0;
}

/* sums[channel] += terms */
static void strip_sum(const Runs *runs, size_t at, size_t length, const float *terms, float *sums)
{
    if (runs->period == 1) {
        double sum = 0;
        for (size_t i = 0; i < length; i++)
            sum += (double)terms[i];
        sums[0] += (float)sum;
        return;
    }
    size_t channel = at % runs->period;
    for (size_t i = 0; i < length; i++) {
        sums[channel] += terms[i];
        channel = channel + 1 == runs->period ? 0 : channel + 1;
    }
}

/* weights' gradient[c] = the sum of the runs that have channel c, in their order. */
static void partials_sum(const FormulaKernel *k, const Runs *runs, const float *partials, float *gradient)
{
    #pragma omp parallel for schedule(static)
    for (size_t c = 0; c < (size_t)k->view.padded; c++) {
        double sum = 0;
        const size_t first = runs->by_pixel ? 0 : c / runs->period, step = runs->by_pixel ? 1 : runs->per_image;
        for (size_t run = first; run < runs->runs; run += step)
            sum += (double)partials[run * runs->period + c % runs->period];
        gradient[c] = c < (size_t)k->view.c ? (float)sum : 0.0f;
    }
}

/* dy times the derivatives of one strip: those by x and g are written, those by learned parameters are summed. dx may be dy. */
static void strip_backward(const FormulaKernel *k, const Runs *runs, const Place *place, size_t at, size_t length, const FormulaInputs *in,
                           float *dx, float *const sums[])
{
    const Formula *formula = k->formula;
    float spread[EXPRESSION_PARAMETERS][STRIP], slopes[EXPRESSION_VARIABLES][STRIP], *outputs[EXPRESSION_VARIABLES];
    ExpressionStrips strips = { .inputs = { [EXPRESSION_x] = in->x + place->x + at, [EXPRESSION_g] = in->x + place->g + at,
                                            [EXPRESSION_dy] = in->dy + place->y + at } };
    int count = 0;
    parameters_set(k, runs, place, at, length, in, spread, &strips);
    for (int i = 0; i < EXPRESSION_VARIABLES; i++)
        if (formula->slopes[i])
            outputs[count++] = slopes[i];
    KERNEL(kernel_expression_run)(formula->backward, length, &strips, outputs);
    if (formula->slopes[EXPRESSION_g])
        memcpy(dx + place->g + at, slopes[EXPRESSION_g], length * sizeof *dx);
    for (int i = 0; k->learned && i < formula->parameters; i++)
        if (formula->slopes[EXPRESSION_parameter + i])
            strip_sum(runs, at, length, slopes[EXPRESSION_parameter + i], sums[i]);
    memcpy(dx + place->x + at, slopes[EXPRESSION_x], length * sizeof *dx);
}

void KERNEL(kernel_formula_backward)(const FormulaKernel *k, const FormulaInputs *in, float *dx, float *const dweights[], void *scratch)
{
    if (is_flat(k)) {
        flat_run(k, k->formula->backward, in, dx);
        return;
    }
    const Runs runs = runs_of(k);
    const size_t partials = partial_count(k);
    #pragma omp parallel for schedule(static)
    for (size_t run = 0; run < runs.runs; run++) {
        const Place place = run_place(k, &runs, run);
        float *sums[EXPRESSION_PARAMETERS];
        for (int i = 0; k->learned && i < k->formula->parameters; i++) {
            sums[i] = (float *)scratch + (size_t)i * partials + run * runs.period;
            memset(sums[i], 0, runs.period * sizeof **sums);
        }
        for (size_t at = 0; at < runs.count; at += STRIP)
            strip_backward(k, &runs, &place, at, size_min(STRIP, runs.count - at), in, dx, sums);
    }
    padding_clear(&k->view, sizeof *dx, dx);
    for (int i = 0; k->learned && i < k->formula->parameters; i++)
        partials_sum(k, &runs, (const float *)scratch + (size_t)i * partials, dweights[i]);
}
