/* measure.c - plans chosen by timing; see measure.h.
 *
 * A candidate is a layout with one algorithm for all layers, where they can. All of the network runs, so that every kernel
 * finds its data where its neighbours left them, and each kernel's time goes to the layer for whose sake it runs, reorders
 * included. Of a layout's candidates, every layer takes the fastest. That is done on a part of the batch; what each layout came
 * to, and the plan without measuring, then compete on the whole of it. */

#include "measure.h"

#include "clock.h"
#include "emit.h"
#include "errors.h"
#include "kernels.h"
#include "parameters.h"
#include "random.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_IMAGES = 32, ROUNDS = 3 };

typedef struct Measurement {
    NetworkBuilder *build;
    const void     *context;
    Plan            wish;
    Purpose         purpose;
    int             batch;
} Measurement;

/* A network that is run to see how long it takes. */
typedef struct Trial {
    Network *network;
    Program *program;
    float   *gradient;      /* of the logits; NULL: inference */
    size_t   logits;        /* how many */
} Trial;

static void fill(float *numbers, size_t count, uint64_t key)
{
    Random random = random_stream(0, key, 0, RANDOM_init);
    for (size_t i = 0; i < count; i++)
        numbers[i] = random_normal(&random);
}

static Trial trial_new(const Measurement *m, const Plan *plan)
{
    Trial trial = { .network = m->build(m->context) };
    parameters_init(trial.network, 0);
    trial.program = program_compile(trial.network, plan, m->purpose, m->batch);
    fill(program_image(trial.program), (size_t)m->batch * shape_size(network_image(trial.network)->shape), 0);
    if (m->purpose.gradients != GRADIENTS_none) {
        trial.logits = (size_t)m->batch * shape_size(network_logits(trial.network)->shape);
        trial.gradient = allocate(trial.logits, sizeof *trial.gradient, "gradients");
        fill(trial.gradient, trial.logits, 1);
    }
    return trial;
}

static void trial_free(Trial *trial)
{
    program_free(trial->program);
    network_free(trial->network);
    free(trial->gradient);
}

static void trial_step(const Trial *trial)
{
    program_forward(trial->program);
    if (!trial->gradient)
        return;
    memcpy(program_logits_gradient(trial->program), trial->gradient, trial->logits * sizeof *trial->gradient);
    program_backward(trial->program);
}

/* The least seconds that each layer took in a step; the first step is not counted. */
static void trial_time(const Trial *trial, double *seconds)
{
    const int kernels = program_profile_rows(trial->program, NULL, 0), layers = network_module_count(trial->network);
    KernelProfile *rows = allocate((size_t)kernels, sizeof *rows, "a profile");
    double *least = allocate((size_t)kernels, sizeof *least, "a profile");
    trial_step(trial);
    for (int round = 0; round < ROUNDS; round++) {
        program_profile(trial->program, true);
        trial_step(trial);
        program_profile_rows(trial->program, rows, kernels);
        for (int i = 0; i < kernels; i++)
            if (round == 0 || rows[i].seconds < least[i])
                least[i] = rows[i].seconds;
    }
    memset(seconds, 0, (size_t)layers * sizeof *seconds);
    for (int i = 0; i < kernels; i++)
        seconds[rows[i].layer] += least[i];
    free(rows);
    free(least);
}

/* ---- candidates ---- */

/* '.': by the rules; the others where they can. Where the rules do not take them, depthwise and batch-last kernels cannot run. */
static const char candidates[] = { '.', ALGORITHM_direct, ALGORITHM_bf16, ALGORITHM_winograd, ALGORITHM_int16 };

enum { CANDIDATES = sizeof candidates };

/* In f32 the rules take Winograd wherever it can run. */
static bool is_open(const Measurement *m, char algorithm)
{
    const bool is_winograd = algorithm == ALGORITHM_winograd || algorithm == ALGORITHM_int16;
    return algorithm == '.' || algorithm == ALGORITHM_direct ||
           (m->wish.precision != PRECISION_f32 && !(is_winograd && m->wish.direct_only));
}

/* Takes a candidate's algorithm for every layer that was faster in it than before. */
static void keep_faster(const Trial *trial, const double *seconds, double *best, Plan *plan)
{
    int layer = 0;
    for (int i = 0; i < network_module_count(trial->network) && layer < PLAN_MOST_LAYERS; i++) {
        const Module *module = network_module(trial->network, i);
        if (!module->ops->algorithm)
            continue;
        if (seconds[i] < best[i]) {
            best[i] = seconds[i];
            plan->layers[layer] = module->ops->algorithm(module, trial->program);
        }
        layer++;
    }
}

/* Times every candidate of the plan's layout, and names for each layer who was fastest. */
static void best_layers(const Measurement *m, Plan *plan)
{
    double *best = NULL, *seconds = NULL;
    for (int a = 0; a < CANDIDATES; a++) {
        if (!is_open(m, candidates[a]))
            continue;
        Plan candidate = *plan;
        memset(candidate.layers, candidates[a], PLAN_MOST_LAYERS);
        candidate.layers[PLAN_MOST_LAYERS] = '\0';
        Trial trial = trial_new(m, &candidate);
        const size_t modules = (size_t)network_module_count(trial.network);
        if (!best) {
            best = allocate(modules, sizeof *best, "a profile");
            seconds = allocate(modules, sizeof *seconds, "a profile");
            for (size_t i = 0; i < modules; i++)
                best[i] = DBL_MAX;
        }
        trial_time(&trial, seconds);
        keep_faster(&trial, seconds, best, plan);
        trial_free(&trial);
    }
    free(best);
    free(seconds);
}

/* The least seconds of a step on the whole batch; layout: what the plan's came to. */
static double step_seconds(const Measurement *m, const Plan *plan, LayoutPolicy *layout)
{
    Trial trial = trial_new(m, plan);
    double least = DBL_MAX;
    *layout = program_plan(trial.program)->layout;
    trial_step(&trial);
    for (int round = 0; round < ROUNDS; round++) {
        const double begin = seconds_now();
        trial_step(&trial);
        const double seconds = seconds_now() - begin;
        least = seconds < least ? seconds : least;
    }
    trial_free(&trial);
    return least;
}

Plan plan_measure(NetworkBuilder *build, const void *context, const Plan *wish, Purpose purpose, int batch)
{
    static const LayoutPolicy layouts[] = { LAYOUT_blocked, LAYOUT_channels_last, LAYOUT_batch_last };
    Measurement whole = { build, context, *wish, purpose, batch };
    whole.wish.measured = false;
    memset(whole.wish.layers, 0, sizeof whole.wish.layers);
    Measurement part = whole;
    part.batch = batch < MOST_IMAGES ? batch : MOST_IMAGES;
    Plan fastest = whole.wish;
    LayoutPolicy ruled, layout;
    double least = step_seconds(&whole, &fastest, &ruled);
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        Plan plan = whole.wish;
        plan.layout = layouts[i];
        /* Batch last is for narrow networks alone, which the rules know. */
        if (layouts[i] != ruled && (whole.wish.layout != LAYOUT_automatic || layouts[i] == LAYOUT_batch_last))
            continue;
        best_layers(&part, &plan);
        const double seconds = step_seconds(&whole, &plan, &layout);
        if (seconds < least) {
            least = seconds;
            fastest = plan;
        }
    }
    return fastest;
}
