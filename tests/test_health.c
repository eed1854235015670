/* test_health.c - what is found wrong with a run: dead units and vanishing gradients of networks that were made so, by hand and by a high
 * learning rate; figures of epochs that were made up; and that a run that goes well hears nothing. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diagnosis.h"
#include "evaluation.h"
#include "scratch.h"
#include "tiny_run.h"
#include "trainer_images.h"

/* ---- figures of epochs ---- */

/* Of a network that has nothing to see. */
static Vitals *no_vitals(void)
{
    static Vitals none;
    return &none;
}

static void check_found(const char *name, const Facts *facts, const char *expected)
{
    for (int i = 0; i < diagnosis_count(); i++) {
        char text[DIAGNOSIS_TEXT];
        const bool found = diagnosis_find(i, facts, text), wanted = !strcmp(diagnosis_key(i), expected);
        if (found != wanted)
            fail_msg("%s: %s is %sfound%s%s", name, diagnosis_key(i), found ? "" : "not ", found ? ": " : "", found ? text : "");
        if (found)
            assert_true(strchr(text, '\n') == NULL && strchr(text, ':') != NULL && strlen(text) < DIAGNOSIS_TEXT - 1);
    }
}

static void test_epochs(void **state)
{
    (void)state;
    static const struct {
        const char *name, *found;
        double      losses[DIAGNOSIS_EPOCHS];      /* of the validation, the newest first */
        uint32_t    epochs;
        double      train_top1, val_top1, best_val_loss;
    } cases[] = {
        { "a run that learns",        "",            { 0.9, 1.0, 1.1, 1.3, 1.6 }, 5, 0.8, 0.75, 1.0 },
        { "up and down",              "oscillation", { 2.0, 1.0, 2.1, 1.1, 1.9 }, 5, 0.5, 0.45, 1.0 },
        { "down and up",              "oscillation", { 1.0, 2.0, 1.1, 2.1, 1.2 }, 5, 0.5, 0.45, 1.1 },
        { "up and down, a little",    "",            { 1.1, 1.0, 1.1, 1.0, 1.1 }, 5, 0.5, 0.45, 1.0 },
        { "one bad epoch",            "",            { 0.9, 2.0, 1.0, 1.1, 1.2 }, 5, 0.5, 0.45, 1.0 },
        { "down all the time",        "",            { 0.3, 0.8, 1.5, 2.0, 3.0 }, 5, 0.5, 0.45, 0.8 },
        { "up and down, too early",   "",            { 2.0, 1.0, 2.1, 1.1, 0.0 }, 4, 0.5, 0.45, 1.0 },
        { "no number",                "",            { NAN, 1.0, 2.1, 1.1, 1.9 }, 5, 0.5, 0.45, 1.0 },
        { "learnt by heart",          "gap",         { 1.5, 1.4, 1.2, 1.1, 1.0 }, 5, 0.99, 0.7, 1.0 },
        { "a gap, but no worse",      "",            { 1.0, 1.1, 1.2, 1.1, 1.0 }, 5, 0.99, 0.7, 1.0 },
        { "a gap in its first epoch", "",            { 1.5, 0.0, 0.0, 0.0, 0.0 }, 1, 0.99, 0.7, 1.0 },
        { "still guessing",           "chance",      { 2.3, 2.3, 2.3, 2.3, 2.3 }, 5, 0.10, 0.10, 2.3 },
        { "guessing in validation",   "",            { 2.3, 2.3, 2.3, 2.3, 2.3 }, 5, 0.20, 0.10, 2.3 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const TrainerEpoch epoch = { .epoch = 4, .epochs = 9, .step = 1000, .train_top1 = cases[i].train_top1, .val_top1 = cases[i].val_top1,
                                     .val_loss = cases[i].losses[0] };
        Facts facts = { .epoch = &epoch, .vitals = no_vitals(), .epochs = cases[i].epochs, .best_val_loss = cases[i].best_val_loss,
                        .train_chance = 0.12, .val_chance = 0.13 };
        memcpy(facts.val_losses, cases[i].losses, sizeof facts.val_losses);
        check_found(cases[i].name, &facts, cases[i].found);
    }
}

/* Ninety images of one class, ten of another, none of a third; luck: three deviations of a hundred images' share. */
static void test_chance(void **state)
{
    (void)state;
    uint16_t labels[100];
    for (int i = 0; i < 100; i++)
        labels[i] = i < 90 ? 1 : 0;
    const Dataset data = { .classes = 3, .count = 100, .labels = labels };
    assert_true(fabs(diagnosis_chance(&data, false, 100) - (0.9 + 3 * 0.03)) < 1e-12);
    assert_true(fabs(diagnosis_chance(&data, true, 100) - (0.5 + 3 * 0.05)) < 1e-12);
}

/* ---- a network that is dead or deep by construction ---- */

typedef struct Net {
    Network *network;
    Program *program;
    Vitals  *vitals;
} Net;

enum { BATCH = 16, NET_SIDE = 6 };

static Net net_new(const char *act, int depth)
{
    Error error;
    Net net;
    ArchOptions options = { .classes = 5, .depth = depth, .width = 16, .no_dropout = true };
    assert_true(activation_parse(act, &options.act, &error));
    net.network = architecture_network(architecture_find("mlp", &error), (Shape){ 1, NET_SIDE, NET_SIDE }, &options, &error);
    assert_non_null(net.network);
    parameters_init(net.network, 5);
    net.program = program_compile(net.network, &(Plan){ 0 }, PURPOSE_training, BATCH);
    net.vitals = vitals_new(net.network);
    return net;
}

static void net_free(Net *net)
{
    vitals_free(net->vitals);
    program_free(net->program);
    network_free(net->network);
}

static void net_step(Net *net)
{
    uint16_t labels[BATCH];
    LossSum sum = { 0 };
    for (int i = 0; i < BATCH * NET_SIDE * NET_SIDE; i++)
        program_image(net->program)[i] = (float)(i * 37 % 101) / 50.0f - 1.0f;
    for (int i = 0; i < BATCH; i++)
        labels[i] = (uint16_t)(i % 5);
    program_forward(net->program);
    loss_cross_entropy(program_logits(net->program), labels, BATCH, BATCH, 5, 0, program_logits_gradient(net->program), &sum);
    program_backward(net->program);
    vitals_see(net->vitals);
    vitals_before_step(net->vitals);
}

static void set(Network *network, const char *name, size_t from, size_t to, float value)
{
    const Param *param = network_param_find(network, name);
    float *plain = allocate(param->count, sizeof *plain, name);
    parameters_export(network, network_parameters(network)->values, param, plain);
    for (size_t i = from; i < to; i++)
        plain[i] = value;
    parameters_import(network, network_parameters(network)->values, param, plain);
    free(plain);
}

static void test_dead_units(void **state)
{
    (void)state;
    static const struct { const char *act; size_t killed; double dead; bool partial; const char *found; } cases[] = {
        { "relu", 0, 0, false, "" }, { "relu", 4, 0.25, false, "" }, { "relu", 12, 0.75, false, "dead" }, { "leaky_relu", 12, 0, false, "" },
        { "relu", 12, 0.75, true, "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Net net = net_new(cases[i].act, 2);
        const TrainerEpoch epoch = { .epoch = 0, .epochs = 9, .step = 50, .train_top1 = 0.5, .val_top1 = 0.5, .val_loss = 1 };
        const Facts facts = { .epoch = &epoch, .vitals = net.vitals, .partial = cases[i].partial, .epochs = 1, .best_val_loss = 2 };
        set(net.network, "classifier.4.bias", 0, 16, 0.5f);      /* the others are alive */
        set(net.network, "classifier.4.bias", 0, cases[i].killed, -1000);
        net_step(&net);
        vitals_settle(net.vitals);
        assert_int_equal(net.vitals->unit_count, 2);
        assert_true(net.vitals->units[1].dead == cases[i].dead);
        check_found(cases[i].act, &facts, cases[i].found);
        net_free(&net);
    }
}

/* Of a step: norms by plain loops over the exported values, and how far the weights went when they were all doubled. */
static void test_layers(void **state)
{
    (void)state;
    Net net = net_new("gelu", 3);
    Parameters *p = network_parameters(net.network);
    net_step(&net);
    for (int i = 0; i < net.vitals->layer_count; i++) {
        const LayerVitals *layer = &net.vitals->layers[i];
        float *plain = allocate(layer->param->count, sizeof *plain, "a weight");
        double norms[2] = { 0 };
        for (int which = 0; which < 2; which++) {
            parameters_export(net.network, which ? p->gradients : p->values, layer->param, plain);
            for (size_t k = 0; k < layer->param->count; k++)
                norms[which] += (double)plain[k] * (double)plain[k];
        }
        assert_true(fabs(layer->weight - sqrt(norms[0])) < 1e-5 * layer->weight);
        assert_true(fabs(layer->gradient - sqrt(norms[1])) < 1e-5 * layer->gradient);
        free(plain);
    }
    for (size_t i = 0; i < p->trained; i++)
        p->values[i] *= 1.5f;
    vitals_after_step(net.vitals);
    for (int i = 0; i < net.vitals->layer_count; i++)
        assert_true(fabs(net.vitals->layers[i].update - 0.5) < 1e-6);
    const TrainerEpoch epoch = { .epochs = 9, .step = 50, .train_top1 = 0.5, .val_top1 = 0.5, .val_loss = 1 };
    check_found("weights that go far", &(Facts){ .epoch = &epoch, .vitals = net.vitals, .epochs = 1, .best_val_loss = 2 }, "update");
    net_free(&net);
}

/* Sigmoid through twelve layers, and weights a ten-thousandth of their size in front of the last one. */
static void test_gradients(void **state)
{
    (void)state;
    static const struct { const char *act; int depth; float head; const char *found; } cases[] = {
        { "relu", 12, 0, "" }, { "sigmoid", 12, 0, "vanishing" }, { "sigmoid", 2, 0, "" }, { "relu", 2, 1e5f, "exploding" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Net net = net_new(cases[i].act, cases[i].depth);
        const Param *head = network_param_find(net.network, "classifier.7.weight");
        if (cases[i].head > 0)
            set(net.network, "classifier.7.weight", 0, head->count / 2, cases[i].head);
        net_step(&net);
        vitals_settle(net.vitals);
        const TrainerEpoch epoch = { .epochs = 9, .step = 10, .train_top1 = 0.5, .val_top1 = 0.5, .val_loss = 1 };
        check_found(cases[i].act, &(Facts){ .epoch = &epoch, .vitals = net.vitals, .epochs = 1, .best_val_loss = 2 }, cases[i].found);
        net_free(&net);
    }
}

static void test_saturated(void **state)
{
    (void)state;
    static const struct { double share; const char *found; } cases[] = { { 0.8, "" }, { 0.97, "saturated" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const Module module = { .name = "act3" };
        ActivityLayer layers[] = { { .module = &module, .saturated = 0.1 }, { .module = &module, .saturated = cases[i].share } };
        const Activity activity = { .layers = layers, .count = 2 };
        const TrainerEpoch epoch = { .epochs = 9, .step = 10, .train_top1 = 0.5, .val_top1 = 0.5, .val_loss = 1 };
        check_found("saturated", &(Facts){ .epoch = &epoch, .vitals = no_vitals(), .activity = &activity, .epochs = 1, .best_val_loss = 2 },
                    cases[i].found);
    }
}

/* ---- runs ---- */

/* The record's line of an epoch, from 1. */
static json_t *line_of(const char *folder, int epoch)
{
    char path[256];
    size_t count;
    char *text = scratch_read(scratch_path(path, folder, "health.jsonl"), &count), *line = text;
    assert_non_null(text);
    assert_true(count > 0 && text[count - 1] == '\n');
    for (int i = 1; i < epoch; i++) {
        line = strchr(line, '\n');
        assert_non_null(line);
        line++;
    }
    *strchr(line, '\n') = '\0';
    json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(object);
    assert_int_equal(json_integer_value(json_object_get(object, "epoch")), epoch);
    free(text);
    return object;
}

static bool line_tells(const json_t *line, const char *what)
{
    const json_t *wrong = json_object_get(line, "wrong");
    for (size_t i = 0; i < json_array_size(wrong); i++)
        if (!strcmp(json_string_value(json_object_get(json_array_get(wrong, i), "what")), what))
            return true;
    return false;
}

/* A plain stack of relu layers, which a rate of 2 kills. */
static TrainerOptions stack_options(const char *folder, float lr, Seen *seen)
{
    TrainerOptions options = tiny_options("mlp", folder, seen);
    options.network.depth = 3;
    options.network.width = 24;
    options.network.act = activation_of(ACT_relu);
    options.network.no_dropout = options.no_augment = true;
    options.optimizer.kind = OPTIMIZER_sgd;
    options.optimizer.clip_norm = 0;
    options.lr = lr;
    options.batch = 8;
    options.epochs = 4;
    return options;
}

/* The rest of an epoch does not show that units were dead in all of it. */
static void test_resumed_within_an_epoch(void **state)
{
    (void)state;
    char root[256], folder[256];
    Seen seen = { 0 };
    Error error;
    scratch_new(root);
    TrainerOptions options = stack_options(scratch_path(folder, root, "run"), 2.0f, &seen);
    options.most_steps = 60;      /* of 22 an epoch */
    tiny_train(&options, &error);
    options.most_steps = 0;
    options.resume = true;
    tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "a plain stack, resumed");
    for (int epoch = 2; epoch <= 4; epoch++) {
        json_t *line = line_of(folder, epoch);
        if (line_tells(line, "dead") != (epoch != 3))
            fail_msg("epoch %d: dead units are %stold", epoch, epoch != 3 ? "not " : "");
        json_decref(line);
    }
    scratch_remove(root);
}

/* That its units are dead is told once, whatever happens later, and the record has it in every epoch. */
static void test_runs(void **state)
{
    (void)state;
    static const struct { float lr; const char *warning; } runs[] = { { 0.02f, NULL }, { 2.0f, "units of classifier." } };
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        char root[256], folder[256];
        Seen seen = { 0 };
        Error error;
        scratch_new(root);
        TrainerOptions options = stack_options(scratch_path(folder, root, "run"), runs[i].lr, &seen);
        tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "a plain stack");
        const char *told = strstr(seen.notes, "are dead");
        if ((runs[i].warning && (!told || !strstr(seen.notes, runs[i].warning) || strstr(told + 1, "are dead"))) ||
            (!runs[i].warning && strstr(seen.notes, "warning:")))
            fail_msg("lr %g: %s", (double)runs[i].lr, seen.notes);
        assert_int_equal(tiny_lines(folder, "health.jsonl"), 4);
        json_t *line = line_of(folder, 4);
        assert_int_equal(line_tells(line, "dead"), runs[i].warning != NULL);
        assert_int_equal(json_array_size(json_object_get(line, "units")), 3);
        assert_int_equal(json_array_size(json_object_get(line, "layers")), 4);
        json_decref(line);
        scratch_remove(root);
    }
}

/* Lookahead's first turn is the first epoch's last step: what the optimiser moved in it is what it moves without. */
static void test_update_is_the_optimizers(void **state)
{
    (void)state;
    char root[2][256], folder[256];
    json_t *lines[2];
    for (int lookahead = 0; lookahead < 2; lookahead++) {
        Seen seen = { 0 };
        Error error;
        scratch_new(root[lookahead]);
        TrainerOptions options = stack_options(scratch_path(folder, root[lookahead], "run"), 0.05f, &seen);
        options.parts.lookahead = lookahead;
        options.parts.lookahead_k = 22;
        options.parts.lookahead_alpha = 0.5f;
        tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "a plain stack");
        lines[lookahead] = line_of(folder, 1);
        scratch_remove(root[lookahead]);
    }
    for (size_t i = 0; i < 4; i++) {
        const json_t *layers[2] = { json_object_get(lines[0], "layers"), json_object_get(lines[1], "layers") };
        assert_true(json_equal(json_object_get(json_array_get(layers[0], i), "update"), json_object_get(json_array_get(layers[1], i), "update")));
    }
    json_decref(lines[0]);
    json_decref(lines[1]);
}

/* Every image has its place in the list, the highest loss first; together they have the loss that evaluate measures. */
static void test_suspects(void **state)
{
    (void)state;
    char root[256], folder[256], path[256];
    Seen seen = { 0 };
    Error error;
    LossSum sum;
    scratch_new(root);
    TrainerOptions options = tiny_options("lenet", scratch_path(folder, root, "run"), &seen);
    options.no_augment = true;
    options.parts.suspects = 1000;
    Trainer *trainer = trainer_open(&options, &error);
    assert_non_null(trainer);
    assert_int_equal(trainer_run(trainer, &error), EXIT_ok);
    Loader *loader = trainer_loader(trainer, trainer->train_set, false);
    assert_true(evaluate(trainer->val_program, loader, trainer->info.class_count, NULL, &sum));
    loader_free(loader);
    assert_true(tiny_lines(folder, "suspects.csv") == 181 && strstr(seen.notes, "suspects.csv: the 180 training images"));
    char *text = scratch_read(scratch_path(path, folder, "suspects.csv"), &(size_t){ 0 }), *line = strchr(text, '\n') + 1;
    double before = INFINITY, all = 0;
    bool listed[180] = { 0 };
    for (int i = 0; i < 180; i++) {
        char label[64], predicted[64];
        unsigned index;
        double loss, probability;
        int read;
        assert_int_equal(sscanf(line, "%u,\"%63[^\"]\",\"%63[^\"]\",%lf,%lf\n%n", &index, label, predicted, &loss, &probability, &read), 5);
        assert_true(index < 180 && !listed[index] && loss <= before && probability >= 0.1 && probability <= 1);
        assert_string_equal(label, trainer->info.classes[trainer->train_set->labels[index]]);
        assert_true(strcmp(label, predicted) || fabs(exp(-loss) - probability) < 1e-5);
        listed[index] = true;
        before = loss;
        all += loss;
        line += read;
    }
    assert_true(fabs(all - sum.loss) < 1e-4 * sum.loss);
    free(text);
    trainer_close(trainer);
    scratch_remove(root);
}

/* Wherever a run is stopped its list is that of one that was not; one of an earlier end is taken away when the run goes on. */
static void test_suspects_resumed(void **state)
{
    (void)state;
    char root[256], whole[256], stopped[256], early[256], list[256];
    Seen seen = { 0 };
    scratch_new(root);
    TrainerOptions options = tiny_options("lenet", scratch_path(whole, root, "whole"), &seen);
    options.parts.suspects = 10;
    static const struct { const char *name; bool resume; int epochs; uint64_t most_steps; bool listed, same; } calls[] = {
        { "unbroken",                   false, EPOCHS,     0,         true,  true },
        { "stopped in the middle",      false, EPOCHS,     7,         false, false },
        { "gone on",                    true,  EPOCHS,     0,         true,  true },
        { "over, and without its list", true,  EPOCHS,     0,         true,  true },
        { "prolonged, and stopped",     true,  EPOCHS + 1, STEPS + 2, false, false },
        { "gone on to the new end",     true,  EPOCHS + 1, 0,         true,  false },
    };
    scratch_path(stopped, root, "stopped");
    scratch_path(list, stopped, "suspects.csv");
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        Error error = { 0 };
        options.folder = i == 0 ? whole : stopped;
        options.resume = calls[i].resume;
        options.epochs = calls[i].epochs;
        options.most_steps = calls[i].most_steps;
        if (i == 3)
            assert_int_equal(remove(list), 0);
        tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, calls[i].name);
        if (tiny_has(options.folder, "suspects.csv") != calls[i].listed)
            fail_msg("%s: %s list", calls[i].name, calls[i].listed ? "no" : "a");
        if (calls[i].same)
            tiny_expect_same(whole, options.folder, "suspects.csv");
    }
    Error error = { 0 };
    options = tiny_options("lenet", scratch_path(early, root, "early"), &seen);
    options.parts.suspects = 10;
    options.parts.early_stop = 1;
    options.parts.early_delta = 2;
    tiny_expect_code(tiny_train(&options, &error), EXIT_ok, &error, "stopped early");
    assert_true(tiny_lines(early, "log.jsonl") == 2 && tiny_has(early, "suspects.csv"));
    scratch_remove(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_epochs), cmocka_unit_test(test_chance),
        cmocka_unit_test(test_dead_units),
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_saturated),
        cmocka_unit_test(test_runs), cmocka_unit_test(test_update_is_the_optimizers), cmocka_unit_test(test_resumed_within_an_epoch),
        cmocka_unit_test(test_suspects),
        cmocka_unit_test(test_suspects_resumed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
