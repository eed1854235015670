/* test_experiment.c - experiments show what is published, and the same again for the same seed. Each runs smaller than for people. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiment.h"
#include "scratch.h"
#include "stack.h"
#include "threads.h"

static ExperimentResult run(const char *name, const char *acts, ExperimentOptions o)
{
    Error error = { 0 };
    ExperimentResult result = { 0 };
    const Experiment *experiment = experiment_find(name, &error);
    Activation *list = experiment ? experiment_acts(acts, &o.act_count, &error) : NULL;
    o.acts = list;
    if (!list || !experiment_run(experiment, &o, &result, &error))
        fail_msg("%s: %s", name, error.text);
    free(list);
    return result;
}

static void done(ExperimentResult *result)
{
    table_free(result->table);
    chart_free(result->chart);
}

/* The number of a column in the row that begins with these words; the test fails if there is none. second: NULL, or the second cell. */
static double number(const ExperimentResult *result, const char *first, const char *column_of_second, const char *second, const char *column)
{
    for (int row = 0; row < table_rows(result->table); row++)
        if (!strcmp(table_text_at(result->table, row, "activation"), first) &&
            (!second || !strcmp(table_text_at(result->table, row, column_of_second), second)))
            return table_number_at(result->table, row, column);
    fail_msg("no row of %s, %s", first, second ? second : "");
    return NAN;
}

/* sigmoid's slope is at most 1/4, so a gradient shrinks by at least 4 a layer with weights that keep lengths; with He's start relu keeps it. */
static void vanishing(void **state)
{
    (void)state;
    ExperimentResult r = run("vanishing", "sigmoid,relu", (ExperimentOptions){ .seed = 1 });
    assert_true(number(&r, "sigmoid", "start", "xavier", "factor a layer") <= 0.25);
    assert_true(number(&r, "sigmoid", "start", "xavier", "of 20") < pow(0.25, 19));
    const double kept = number(&r, "relu", "start", "he", "factor a layer");
    assert_true(kept > 0.95 && kept < 1.05);
    assert_true(fabs(number(&r, "relu", "start", "xavier", "factor a layer") - sqrt(0.5)) < 0.03);      /* half of the units pass it on */
    done(&r);
}

/* Klambauer et al., 2017: selu with LeCun's start, 50 layers. */
static void selfnorm(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 3; seed++) {
        Stack *stack = stack_new(&(StackOptions){ .act = activation_of(ACT_selu), .start = STACK_lecun, .inputs = 256, .depth = 50, .width = 256,
                                                  .classes = 2, .batch = 64, .seed = seed });
        stack_fill_normal(stack, seed);
        stack_forward(stack);
        for (int layer = 0; layer < 50; layer++) {
            const Moments m = moments_of(stack_values(stack, layer, STACK_outputs), stack_count(stack));
            if (!(fabs(m.mean) < 0.1 && m.variance >= 0.8 && m.variance <= 1.2))
                fail_msg("seed %d, layer %d: mean %g, variance %g", (int)seed, layer + 1, m.mean, m.variance);
        }
        stack_free(stack);
    }
    ExperimentResult r = run("selfnorm", "selu,tanh", (ExperimentOptions){ .width = 64 });
    for (int row = 0; row < table_rows(r.table); row++)
        if (!strcmp(table_text_at(r.table, row, "activation"), "tanh") && table_number_at(r.table, row, "layer") == 50)
            assert_true(table_number_at(r.table, row, "variance") < 0.1);
    done(&r);
}

static void linear_collapse(void **state)
{
    (void)state;
    ExperimentResult r = run("linear-collapse", "identity,relu", (ExperimentOptions){ 0 });
    for (int row = 0; row < table_rows(r.table); row++) {
        const bool linear = !strcmp(table_text_at(r.table, row, "activation"), "identity");
        const double distance = table_number_at(r.table, row, "largest difference / largest output");
        if (linear ? !(distance < 1e-4) : !(distance > 0.1))
            fail_msg("row %d: %g", row, distance);
    }
    done(&r);
}

static void exclusive_or(void **state)
{
    (void)state;
    ExperimentResult r = run("xor", "identity,tanh", (ExperimentOptions){ .steps = 400 });
    assert_true(number(&r, "identity", NULL, NULL, "learned") == 0);
    assert_true(fabs(number(&r, "identity", NULL, NULL, "median loss at the end") - log(2)) < 1e-3);
    assert_true(number(&r, "tanh", NULL, NULL, "learned") >= 15);
    done(&r);
}

static void gelu_error(void **state)
{
    (void)state;
    ExperimentResult r = run("gelu-error", "gelu_tanh", (ExperimentOptions){ 0 });
    assert_true(fabs(number(&r, "gelu_tanh", NULL, NULL, "largest error") - 4.7323552e-4) < 1e-8);
    assert_true(number(&r, "gelu", NULL, NULL, "largest error") == 0);
    done(&r);
}

/* A long step kills relu's units, none of leaky_relu's. */
static void dead(void **state)
{
    (void)state;
    ExperimentResult r = run("dead", "relu,leaky_relu", (ExperimentOptions){ .steps = 60 });
    for (int row = 0; row < table_rows(r.table); row++) {
        const double after = table_number_at(r.table, row, "dead after, %"), rate = table_number_at(r.table, row, "learning rate");
        const bool leaky = !strcmp(table_text_at(r.table, row, "activation"), "leaky_relu");
        if (leaky && after > 0)
            fail_msg("row %d: %g%% of leaky_relu's units are dead", row, after);
        if (!leaky && rate == 3 && !(after > 50))
            fail_msg("row %d: %g%% of relu's units are dead", row, after);
        if (!leaky && rate < 0.05 && !strcmp(table_text_at(r.table, row, "start"), "he, biases 0"))
            assert_true(after < 20);
    }
    done(&r);
}

static void train_deep(void **state)
{
    (void)state;
    ExperimentResult r = run("train-deep", "sigmoid,relu", (ExperimentOptions){ .width = 32, .steps = 150 });
    assert_true(number(&r, "sigmoid", NULL, NULL, "loss at the end") > 1.05);
    assert_true(number(&r, "relu", NULL, NULL, "loss at the end") < 0.7);
    assert_true(number(&r, "sigmoid", NULL, NULL, "gradient, first layer") < 1e-8 * number(&r, "sigmoid", NULL, NULL, "gradient, last layer"));
    done(&r);
}

static void distribution(void **state)
{
    (void)state;
    const char *normal = "of standard normal numbers";
    ExperimentResult r = run("distribution", "relu,sigmoid", (ExperimentOptions){ .steps = 5 });
    assert_true(fabs(number(&r, "relu", "inputs", normal, "zeros, %") - 50) < 1);
    assert_true(fabs(number(&r, "relu", "inputs", normal, "mean") - 0.39894) < 0.01);
    assert_true(fabs(number(&r, "sigmoid", "inputs", normal, "mean") - 0.5) < 0.01);
    assert_int_equal(table_rows(r.table), 4);
    done(&r);
}

/* Runs are paired: an activation against itself has no difference; identity, which makes lenet linear, is there as another. */
static void zoo(void **state)
{
    (void)state;
    ExperimentResult r = run("zoo", "relu,relu,identity", (ExperimentOptions){ .limit = 300, .epochs = 1, .seeds = 2 });
    assert_int_equal(table_rows(r.table), 3);
    assert_true(table_number_at(r.table, 1, "difference") == 0 && table_number_at(r.table, 1, "p (Holm)") == 1);
    assert_string_equal(table_text_at(r.table, 1, "at 5%"), "no more than noise");
    assert_true(table_number_at(r.table, 0, "right, %") == table_number_at(r.table, 1, "right, %"));
    assert_true(table_number_at(r.table, 0, "right, %") > 0);
    done(&r);
}

/* The numbers of a seed, to the last digit; another seed has others. */
static void reproducible(void **state)
{
    (void)state;
    char *texts[3], path[256];
    scratch_path(path, scratch_folder, "table.csv");
    for (int i = 0; i < 3; i++) {
        Error error = { 0 };
        ExperimentResult r = run("selfnorm", "selu", (ExperimentOptions){ .seed = i == 2, .depth = 5, .width = 32 });
        assert_true(table_save(r.table, path, &error));
        size_t size;
        texts[i] = scratch_read(path, &size);
        done(&r);
    }
    assert_string_equal(texts[0], texts[1]);
    assert_string_not_equal(texts[0], texts[2]);
    static const char begins[] = "activation,start,layer,mean,variance\nselu,lecun,1,";
    assert_memory_equal(texts[0], begins, strlen(begins));
    for (int i = 0; i < 3; i++)
        free(texts[i]);
}

static void tables(void **state)
{
    (void)state;
    static const char *const columns[] = { "what", "n", NULL };
    char path[256];
    Error error = { 0 };
    Table *table = table_new(columns);
    table_text(table, "a, \"b\"");
    table_number(table, 0.125);
    table_text(table, "c");
    table_number(table, NAN);
    assert_true(table_save(table, scratch_path(path, scratch_folder, "t.csv"), &error));
    static const char expected[] = "what,n\n\"a, \"\"b\"\"\",0.125\nc,\n";
    assert_true(scratch_holds(path, expected, strlen(expected)));
    assert_false(table_save(table, "no/such/folder/t.csv", &error));
    table_free(table);
}

static void acts(void **state)
{
    (void)state;
    static const struct { const char *text; int count; const char *last; } cases[] = {
        { "relu", 1, "relu" }, { "relu,gelu", 2, "gelu" }, { "leaky:0.1,elu:2", 2, "elu:2" }, { "tanh,leaky:0.5", 2, "leaky_relu:0.5" },
    };
    Error error = { 0 };
    int count;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[ACTIVATION_TEXT];
        Activation *list = experiment_acts(cases[i].text, &count, &error);
        assert_non_null(list);
        assert_int_equal(count, cases[i].count);
        assert_string_equal(activation_text(list[count - 1], text, sizeof text), cases[i].last);
        free(list);
    }
    static const char *const wrong[] = { "relu,", "gelo", "native", "relu,,gelu", "leaky:0.1:2" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        Activation *list = experiment_acts(wrong[i], &count, &error);
        if (list && strcmp(wrong[i], "relu,"))
            fail_msg("'%s' is taken", wrong[i]);
        free(list);
    }
}

/* docs/laboratory.md has a command for every experiment, and the pictures that it shows are there. */
static void page(void **state)
{
    (void)state;
    size_t size;
    char *text = scratch_read(TESTS_FOLDER "/../docs/laboratory.md", &size), path[512];
    assert_non_null(text);
    for (int i = 0; i < experiment_count(); i++) {
        char command[128];
        snprintf(command, sizeof command, "\n    $ activations experiment %s ", experiment_at(i)->name);
        const bool found = strstr(text, command);
        command[strlen(command) - 1] = '\n';
        if (!found && !strstr(text, command))
            fail_msg("docs/laboratory.md does not run %s", experiment_at(i)->name);
    }
    for (const char *at = strstr(text, "](laboratory/"); at; at = strstr(at + 1, "](laboratory/")) {
        snprintf(path, sizeof path, "%s/../docs/%.*s", TESTS_FOLDER, (int)strcspn(at + 2, ")"), at + 2);
        if (!scratch_exists(path))
            fail_msg("no picture %s", path);
    }
    free(text);
}

static int setup(void **state)
{
    threads_settle(1);
    return scratch_setup(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vanishing), cmocka_unit_test(selfnorm), cmocka_unit_test(linear_collapse), cmocka_unit_test(exclusive_or),
        cmocka_unit_test(gelu_error), cmocka_unit_test(dead), cmocka_unit_test(train_deep), cmocka_unit_test(distribution), cmocka_unit_test(zoo),
        cmocka_unit_test(reproducible), cmocka_unit_test(tables), cmocka_unit_test(acts),
        cmocka_unit_test(page),
    };
    return cmocka_run_group_tests(tests, setup, scratch_teardown);
}
