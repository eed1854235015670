/* test_activation_commands.c - the commands of `activations` as a person types them. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "activations.h"
#include "commands.h"
#include "scratch.h"

static void commands(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "activations --help",                           0, "plot         curves", "" },
        { "activations plot --help",                      0, "Usage: activations plot NAME", "" },
        { "activations --help=man",                       0, ".SH COMMANDS", "" },
        { "activations --help=names | head -n1",          0, "list\t\n", "" },
        { "activations choose --help=names",              0, "--norm=\tbatch layer none\n", "" },
        { "activations eval gelu 0",                      0, "0\n", "" },
        { "activations eval relu -3 2.5",                 0, "0\n2.5\n", "" },
        { "activations eval leaky:0.25 -8",               0, "-2\n", "" },
        { "activations eval -- relu -3 2.5",              0, "0\n2.5\n", "" },
        { "activations eval sigmoid inf nan",             0, "1\nnan\n", "" },
        { "activations grad sigmoid 0",                   0, "0.25\n", "" },
        { "activations grad tanh 0 -0",                   0, "1\n1\n", "" },
        { "activations eval relu gelu -1",                0, "gelu                -0.158655", "" },
        { "activations grad all 0 --sort",                0, "x                           0\nselu                   1.7581\nidentity                    1", "" },
        { "activations eval all 1 --sort | sed -n 2p",    0, "squareplus            1.61803", "" },
        { "activations compare silu sigmoid",             0, "-0.278465 at -1.278465", "" },
        { "test $(activations compare all | wc -l) = $(activations list | wc -l | xargs expr 1 +)", 0, "", "" },
        { "activations list --family gated | tail -1",    0, "swiglu                       x*silu(g)", "" },
        { "activations show gelu --no-cost",              0, "minimum      -0.169971 at -0.751792", "" },
        { "activations show relu",                        0, "ns an element forward", "" },
        { "activations choose",                           0, "multiclass", "" },
        { "activations choose --net mlp --depth 30 --norm none", 0, "hidden layers: selu, weights start as LeCun's", "" },
        { "activations choose --task binary",             0, "output layer: none, loss: binary cross-entropy", "" },
        { "printf 'cnn\\n\\nnone\\n\\nregression\\n' | activations choose --ask", 0, "hidden layers: leaky_relu", NULL },
        { "activations plot relu gelu --derivative -o a.svg && head -c5 a.svg", 0, "a.svg\n<?xml", "" },
        { "activations plot gelu gelu_tanh --difference -o b.png && head -c4 b.png", 0, "b.png\n\x89PNG", "" },
        { "activations plot tanh --panels 1 -d --range=-1,1 -o c.pdf && head -c4 c.pdf", 0, "c.pdf\n%PDF", "" },
        { "activations experiment",                       0, "vanishing        gradients", "" },
        { "activations experiment selfnorm --acts selu --depth 3 --width 16 -o s.svg --csv s.csv", 0, "selu        lecun      3", "" },
        { "head -c5 s.svg; head -n1 s.csv",               0, "<?xmlactivation,start,layer,mean,variance\n", "" },
        { "train lenet --data shapes --img-size 16 --limit 80 --epochs 1 -b 10 --threads 1 --act-stats 1 --output note 2>&1 | grep -c 'on 64 training images'", 0, "1\n", "" },
        { "train lenet --data shapes --limit 60 --epochs 3 -b 20 --threads 1 --act-stats 1 -q --output run >/dev/null && activations inspect run -o i.svg --csv i.csv", 0,
          "classifier.4", "" },
        { "activations inspect run --history -o h.svg --csv h.csv", 0, "epochs 1 to 3, 3 recorded\n", "" },
        { "head -c5 h.svg; head -n1 h.csv; wc -l <h.csv", 0, "<?xmlepoch,layer,dead,saturated,slope,gradient,mean,deviation\n13\n", "" },
        { "cp -r run torn && truncate -s -20 torn/activity.jsonl && activations inspect torn --history -o torn.svg", 0, "epochs 1 to 2, 2 recorded\n", "" },
        { "mkdir bare && echo '[1]' >bare/activity.jsonl",  0, "", "" },
        { "activations inspect run/best.safetensors --history --show slope,mean -o h.png && head -c4 h.png", 0, "\x89PNG", "" },
        { "head -c5 i.svg; wc -l <i.csv",                 0, "<?xml5\n", "" },
        { "activations search --budget 0.01s --limit 96 --epochs 1 --seeds 2 --others mlp -o f.svg --csv f.csv 2>&1", 0, "tried. None is better", NULL },
        { "head -c5 f.svg; wc -l <f.csv",                 0, "<?xml7\n", "" },
        { "activations show 'x*tanh(g)' --no-cost",       0, "df/dg", "" },
        { "activations show hardtanh --no-cost",          0, "x <= least ? 0 : x >= most ? 0 : 1\n", "" },
        { "activations show leaky_relu:1 --no-cost",      0, "gain         1:", "" },
        { "activations experiment vanishing --acts glu --depth 3 --width 16", 0, "glu", "" },
        { "activations experiment dead --acts glu --steps 2 --depth 3 --width 16", 0, "glu", "" },
        { "train baseline --act 'relu(x)^p; p=2' --data shapes --limit 64 -b 16 --threads 1 --dry-run", 0, "nothing was written", NULL },
        { "train lenet --act identity --act-stats 1 --data shapes --limit 60 --epochs 1 -b 20 --threads 1 -q --output same", 0, "same", "--act-stats records nothing" },
        { "activations eval 'x*sigmoid(2*x)' 1",          0, "0.88079707797788", "" },
        { "ls *.tmp 2>/dev/null; true",                   0, "", "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
}

static void mistakes(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "activations plott",                            2, NULL, "unknown command 'plott': did you mean plot" },
        { "activations list --family rectifier",          2, NULL, "choose one of linear rectifiers" },
        { "activations eval gelu",                        2, NULL, "no number" },
        { "activations eval 1",                           2, NULL, "no name" },
        { "activations search --budget soon",             2, NULL, "--budget: use a time such as 30m" },
        { "activations search --others lenet,nosuch --budget 1s", 2, NULL, "unknown architecture 'nosuch'" },
        { "activations show threshold:20,0",              2, NULL, "values are too small" },
        { "activations inspect same",                     2, NULL, "no activation to look at: same" },
        { "activations eval gelu 1 x",                    2, NULL, "not a number: 'x'" },
        { "activations explore -o -",                     2, NULL, "a page is a file: -: name it" },
        { "activations eval gelo 1",                      2, NULL, "did you mean gelu" },
        { "activations eval all relu 1",                  2, NULL, "leave them out" },
        { "activations eval native 1",                    2, NULL, "no function: 'native'" },
        { "activations plot gelu",                        2, NULL, "no file" },
        { "activations plot gelu -o a.jpg",               2, NULL, ".png, .svg or .pdf" },
        { "activations plot -o a.png",                    2, NULL, "no name" },
        { "activations plot gelu -o no/such/a.png",       7, NULL, "no/such/a.png" },
        { "activations plot gelu --range 4,-4 -o a.png",  2, NULL, "not a range: '4,-4'" },
        { "activations plot gelu --range 4 -o a.png",     2, NULL, "not a range" },
        { "activations plot gelu --difference -o a.png",  2, NULL, "name two" },
        { "activations plot gelu --panels 3 -o a.png",    2, NULL, "--panels" },
        { "activations plot gelu --nonsense",             2, NULL, "'activations plot --help=all' shows all" },
        { "activations experiment vanishin",              2, NULL, "did you mean vanishing" },
        { "activations experiment xor --acts relu,gelo",  2, NULL, "did you mean gelu" },
        { "activations experiment selfnorm --depth 401",  2, NULL, "--depth" },
        { "activations experiment xor --depth 3",         2, NULL, "--depth changes nothing: xor" },
        { "activations experiment zoo --arch nonsense",   2, NULL, "unknown architecture 'nonsense'" },
        { "activations experiment zoo --data nowhere",    3, NULL, "nowhere" },
        { "activations experiment xor --arch lenet",      2, NULL, "--arch changes nothing: xor" },
        { "activations experiment gelu-error --steps 3",  2, NULL, "--steps changes nothing: gelu-error" },
        { "activations experiment selfnorm --acts selu --depth 2 -o x", 2, NULL, ".png, .svg or .pdf" },
        { "activations inspect",                          2, NULL, "no checkpoint" },
        { "activations inspect nowhere.safetensors",      3, NULL, "nowhere.safetensors" },
        { "activations inspect run --history --show dead,deaf", 2, NULL, "name one or two of: dead saturated slope" },
        { "activations inspect run --history --show dead,mean,slope", 2, NULL, "too many" },
        { "activations inspect run --show dead",           2, NULL, "--show changes nothing" },
        { "activations inspect run/no --history", 3, NULL, "trained with --act-stats" },
        { "activations inspect bare --history",           3, NULL, "line 1 has no epoch" },
        { "activations inspect run -o x.gif",             2, NULL, ".png, .svg or .pdf" },
        { "activations choose --net toaster",             2, NULL, "transformer" },
        { "activations list gelu",                        2, NULL, "usage is activations list" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_mistake(&cases[i]);
}

/* PLplot would ask at the terminal, or end the process. */
static void missing_driver(void **state)
{
    (void)state;
    setenv("PLPLOT_DRV_DIR", "/nonexistent", 1);
    const Case c = { "activations plot gelu -o d.png </dev/null", 3, NULL, "install plplot-driver-cairo" };
    check_mistake(&c);
    unsetenv("PLPLOT_DRV_DIR");
    char path[256];
    assert_false(scratch_exists(scratch_path(path, folder, "d.png")));
}

/* The catalogue as JSON: every row, with numbers that are those of the text. */
static void json(void **state)
{
    (void)state;
    char *out, *err;
    assert_int_equal(run("activations list --json", &out, &err), 0);
    json_error_t error;
    json_t *list = json_loads(out, JSON_REJECT_DUPLICATES, &error);
    if (!list)
        fail_msg("line %d: %s", error.line, error.text);
    size_t silu = json_array_size(list);
    assert_true(json_array_size(list) >= ACT_COUNT - 1);
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!strcmp(json_string_value(json_object_get(json_array_get(list, i), "name")), "silu"))
            silu = i;
    const json_t *row = json_array_get(list, silu);
    assert_non_null(row);
    assert_string_equal(json_string_value(json_object_get(row, "PyTorch")), "SiLU");
    assert_true(fabs(json_number_value(json_object_get(row, "minimum")) + 0.278464542761) < 1e-6);
    assert_true(json_is_false(json_object_get(row, "monotone")));
    json_decref(list);
    free(out);
    free(err);
}

/* The list of commands, and each command's help, fit a screen. */
static void help_fits(void **state)
{
    (void)state;
    static const char *const names[] = { "", "list", "show", "eval", "grad", "compare", "choose", "plot", "experiment", "inspect" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char command[64], *out, *err;
        snprintf(command, sizeof command, "activations %s --help", names[i]);
        assert_int_equal(run(command, &out, &err), 0);
        assert_in_range(lines_of(out), 4, 26);
        free(out);
        free(err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands), cmocka_unit_test(mistakes), cmocka_unit_test(missing_driver), cmocka_unit_test(json), cmocka_unit_test(help_fits),
    };
    return cmocka_run_group_tests(tests, commands_setup, commands_teardown);
}
