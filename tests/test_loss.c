/* test_loss.c - losses against long double loops, differences and PyTorch. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "errors.h"
#include "loss.h"
#include "random.h"

/* Straight from the formula: -sum q log p, with log p = z - largest - log sum exp(z - largest). */
static long double reference_row(const float *z, int label, int classes, long double smoothing, long double *gradient)
{
    long double largest = z[0], sum = 0, loss = 0;
    for (int k = 1; k < classes; k++)
        largest = z[k] > largest ? z[k] : largest;
    for (int k = 0; k < classes; k++)
        sum += expl(z[k] - largest);
    for (int k = 0; k < classes; k++) {
        const long double q = (k == label ? 1 - smoothing : 0) + smoothing / classes;
        const long double log_p = z[k] - largest - logl(sum);
        loss -= q * log_p;
        gradient[k] = expl(log_p) - q;
    }
    return loss;
}

static const struct {
    const char *name;
    int rows, count, classes;
    float smoothing, scale;      /* scale: standard deviation of the logits */
} cases[] = {
    { "one row of two",           1,   1,    2, 0.0f,  1 },
    { "odd sizes",                7,   7,   11, 0.0f,  3 },
    { "smoothed",                 7,   7,   11, 0.1f,  3 },
    { "short batch",             13,   5,   10, 0.1f,  2 },
    { "empty batch",              3,   0,   10, 0.1f,  2 },
    { "one class",                3,   3,    1, 0.2f,  2 },
    { "everything smoothed",      5,   5,    9, 1.0f,  2 },
    { "tiny logits",              5,   5,    9, 0.0f,  1e-6f },
    { "huge logits",              9,   9,   10, 0.1f,  1e4f },
    { "threads",                131, 127, 1000, 0.1f,  4 },
    { "as many rows as threads",  64,  64,  257, 0.0f,  4 },
};

static void matches_reference(void **state)
{
    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        const int rows = cases[c].rows, count = cases[c].count, classes = cases[c].classes;
        const size_t size = (size_t)rows * classes;
        float *logits = allocate(size, sizeof *logits, "logits"), *gradient = allocate(size, sizeof *gradient, "gradient");
        long double *expected = allocate((size_t)classes, sizeof *expected, "gradient");
        uint16_t *labels = allocate((size_t)rows, sizeof *labels, "labels");
        Random random = random_stream(c, 0, 0, RANDOM_init);
        for (size_t i = 0; i < size; i++) {
            logits[i] = cases[c].scale * random_normal(&random);
            gradient[i] = NAN;
        }
        for (int i = 0; i < rows; i++)
            labels[i] = i < count ? (uint16_t)random_below(&random, (uint32_t)classes) : 65535;

        LossSum sum = { .loss = 0.5, .top1 = 1, .top5 = 2, .count = 3 };      /* it adds to what is there */
        loss_cross_entropy(logits, labels, rows, count, classes, cases[c].smoothing, gradient, &sum);
        long double loss = 0;
        for (int i = 0; i < rows; i++) {
            if (i < count)
                loss += reference_row(logits + (size_t)i * classes, labels[i], classes, cases[c].smoothing, expected);
            for (int k = 0; k < classes; k++) {
                const double wanted = i < count ? (double)(expected[k] / count) : 0, got = gradient[(size_t)i * classes + k];
                if (!(fabs(got - wanted) <= 1e-6))
                    fail_msg("%s: gradient of row %d, class %d: %.9g, expected %.9g", cases[c].name, i, k, got, wanted);
            }
        }
        if (!(fabs(sum.loss - 0.5 - (double)loss) <= 1e-6 * fmax(1, (double)loss)))
            fail_msg("%s: loss %.12g, expected %.12Lg", cases[c].name, sum.loss - 0.5, loss);
        assert_int_equal(sum.count, 3 + count);
        free(logits);
        free(gradient);
        free(expected);
        free(labels);
    }
}

/* torch.nn.functional.cross_entropy(z, y, label_smoothing=s, reduction="sum") of PyTorch 1.13.1, and the gradient of the
 * mean for the second row; z[0][i] = (37 i mod 23 - 11) / 4, z[1][i] = (11 i mod 17 - 8) 1.5, z[2] as below, y = 3 0 2. */
static const struct { float smoothing; double loss, gradient[7]; } torch_cases[] = {
    { 0.00f, 10024.7949, { -0.333333343, 0.000150645894, 1.85911979e-08, 0.272374213, 3.36136436e-05, 4.14825685e-09, 0.0607749 } },
    { 0.10f, 10023.6914, { -0.304761887, -0.00461125886, -0.00476188632, 0.267612278, -0.00472829118, -0.00476190075, 0.0560129881 } },
    { 0.35f, 10020.9326, { -0.233333319, -0.0165160224, -0.0166666489, 0.255707562, -0.0166330542, -0.0166666638, 0.0441082381 } },
};

static void matches_pytorch(void **state)
{
    (void)state;
    float logits[3][7] = { {0}, {0}, { 1e4f, -1e4f, 0, 5e3f, -5e3f, 1, 2 } }, gradient[3][7];
    const uint16_t labels[3] = { 3, 0, 2 };
    for (int i = 0; i < 7; i++) {
        logits[0][i] = (float)(i * 37 % 23 - 11) / 4;
        logits[1][i] = (float)(i * 11 % 17 - 8) * 1.5f;
    }
    for (size_t c = 0; c < sizeof torch_cases / sizeof *torch_cases; c++) {
        LossSum sum = {0};
        loss_cross_entropy(logits[0], labels, 3, 3, 7, torch_cases[c].smoothing, gradient[0], &sum);
        assert_true(fabs(sum.loss - torch_cases[c].loss) <= 1e-6 * torch_cases[c].loss);
        for (int k = 0; k < 7; k++)
            assert_true(fabs(gradient[1][k] - torch_cases[c].gradient[k]) <= 1e-7);
    }
}

static const struct {
    const char *name;
    int classes, label;
    float logits[8];
    uint32_t top1, top5;
} hits[] = {
    { "largest",                 8, 2, { 1, 2, 9, 4, 5, 6, 7, 8 },            1, 1 },
    { "fifth",                   8, 4, { 9, 2, 1, 8, 3, 7, 6, 0 },            0, 1 },
    { "sixth",                   8, 1, { 9, 2, 1, 8, 3, 7, 6, 0 },            0, 0 },
    { "tie, first wins",         8, 0, { 3, 3, 3, 3, 3, 3, 3, 3 },            1, 1 },
    { "tie, fifth in order",     8, 4, { 3, 3, 3, 3, 3, 3, 3, 3 },            0, 1 },
    { "tie, sixth in order",     8, 5, { 3, 3, 3, 3, 3, 3, 3, 3 },            0, 0 },
    { "fewer than five classes", 3, 2, { 3, 2, 1 },                           0, 1 },
    { "NaN label, few classes",  3, 0, { NAN, 2, 1 },                         0, 0 },
    { "NaN label",               8, 0, { NAN, 2, 1, 3, 4, 5, 6, 7 },          0, 0 },
    { "NaN elsewhere",           8, 1, { NAN, 2, 1, 0, 0, 0, 0, 0 },          0, 1 },
    { "all NaN",                 3, 2, { NAN, NAN, NAN },                     0, 0 },
    { "infinite",                3, 1, { 1, INFINITY, 2 },                    1, 1 },
};

static void counts_hits(void **state)
{
    (void)state;
    for (size_t c = 0; c < sizeof hits / sizeof *hits; c++) {
        LossSum sum = {0};
        const uint16_t label = (uint16_t)hits[c].label;
        loss_cross_entropy(hits[c].logits, &label, 1, 1, hits[c].classes, 0, NULL, &sum);
        if (sum.top1 != hits[c].top1 || sum.top5 != hits[c].top5)
            fail_msg("%s: top-1 %u and top-5 %u, expected %u and %u", hits[c].name, sum.top1, sum.top5, hits[c].top1,
                     hits[c].top5);
        if (strstr(hits[c].name, "NaN"))
            assert_true(isnan(sum.loss));
    }
}

/* A class that is ruled out, by a logit of minus infinity, costs nothing unless something is wanted of it; PyTorch says the same. */
static void rules_classes_out(void **state)
{
    (void)state;
    const float logits[3] = { 0, -INFINITY, 1 }, weights[3] = { 1, 1, 1 };
    static const struct { int label; float smoothing; double loss; } rows[] = {
        { 0, 0, 1.3132616875 }, { 2, 0, 0.3132616875 }, { 1, 0, INFINITY }, { 0, 0.1f, INFINITY },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int weighted = 0; weighted < 2; weighted++) {
            const uint16_t label = (uint16_t)rows[i].label;
            const LossOptions options = { .smoothing = rows[i].smoothing, .class_weights = weighted ? weights : NULL };
            LossSum sum = {0};
            float gradient[3];
            loss_measure(&options, logits, &(Targets){ .labels = &label }, 1, 1, 3, gradient, &sum);
            if (!(sum.loss == rows[i].loss || fabs(sum.loss - rows[i].loss) < 1e-9))
                fail_msg("label %d, smoothing %g%s: %.11g, expected %.11g", rows[i].label, (double)rows[i].smoothing,
                         weighted ? ", weighted" : "", sum.loss, rows[i].loss);
        }
}

/* The same bits for any number of threads. */
static void ignores_threads(void **state)
{
    (void)state;
    enum { ROWS = 97, CLASSES = 501, SIZE = ROWS * CLASSES };
    float *logits = allocate(SIZE, sizeof *logits, "logits"), *gradients = allocate(2 * SIZE, sizeof *gradients, "gradients");
    uint16_t labels[ROWS];
    LossSum sums[2] = {0};
    Random random = random_stream(5, 0, 0, RANDOM_init);
    for (int i = 0; i < SIZE; i++)
        logits[i] = 5 * random_normal(&random);
    for (int i = 0; i < ROWS; i++)
        labels[i] = (uint16_t)random_below(&random, CLASSES);
    const int before = omp_get_max_threads();
    for (int run = 0; run < 2; run++) {
        omp_set_num_threads(run ? 3 : 1);
        loss_cross_entropy(logits, labels, ROWS, ROWS, CLASSES, 0.1f, gradients + (size_t)run * SIZE, &sums[run]);
    }
    omp_set_num_threads(before);
    assert_memory_equal(&sums[0].loss, &sums[1].loss, sizeof sums[0].loss);
    assert_memory_equal(gradients, gradients + SIZE, SIZE * sizeof *gradients);
    free(logits);
    free(gradients);
}

/* The batch of tests/reference/make_loss_golden.py. */
enum { ROWS = 5, CLASSES = 7 };

typedef struct GoldenBatch {
    float    logits[ROWS * CLASSES], shares[ROWS], weights[CLASSES];
    uint16_t labels[ROWS], others[ROWS];
} GoldenBatch;

static GoldenBatch golden_batch(void)
{
    GoldenBatch batch;
    for (int i = 0; i < ROWS; i++) {
        for (int k = 0; k < CLASSES; k++)
            batch.logits[i * CLASSES + k] = (float)((37 * i + 11 * k * i + 7 * k) % 23 - 11) / 4;
        batch.labels[i] = (uint16_t)(3 * i % CLASSES);
        batch.others[i] = (uint16_t)((5 * i + 2) % CLASSES);
        batch.shares[i] = (float)(2 * i + 1) / 11;
    }
    for (int k = 0; k < CLASSES; k++)
        batch.weights[k] = (float)(k + 2) / 5;
    return batch;
}

static Targets golden_targets(const GoldenBatch *batch, bool mixed)
{
    return (Targets){ .labels = batch->labels, .others = mixed ? batch->others : NULL, .shares = mixed ? batch->shares : NULL };
}

static void every_loss_matches_pytorch(void **state)
{
    (void)state;
    const GoldenBatch batch = golden_batch();
    json_error_t problem;
    json_t *golden = json_load_file(TESTS_FOLDER "/golden/losses.json", 0, &problem);
    assert_int_equal(json_array_size(golden), 32);
    for (size_t c = 0; c < json_array_size(golden); c++) {
        const char *kind;
        double smoothing, scale, loss;
        int mixed, weighted;
        json_t *gradient;
        Error error;
        assert_int_equal(json_unpack(json_array_get(golden, c), "{s:s, s:F, s:b, s:b, s:F, s:F, s:o}", "kind", &kind, "smoothing", &smoothing,
                                     "mixed", &mixed, "weighted", &weighted, "scale", &scale, "loss", &loss, "gradient", &gradient), 0);
        LossOptions options = { .smoothing = (float)smoothing, .logit_scale = (float)scale, .class_weights = weighted ? batch.weights : NULL };
        assert_true(loss_parse(kind, &options.kind, &error));
        const Targets targets = golden_targets(&batch, mixed);
        float got[ROWS * CLASSES];
        LossSum sum = { 0 };
        loss_measure(&options, batch.logits, &targets, ROWS, ROWS, CLASSES, got, &sum);
        if (!(fabs(sum.loss / ROWS - loss) <= 1e-7 * fmax(1, loss)))      /* weights and shares are rounded to float */
            fail_msg("case %zu (%s): loss %.10g, expected %.10g", c, kind, sum.loss / ROWS, loss);
        for (size_t i = 0; i < ROWS * CLASSES; i++)
            if (!(fabs((double)got[i] - json_number_value(json_array_get(gradient, i))) <= 1e-7))
                fail_msg("case %zu (%s): gradient %zu is %.9g, expected %.9g", c, kind, i, (double)got[i],
                         json_number_value(json_array_get(gradient, i)));
    }
    json_decref(golden);
}

/* The gradient is of the loss that is returned: differences of 1/64, whose error is of its square. */
static void gradients_are_slopes(void **state)
{
    (void)state;
    const float step = 1.0f / 64;
    const GoldenBatch plain = golden_batch();
    for (int c = 0; c < 16; c++) {
        const LossOptions options = { .kind = (LossKind)(c & 1), .smoothing = 0.2f, .logit_scale = c & 2 ? 1.5f : 0,
                                      .class_weights = c & 4 ? plain.weights : NULL };
        const Targets targets = golden_targets(&plain, c & 8);
        float gradient[ROWS * CLASSES];
        LossSum sum = { 0 };
        loss_measure(&options, plain.logits, &targets, ROWS, 4, CLASSES, gradient, &sum);
        for (int i = 0; i < ROWS * CLASSES; i++) {
            GoldenBatch above = plain, below = plain;
            LossSum more = { 0 }, less = { 0 };
            above.logits[i] += step;
            below.logits[i] -= step;
            loss_measure(&options, above.logits, &targets, ROWS, 4, CLASSES, NULL, &more);
            loss_measure(&options, below.logits, &targets, ROWS, 4, CLASSES, NULL, &less);
            const double slope = (more.loss - less.loss) / (2 * (double)step) / 4;
            if (!(fabs(slope - (double)gradient[i]) <= 2e-5))
                fail_msg("case %d: gradient %d is %g, the slope %g", c, i, (double)gradient[i], slope);
        }
    }
}

/* Mixed with itself, a label is itself; the label with the larger share is the one that is hit. */
static void mixed_labels(void **state)
{
    (void)state;
    GoldenBatch batch = golden_batch();
    float plain[ROWS * CLASSES], mixed[ROWS * CLASSES];
    LossSum sums[2] = {0};
    const LossOptions options = { .smoothing = 0.1f };
    memcpy(batch.others, batch.labels, sizeof batch.others);
    const Targets one = golden_targets(&batch, false), same = golden_targets(&batch, true);
    loss_measure(&options, batch.logits, &one, ROWS, ROWS, CLASSES, plain, &sums[0]);
    loss_measure(&options, batch.logits, &same, ROWS, ROWS, CLASSES, mixed, &sums[1]);
    assert_true(fabs(sums[0].loss - sums[1].loss) <= 1e-9);
    for (int i = 0; i < ROWS * CLASSES; i++)
        assert_true(fabs((double)plain[i] - (double)mixed[i]) <= 1e-8);

    const float logits[2 * 3] = { 0, 1, 2, 0, 1, 2 };
    const uint16_t labels[2] = { 2, 2 }, others[2] = { 0, 0 };
    const float shares[2] = { 0.6f, 0.4f };
    LossSum sum = { 0 };
    loss_measure(&options, logits, &(Targets){ labels, others, shares }, 2, 2, 3, NULL, &sum);
    assert_int_equal(sum.top1, 1);
}

/* Rare classes count more; the mean weight of a sample is 1. */
static void weights_of_classes(void **state)
{
    (void)state;
    static const uint32_t counts[] = { 10, 0, 30, 5, 1 };
    float weights[5];
    double mean = 0;
    loss_class_weights(counts, 5, weights);
    for (int k = 0; k < 5; k++)
        mean += (double)weights[k] * counts[k] / 46;
    assert_true(fabs(mean - 1) < 1e-6);
    assert_true(fabs((double)weights[0] - 46.0 / 4 / 10) < 1e-6 && weights[1] == 1);
    assert_true(fabs((double)weights[4] / (double)weights[2] - 30) < 1e-4);
}

static void names_of_losses(void **state)
{
    (void)state;
    Error error;
    LossKind kind;
    assert_true(loss_parse("BCE", &kind, &error) && kind == LOSS_bce);
    assert_string_equal(loss_name(LOSS_ce), "ce");
    assert_false(loss_parse("bec", &kind, &error));
    assert_string_equal(error.text, "unknown loss 'bec': --loss: did you mean bce? choose one of ce bce");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_reference),
        cmocka_unit_test(matches_pytorch),
        cmocka_unit_test(counts_hits),
        cmocka_unit_test(rules_classes_out),
        cmocka_unit_test(ignores_threads),
        cmocka_unit_test(every_loss_matches_pytorch),
        cmocka_unit_test(gradients_are_slopes),
        cmocka_unit_test(mixed_labels),
        cmocka_unit_test(weights_of_classes),
        cmocka_unit_test(names_of_losses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
