/* test_rank_shares.c - the parts of a batch that ranks take make up the batch: images, losses, gradients. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "loader.h"
#include "loss.h"
#include "optimizer_net.h"
#include "random.h"

/* ---- images ---- */

enum { IMAGES = 43, CHANNELS = 3, HEIGHT = 9, WIDTH = 11, BATCH = 12, PARTS = 4, PART = BATCH / PARTS };

static const size_t pixels = CHANNELS * HEIGHT * WIDTH;

typedef struct ShareCase {
    const char *pipeline;
    bool        training;
} ShareCase;

static const ShareCase share_cases[] = {
    { "crop:2 hflip",                       true  },
    { "crop:2 hflip mixup@1",               true  },
    { "randaugment:9,2,0.5 cutmix@0.5",     true  },
    { "crop:2 hflip",                       false },      /* the last batch has seven images: one part short, one empty */
};

static Loader *loader_of(const Dataset *data, const ShareCase *c, LoaderShare share)
{
    LoaderOptions options = { .batch = BATCH, .share = share, .training = c->training, .seed = 5, .threads = 2 };
    Error error;
    for (int i = 0; i < CHANNELS; i++) {
        options.mean[i] = 0.4f;
        options.std[i] = 0.25f;
    }
    if (!pipeline_parse(c->pipeline, &options.pipeline, &error))
        fail_msg("%s: %s", c->pipeline, error.text);
    return loader_new(data, &options);
}

/* Of a sample: which part is its own label's. */
static float share_of(const Batch *batch, int i)
{
    return batch->others ? batch->shares[i] : 1.0f;
}

static int at_most(int value, int most)
{
    return value < 0 ? 0 : value < most ? value : most;
}

static void expect_part(const ShareCase *c, const Batch *all, const Batch *own, int first, int samples)
{
    assert_int_equal(own->count, c->training ? samples : at_most(all->count - first, samples));
    for (int i = 0; i < own->count; i++) {
        const bool same = !memcmp(own->images + (size_t)i * pixels, all->images + (size_t)(first + i) * pixels, pixels * sizeof(float)) &&
                          own->labels[i] == all->labels[first + i] && share_of(own, i) == share_of(all, first + i) &&
                          (share_of(own, i) == 1.0f || own->others[i] == all->others[first + i]);
        if (!same)
            fail_msg("%s: sample %d of the part from %d on is another", c->pipeline, i, first);
    }
}

static void test_images(void **state)
{
    (void)state;
    Dataset data = { .kind = "test", .channels = CHANNELS, .height = HEIGHT, .width = WIDTH, .classes = 7, .count = IMAGES };
    data.images = allocate(IMAGES, pixels, "images");
    data.labels = allocate(IMAGES, sizeof *data.labels, "labels");
    Random random = random_stream(3, 0, 0, RANDOM_init);
    for (size_t i = 0; i < IMAGES * pixels; i++)
        data.images[i] = (uint8_t)random_next(&random);
    for (int i = 0; i < IMAGES; i++)
        data.labels[i] = (uint16_t)(i % 7);
    for (size_t k = 0; k < sizeof share_cases / sizeof *share_cases; k++)
        for (int count = 1; count <= 2; count++)
            for (int first = 0; first < PARTS; first += count) {
                const ShareCase *c = &share_cases[k];
                Loader *whole = loader_of(&data, c, (LoaderShare){ PARTS, 0, PARTS }), *part = loader_of(&data, c, (LoaderShare){ PARTS, first, count });
                Batch all, own;
                assert_int_equal(loader_samples(part), count * PART);
                assert_int_equal(loader_batches(part), loader_batches(whole));
                loader_start(whole, 2, 1);
                loader_start(part, 2, 1);
                int batches = 0;
                for (; loader_next(whole, &all); batches++) {
                    assert_true(loader_next(part, &own));
                    expect_part(c, &all, &own, first * PART, count * PART);
                }
                assert_false(loader_next(part, &own));
                assert_int_equal(batches, c->training ? 2 : 3);
                loader_free(whole);
                loader_free(part);
            }
    free(data.images);
    free(data.labels);
}

/* ---- losses ---- */

static void test_losses(void **state)
{
    (void)state;
    enum { CLASSES = 7 };
    float logits[BATCH * CLASSES], whole[BATCH * CLASSES], parts[BATCH * CLASSES];
    uint16_t labels[BATCH];
    for (int i = 0; i < BATCH * CLASSES; i++)
        logits[i] = (float)net_number(3, (uint64_t)i) * 8.0f;
    for (int i = 0; i < BATCH; i++)
        labels[i] = (uint16_t)(i * 3 % CLASSES);
    LossOptions options = { .smoothing = 0.1f };
    LossSum of_whole = { 0 }, of_parts = { 0 };
    loss_measure(&options, logits, &(Targets){ .labels = labels }, BATCH, BATCH, CLASSES, whole, &of_whole);
    options.parts = PARTS;
    for (int p = 0; p < PARTS; p++)
        loss_measure(&options, logits + p * PART * CLASSES, &(Targets){ .labels = labels + p * PART }, PART, PART, CLASSES,
                     parts + p * PART * CLASSES, &of_parts);
    for (int i = 0; i < BATCH * CLASSES; i++)
        if (fabsf(parts[i] - whole[i]) > 1e-7f)
            fail_msg("gradient of logit %d: %.9g in parts, %.9g as a whole", i, (double)parts[i], (double)whole[i]);
    assert_true(fabs(of_parts.loss - of_whole.loss) < 1e-9 * of_whole.loss);
    assert_int_equal(of_parts.top1, of_whole.top1);
    assert_int_equal(of_parts.count, of_whole.count);
}

/* ---- blocks of a part's own ---- */

static void compute(const OptimizerNet *net, const float *image)
{
    program_set_image(net->program, image);
    program_forward(net->program);
    for (int i = 0; i < 16 * 7; i++)
        program_logits_gradient(net->program)[i] = (float)net_number(9, (uint64_t)i);
    program_backward(net->program);
}

static void test_blocks(void **state)
{
    (void)state;
    static float image[16 * 3 * 7 * 7];
    for (size_t i = 0; i < sizeof image / sizeof *image; i++)
        image[i] = (float)net_number(4, i);
    for (int plan = 0; plan < NET_PLANS; plan++) {
        OptimizerNet net = optimizer_net(&net_plans[plan]);
        Parameters *p = network_parameters(net.net);
        const size_t kept = p->total - p->trained, gradient_bytes = p->trained * sizeof(float), kept_bytes = kept * sizeof(float);
        float *gradients = allocate(p->trained, sizeof *gradients, "gradients"), *statistics = allocate(kept, sizeof *statistics, "statistics");
        float *expected = allocate(p->trained, sizeof *expected, "gradients"), *expected_kept = allocate(kept, sizeof *expected_kept, "statistics");
        float *before = allocate(kept, sizeof *before, "statistics");
        memcpy(before, p->values + p->trained, kept_bytes);
        compute(&net, image);
        memcpy(expected, p->gradients, gradient_bytes);
        memcpy(expected_kept, p->values + p->trained, kept_bytes);
        assert_memory_not_equal(before, expected_kept, kept_bytes);
        /* Again in blocks of its own: the network's stay as they are. */
        memset(p->gradients, 0, gradient_bytes);
        memcpy(p->values + p->trained, before, kept_bytes);
        memcpy(statistics, before, kept_bytes);
        program_set_blocks(net.program, gradients, statistics);
        compute(&net, image);
        assert_memory_equal(gradients, expected, gradient_bytes);
        assert_memory_equal(statistics, expected_kept, kept_bytes);
        assert_memory_equal(p->values + p->trained, before, kept_bytes);
        for (size_t i = 0; i < p->trained; i++)
            assert_true(p->gradients[i] == 0.0f);
        free(gradients);
        free(statistics);
        free(expected);
        free(expected_kept);
        free(before);
        optimizer_net_free(&net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_images), cmocka_unit_test(test_losses), cmocka_unit_test(test_blocks) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
