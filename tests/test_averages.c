/* test_averages.c - averages, slow weights, climbs and summed gradients are what their papers say, in double precision. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "scratch.h"
#include "tiny_run.h"
#include "trainer_step.h"

/* Two epochs of five steps; an optimizer whose step is w - lr g, so that it is soon written down. */
static TrainerOptions plain_options(const char *arch, const char *folder, Seen *seen)
{
    TrainerOptions options = tiny_options(arch, folder, seen);
    options.epochs = 2;
    options.lr = 0.05f;
    options.optimizer.kind = OPTIMIZER_sgd;
    options.optimizer.momentum = options.optimizer.weight_decay = options.optimizer.clip_norm = 0.0f;
    options.optimizer.nesterov = false;
    return options;
}

static void expect_within(double tolerance, const char *name, size_t count, const double *expected, const float *actual)
{
    double worst = 0.0, largest = 0.0;
    for (size_t i = 0; i < count; i++) {
        worst = fmax(worst, fabs(expected[i] - (double)actual[i]));
        largest = fmax(largest, fabs(expected[i]));
    }
    if (!(worst <= tolerance * (1.0 + largest)))
        fail_msg("%s: off by %g of %g", name, worst, largest);
}

static void expect_close(const char *name, size_t count, const double *expected, const float *actual)
{
    expect_within(1e-6, name, count, expected, actual);
}

static const KeptBlock *block_of(const Kept *kept, const char *owner)
{
    int i = 0;
    while (i < kept->block_count && strcmp(kept->blocks[i].owner, owner))
        i++;
    assert_true(i < kept->block_count);
    return &kept->blocks[i];
}

static void widen(size_t count, double *to, const float *from)
{
    for (size_t i = 0; i < count; i++)
        to[i] = (double)from[i];
}

/* A run that a test follows step by step, with a reference that the test computes itself. */
typedef struct Follow {
    Trainer      *trainer;
    const Parameters *p;
    double       *reference, *before;    /* before: the weights of the step before */
    int           count;                 /* of what is in the reference, where that matters */
} Follow;

static void follow(TrainerOptions *options, Follow *f, void (*step)(void *context, const TrainerStep *step),
                   void (*epoch)(void *context, const TrainerEpoch *epoch))
{
    Error error;
    options->report = (TrainerReport){ .context = f, .step = step, .epoch = epoch };
    f->trainer = trainer_open(options, &error);
    if (!f->trainer)
        fail_msg("%s", error.text);
    f->p = network_parameters(f->trainer->network);
    f->reference = calloc(f->p->total, sizeof *f->reference);
    f->before = calloc(f->p->total, sizeof *f->before);
    widen(f->p->total, f->reference, f->p->values);
    widen(f->p->total, f->before, f->p->values);
    tiny_expect_code(trainer_run(f->trainer, &error), EXIT_ok, &error, "a run that is followed");
}

static void follow_end(Follow *f)
{
    trainer_close(f->trainer);
    free(f->reference);
    free(f->before);
}

/* ---- EMA ---- */

/* timm's ModelEmaV3.get_decay and its lerp, which begins at step 1. */
static void ema_step(void *context, const TrainerStep *step)
{
    Follow *f = context;
    const PartOptions *o = &f->trainer->options.parts;
    const double n = (double)step->step - 1.0, decay = (double)o->ema_decay;
    double d = decay;
    if (o->ema_warmup)
        d = fmax(fmin(1.0 - pow(1.0 + n / 1.0, -(2.0 / 3.0)), decay), 0.0);
    if (n <= 0.0)
        d = 0.0;
    for (size_t i = 0; i < f->p->total; i++)
        f->reference[i] = d * f->reference[i] + (1.0 - d) * (double)f->p->values[i];
}

static void test_ema(void **state)
{
    (void)state;
    static const struct { const char *arch; float decay; bool warmup; } cases[] = {
        { "lenet", 0.9f, false }, { "baseline", 0.7f, true }, { "lenet", 0.9999f, true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char root[256], folder[256];
        Seen seen = { 0 };
        Follow f = { 0 };
        scratch_new(root);
        TrainerOptions options = plain_options(cases[i].arch, scratch_path(folder, root, "run"), &seen);
        options.parts = (PartOptions){ .ema = true, .ema_decay = cases[i].decay, .ema_warmup = cases[i].warmup };
        follow(&options, &f, ema_step, NULL);
        const Kept kept = parts_keep(f.trainer);
        const KeptBlock *ema = block_of(&kept, "ema");
        expect_close("ema", f.p->total, f.reference, ema->values);
        if (!strcmp(cases[i].arch, "baseline"))
            assert_int_equal(ema->counters[0], 2 * BATCHES);
        follow_end(&f);
        scratch_remove(root);
    }
}

/* ---- SWA ---- */

static void swa_epoch(void *context, const TrainerEpoch *epoch)
{
    Follow *f = context;
    if ((int)epoch->epoch + 1 < f->trainer->options.parts.swa_start)
        return;
    if (f->count++ == 0)
        memset(f->reference, 0, f->p->total * sizeof *f->reference);
    for (size_t i = 0; i < f->p->trained; i++)
        f->reference[i] += (double)f->p->values[i];
}

/* Each batch's own mean and variance: a moving average that starts at 0 is a tenth of them after one batch. */
static void batch_statistics(Follow *f, WeightsCopy *average)
{
    Trainer *t = f->trainer;
    Batch batch;
    float *running = f->p->values + f->p->trained;
    const size_t count = f->p->total - f->p->trained;
    uint64_t step = (uint64_t)t->options.epochs * t->batches;
    int batches = 0;
    double *sum = f->reference + f->p->trained;
    memset(sum, 0, count * sizeof *sum);
    weights_copy_swap(average, t->network);
    for (loader_start(t->loader, (uint32_t)t->options.epochs - 1, 0); loader_next(t->loader, &batch); batches++) {
        memset(running, 0, count * sizeof *running);
        program_set_image(t->program, batch.images);
        program_set_step(t->program, t->options.seed, step++);
        program_forward(t->program);
        for (size_t i = 0; i < count; i++)
            sum[i] += 10.0 * (double)running[i];
    }
    for (size_t i = 0; i < count; i++)
        sum[i] /= batches;
    weights_copy_swap(average, t->network);
}

static void test_swa(void **state)
{
    (void)state;
    char root[256], folder[256];
    Seen seen = { 0 };
    Follow f = { 0 };
    scratch_new(root);
    TrainerOptions options = plain_options("baseline", scratch_path(folder, root, "run"), &seen);
    options.epochs = 4;
    options.parts = (PartOptions){ .swa_start = 2 };
    follow(&options, &f, NULL, swa_epoch);
    assert_int_equal(f.count, 3);
    for (size_t i = 0; i < f.p->trained; i++)
        f.reference[i] /= f.count;
    const Kept kept = parts_keep(f.trainer);
    const KeptBlock *swa = block_of(&kept, "swa");
    WeightsCopy average = { 0 };
    assert_int_equal(swa->counters[0], BATCHES);
    expect_close("swa", f.p->trained, f.reference, swa->values);
    weights_copy_take(&average, f.trainer->network);      /* a copy of the average, which batch_statistics moves */
    memcpy(average.values, swa->values, f.p->total * sizeof *average.values);
    batch_statistics(&f, &average);
    double worst = 0.0;
    for (size_t i = f.p->trained; i < f.p->total; i++)
        worst = fmax(worst, fabs(f.reference[i] - (double)swa->values[i]) / (1e-3 + fabs(f.reference[i])));
    if (!(worst < 1e-4))
        fail_msg("statistics of the average: off by %g", worst);
    weights_copy_free(&average);
    follow_end(&f);
    scratch_remove(root);
}

/* ---- Lookahead ---- */

static void lookahead_step(void *context, const TrainerStep *step)
{
    Follow *f = context;
    const PartOptions *o = &f->trainer->options.parts;
    const double done = (double)step->step / (double)step->steps;
    const double alpha = o->lookahead_rising ? 1.0 - pow(0.95, o->lookahead_k) * pow(done, 3.0) : (double)o->lookahead_alpha;
    const bool turn = step->step % (uint64_t)o->lookahead_k == 0;
    double *fast = f->before, *slow = f->reference;
    for (size_t i = 0; i < f->p->trained; i++) {
        fast[i] -= (double)step->lr * (double)f->p->gradients[i];
        if (turn)
            slow[i] += alpha * (fast[i] - slow[i]);
        if (turn || step->step == step->steps)
            fast[i] = slow[i];
    }
    expect_close("fast weights", f->p->trained, fast, f->p->values);
    widen(f->p->trained, fast, f->p->values);      /* the next step begins with what was rounded */
}

static void test_lookahead(void **state)
{
    (void)state;
    static const PartOptions cases[] = {
        { .lookahead = true, .lookahead_k = 3, .lookahead_alpha = 0.5f }, { .lookahead = true, .lookahead_k = 5, .lookahead_alpha = 0.8f },
        { .lookahead = true, .lookahead_k = 2, .lookahead_rising = true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char root[256], folder[256];
        Seen seen = { 0 };
        Follow f = { 0 };
        scratch_new(root);
        TrainerOptions options = plain_options("lenet", scratch_path(folder, root, "run"), &seen);
        options.parts = cases[i];
        follow(&options, &f, lookahead_step, NULL);
        const Kept kept = parts_keep(f.trainer);
        expect_close("slow weights", f.p->trained, f.reference, block_of(&kept, "lookahead")->values);
        expect_close("the network in the end", f.p->trained, f.reference, f.p->values);
        follow_end(&f);
        scratch_remove(root);
    }
}

/* ---- SAM ---- */

/* The gradient at w + rho g / |g|, with the climb in double precision; w and statistics are as after one forward pass. */
static void sam_reference(Trainer *t, const Batch *batch, double rho, double *gradient)
{
    Parameters *p = network_parameters(t->network);
    WeightsCopy start = { 0 };
    LossSum sum = { 0 };
    Error error;
    double squares = 0.0;
    assert_true(trainer_gradients(t, batch, &sum, &error));
    weights_copy_take(&start, t->network);
    for (size_t i = 0; i < p->trained; i++)
        squares += (double)p->gradients[i] * (double)p->gradients[i];
    for (size_t i = 0; i < p->trained; i++)
        p->values[i] = (float)((double)p->values[i] + rho * (double)p->gradients[i] / sqrt(squares));
    p->version++;
    assert_true(trainer_gradients(t, batch, &sum, &error));
    widen(p->trained, gradient, p->gradients);
    weights_copy_put(&start, t->network);
    weights_copy_free(&start);
}

static void test_sam(void **state)
{
    (void)state;
    static const char *const archs[] = { "lenet", "resnet18" };      /* with and without statistics and what is dropped */
    for (int a = 0; a < 2; a++) {
        char root[256], folder[256];
        Seen seen = { 0 };
        Error error;
        Batch batch;
        scratch_new(root);
        TrainerOptions options = plain_options(archs[a], scratch_path(folder, root, "run"), &seen);
        options.parts = (PartOptions){ .sam_rho = 0.1f };
        options.data.side = 32;      /* the last bit of a weight changes gradients less where batch norm has more numbers, */
        options.network.act = activation_of(ACT_silu);      /* and by no jump without kinks: of an activation, of a pool that takes the largest */
        options.network.drop_path = a ? 0.2f : 0.0f;
        Trainer *t = trainer_open(&options, &error);
        assert_non_null(t);
        Parameters *p = network_parameters(t->network);
        double *gradient = calloc(p->trained, sizeof *gradient);
        for (int step = 0; step < (a ? 4 : 10); step++) {      /* the large one takes its time */
            WeightsCopy start = { 0 }, after = { 0 };
            LossSum sum = { 0 };
            if (step % BATCHES == 0)
                loader_start(t->loader, (uint32_t)(step / BATCHES), 0);
            assert_true(loader_next(t->loader, &batch));
            weights_copy_take(&start, t->network);
            sam_reference(t, &batch, 0.1, gradient);
            weights_copy_take(&after, t->network);
            weights_copy_put(&start, t->network);

            assert_true(trainer_gradients(t, &batch, &sum, &error));
            assert_true(parts_after_gradients(t, &batch, &error));
            expect_within(a ? 1e-5 : 1e-6, archs[a], p->trained, gradient, p->gradients);      /* a deep network magnifies the last bit of a weight */
            assert_memory_equal(p->values, after.values, p->total * sizeof *p->values);
            if (a == 1)
                assert_int_equal(p->counters[0], step + 1);
            optimizer_step(t->optimizer, 0.05f);
            t->state.step++;
            weights_copy_free(&start);
            weights_copy_free(&after);
        }
        free(gradient);
        trainer_close(t);
        scratch_remove(root);
    }
}

/* ---- accumulation ---- */

/* In the file's order, for the layout may be another one for another batch; the caller's. */
static double *weights_of(const Trainer *t)
{
    const size_t count = network_trained_count(t->network);
    double *weights = calloc(count, sizeof *weights);
    float *plain = calloc(count, sizeof *plain);
    size_t at = 0;
    for (int i = 0; i < network_param_count(t->network); i++) {
        const Param *param = network_param(t->network, i);
        parameters_export(t->network, network_parameters(t->network)->values, param, plain);
        widen(param->count, weights + at, plain);
        at += param->count;
    }
    assert_int_equal(at, count);
    free(plain);
    return weights;
}

static double largest_difference(size_t count, const double *a, const double *b)
{
    double largest = 0.0;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(a[i] - b[i]));
    return largest;
}

/* Two batches of 16, or four of 8, are one of 32: in a network without batch norm and dropout. */
static void test_accumulation(void **state)
{
    (void)state;
    static const struct { int batch, accumulate; } cases[] = { { 32, 0 }, { 16, 2 }, { 8, 4 } };
    double *expected = NULL, moved = 0.0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char root[256], folder[256];
        Seen seen = { 0 };
        Follow f = { 0 };
        scratch_new(root);
        TrainerOptions options = plain_options("lenet", scratch_path(folder, root, "run"), &seen);
        options.network.no_dropout = true;
        options.batch = cases[i].batch;
        options.parts.accumulate = cases[i].accumulate;
        follow(&options, &f, NULL, NULL);
        assert_int_equal(f.trainer->state.step, 2 * BATCHES);
        double *weights = weights_of(f.trainer);
        if (i == 0) {
            expected = weights;
            widen(f.p->trained, f.reference, f.p->values);
            moved = largest_difference(f.p->trained, f.before, f.reference);      /* in ten steps */
        } else {
            const double off = largest_difference(network_trained_count(f.trainer->network), expected, weights);
            if (!(off < 1e-4 * moved))
                fail_msg("%d batches of %d: off by %g of %g", cases[i].accumulate, cases[i].batch, off, moved);
            free(weights);
        }
        follow_end(&f);
        scratch_remove(root);
    }
    free(expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ema),
        cmocka_unit_test(test_swa),
        cmocka_unit_test(test_lookahead),
        cmocka_unit_test(test_sam),
        cmocka_unit_test(test_accumulation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
