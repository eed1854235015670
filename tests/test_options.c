/* test_options.c - the table of train's flags: every name parses, every mistake is one line, help fits a screen. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"

#include "../scripts/shared/common_options.c"
#include "../scripts/shared/options.c"
#include "../scripts/shared/options_help.c"
#include "../scripts/shared/train_options.c"
#include "../scripts/shared/tried_options.c"

enum { MOST_WORDS = 8 };

/* Parses words as a command line; texts stay valid until the next call. */
static bool parse(TrainFlags *flags, OptionLine *line, Error *error, const char *const *words)
{
    static char copies[MOST_WORDS + 1][200];
    static char *argv[MOST_WORDS + 2];
    int argc = 1;
    strcpy(copies[0], "train");
    argv[0] = copies[0];
    for (; argc <= MOST_WORDS && words[argc - 1]; argc++) {
        snprintf(copies[argc], sizeof copies[argc], "%s", words[argc - 1]);
        argv[argc] = copies[argc];
    }
    argv[argc] = NULL;
    return options_parse(&train_options, argc, argv, flags, line, error);
}

/* A value that is not the default, as text. */
static const char *sample(const Option *option, char *text, size_t size)
{
    if (option->type == OPTION_whole)
        snprintf(text, size, "%.0f", option->most >= option->least + 3.0 ? option->least + 3.0 : option->most);
    else if (option->type == OPTION_real)
        snprintf(text, size, "%.17g", option->least + (option->most - option->least) / 8.0);
    else
        snprintf(text, size, "%.*s", option->choices ? (int)strcspn(option->choices, " ") : 5,
                 option->choices ? option->choices : "value");
    return text;
}

static void check_value(const Option *option, const TrainFlags *flags, const char *text, const char *name)
{
    const void *field = (const char *)flags + option->field;
    bool equal = false;
    switch (option->type) {
    case OPTION_switch: equal = *(const bool *)field == !strcmp(text, "true"); break;
    case OPTION_whole:  equal = *(const int64_t *)field == atoll(text); break;
    case OPTION_real:   equal = *(const double *)field == atof(text); break;
    case OPTION_text:   equal = *(const char *const *)field && !strcmp(*(const char *const *)field, text); break;
    }
    if (!equal)
        fail_msg("--%s=%s: the field has another value", name, text);
}

static void check_name(const Option *option, const char *name)
{
    TrainFlags flags;
    OptionLine line;
    Error error;
    char text[64], joined[160], word[80];
    if (option->type == OPTION_switch) {
        for (int on = 0; on < 2; on++) {
            snprintf(word, sizeof word, "--%s%s", on ? "" : "no-", name);
            if (!parse(&flags, &line, &error, (const char *[]){ word, NULL }))
                fail_msg("%s: %s", word, error.text);
            check_value(option, &flags, on ? "true" : "false", name);
        }
        return;
    }
    sample(option, text, sizeof text);
    snprintf(word, sizeof word, "--%s", name);
    snprintf(joined, sizeof joined, "--%s=%s", name, text);
    for (char *letter = joined; *letter != '='; letter++)
        if (*letter == '-' && letter > joined + 1)
            *letter = '_';
    if (!parse(&flags, &line, &error, (const char *[]){ word, text, NULL }))
        fail_msg("%s %s: %s", word, text, error.text);
    check_value(option, &flags, text, name);
    if (!parse(&flags, &line, &error, (const char *[]){ joined, NULL }))
        fail_msg("%s: %s", joined, error.text);
    check_value(option, &flags, text, name);
    assert_true(line.given[option - train_options.options]);
    assert_int_equal(line.argument_count, 0);
}

static void test_every_name_parses(void **state)
{
    (void)state;
    for (int i = 0; i < train_options.count; i++) {
        const Option *option = &train_options.options[i];
        char aliases[128], *rest = aliases;
        check_name(option, option->name);
        snprintf(aliases, sizeof aliases, "%s", option->aliases ? option->aliases : "");
        for (char *alias; (alias = strtok_r(rest, " ", &rest)) != NULL;)
            check_name(option, alias);
    }
}

static void test_no_name_twice(void **state)
{
    (void)state;
    ArgpNames *names = argp_names(&train_options);
    for (int i = 0; i < names->count; i++)
        for (int j = 0; j < i; j++)
            if (!strcmp(names->rows[i].name, names->rows[j].name))
                fail_msg("--%s stands for two things", names->rows[i].name);
    free(names);
}

/* A name that people try is none that is taken, and stands in one row. */
static void check_tried(const TriedOption *table)
{
    for (const TriedOption *row = table; row->names; row++) {
        char names[512], *rest = names;
        snprintf(names, sizeof names, "%s", row->names);
        for (char *name; (name = strtok_r(rest, " ", &rest)) != NULL;) {
            assert_string_equal(tried_option(table, name), row->answer);
            for (int i = 0; table == tried_in_training && i < train_options.count; i++) {
                const Option *option = &train_options.options[i];
                if (names_match(option->name, name, strlen(name)) || (option->aliases && names_match(option->aliases, name, strlen(name))))
                    fail_msg("--%s is an option", name);
            }
        }
    }
}

static void test_tried_options(void **state)
{
    (void)state;
    check_tried(everywhere);
    check_tried(tried_in_training);
    check_tried(tried_on_a_checkpoint);
    assert_null(tried_option(tried_in_training, "foo"));
    assert_non_null(tried_option(NULL, "device"));
}

/* The names that timm's, torchvision's and others' users type. */
static void test_known_command_lines(void **state)
{
    (void)state;
    TrainFlags flags;
    OptionLine line;
    Error error;
    assert_true(parse(&flags, &line, &error,
                      (const char *[]){ "resnet18", "-b", "64", "--wd=1e-4", "--label_smoothing", "0.1", "-q", NULL }));
    assert_int_equal(line.argument_count, 1);
    assert_string_equal(line.arguments[0], "resnet18");
    assert_int_equal(flags.batch, 64);
    assert_true(flags.weight_decay == 1e-4 && flags.smoothing == 0.1 && flags.quiet);
    assert_true(parse(&flags, &line, &error, (const char *[]){ "-b64", "-aconvnext", "--No_Aug", "--PROGRESS", "Bar", "x", NULL }));
    assert_int_equal(flags.batch, 64);
    assert_string_equal(flags.arch, "convnext");
    assert_false(flags.aug);
    assert_string_equal(flags.progress, "bar");
    assert_int_equal(line.argument_count, 1);
    assert_true(parse(&flags, &line, &error, (const char *[]){ "--help=all", NULL }));
    assert_int_equal(line.help, 2);
    assert_true(parse(&flags, &line, &error, (const char *[]){ NULL }));
    assert_true(isnan(flags.lr) && flags.epochs == -1 && flags.seed == 42 && flags.batch == -1 && flags.aug && !flags.summary);
}

static void test_mistakes(void **state)
{
    (void)state;
    static const struct { const char *words[4], *text; } cases[] = {
        { { "--foo" },                "unknown option '--foo': command line: 'train --help=all' shows all" },
        { { "--learning-rats", "1" },  "unknown option '--learning-rats': command line: did you mean --learning-rate? 'train --help=all' shows all" },
        { { "--archs" },              "did you mean --arch? " },
        { { "--epoch", "x" },         "bad value 'x': --epochs: use a whole number from 1 to 1000000" },
        { { "--epochs", "0" },        "bad value '0': --epochs" },
        { { "--epochs", "1.5" },      "bad value '1.5': --epochs" },
        { { "--epochs", "99999999999999999999" }, "bad value '99999999999999999999': --epochs" },
        { { "--lr", "nan" },          "bad value 'nan': --lr" },
        { { "--lr=-1" },              "bad value '-1': --lr: use a number from 0 to" },
        { { "--lr", "0.1x" },         "bad value '0.1x': --lr" },
        { { "--lr", "" },             "bad value '': --lr" },
        { { "--lr" },                 "no value: --lr: use --lr=F" },
        { { "-b" },                   "no value: -b: use -b N" },
        { { "-qZ" },                  "unknown option '-qZ'" },
        { { "-Z" },                   "unknown option '-Z': command line: 'train --help=all'" },
        { { "-j8" },                  "unknown option '-j8': command line: images are read by the same threads" },
        { { "--Num_Workers=8" },      "--threads N says how many" },
        { { "--pretrained" },         "training starts from random weights" },
        { { "--mixup", "0.2" },       "images are not mixed here" },
        { { "--no-aug=1" },           "a value for a switch: --no-aug" },
        { { "--no-lr" },              "unknown option '--no-lr'" },
        { { "--progress", "bra" },    "unknown value 'bra': --progress: use one of auto bar lines none" },
        { { "lenet", "vgg16" },       "2 arguments: 'vgg16': usage is" },
        { { "--help=more" },          "unknown value 'more': --help" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        TrainFlags flags;
        OptionLine line;
        Error error;
        if (parse(&flags, &line, &error, cases[i].words))
            fail_msg("%s was accepted", cases[i].words[0]);
        if (!strstr(error.text, cases[i].text) || error.code != EXIT_usage || strchr(error.text, '\n'))
            fail_msg("%s: exit %d, '%s'; expected '%s'", cases[i].words[0], (int)error.code, error.text, cases[i].text);
    }
}

static void test_bad_names_list_the_choices(void **state)
{
    (void)state;
    static const struct { const char *words[3], *what, *choice; } cases[] = {
        { { "--arch=resnet99" },          "resnet99", "did you mean resnet18? 'train --list-archs' shows all" },
        { { "--act=rellu" },              "rellu",    "did you mean relu" },
        { { "--opt=adagrad" },            "adagrad",  "adamw" },
        { { "--sched=linear" },           "linear",   "cosine" },
        { { "--plan=fast" },              "fast",     "channels-last" },
        { { "--plan=default,fast" },      "fast",     "no-fusion" },
        { { "--val-split=1.5" },          "1.5",      "data_batch_5" },
        { { "--val-split=0" },            "'0'",      "between 0 and 1" },
        { { "--opt-betas=0.9" },          "'0.9'",    "0.9,0.999" },
        { { "--opt-betas=0.9,1" },        "0.9,1",    "0.9,0.999" },
        { { "--opt-betas=0.9,0.99x" },    "0.99x",    "0.9,0.999" },
        { { "--opt-betas=0.9,0.99999999" }, "0.99999999", "0.9,0.999" },      /* 1 as a float */
        { { "--opt-eps=0" },              "'0'",      "above 0" },
        { { "--opt-eps=1e-50" },          "1e-50",    "above 0" },
        { { "--val-split=1e-60" },        "1e-60",    "between 0 and 1" },
        { { "--opt=adam" },               "adam",     "--opt: did you mean adamw? choose one of sgd adamw" },
        { { "--in-chans=2" },             "'2'",      "1 for grey" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        TrainFlags flags;
        OptionLine line;
        TrainerOptions trainer;
        Error error;
        assert_true(parse(&flags, &line, &error, cases[i].words));
        if (train_options_resolve(&flags, &trainer, &error))
            fail_msg("%s was accepted", cases[i].words[0]);
        if (error.code != EXIT_usage || !strstr(error.text, cases[i].what) || !strstr(error.text, cases[i].choice))
            fail_msg("%s: exit %d, '%s'", cases[i].words[0], (int)error.code, error.text);
    }
}

/* What is not given is the architecture's recipe, or what suits the optimiser that was given. */
static void test_recipes(void **state)
{
    (void)state;
    for (int i = 0; i < architecture_count(); i++) {
        const Architecture *arch = architecture_at(i);
        TrainFlags flags;
        OptionLine line;
        TrainerOptions trainer;
        Error error;
        assert_true(parse(&flags, &line, &error, (const char *[]){ "--arch", arch->key, NULL }));
        assert_true(train_options_resolve(&flags, &trainer, &error));
        assert_ptr_equal(trainer.arch, arch);
        assert_string_equal(flags.opt, arch->recipe.optimizer);
        assert_true(trainer.lr == arch->recipe.lr && trainer.epochs == arch->recipe.epochs);
        assert_true(trainer.optimizer.weight_decay == arch->recipe.weight_decay &&
                    trainer.label_smoothing == arch->recipe.label_smoothing);
        assert_true(trainer.optimizer.clip_norm == arch->recipe.clip_norm &&
                    (float)flags.clip_grad == trainer.optimizer.clip_norm);
        assert_true((float)flags.lr == trainer.lr && flags.epochs == trainer.epochs);

        const bool sgd = trainer.optimizer.kind == OPTIMIZER_sgd;
        assert_true(parse(&flags, &line, &error,
                          (const char *[]){ "-a", arch->key, "--opt", sgd ? "adamw" : "sgd", "--lr", "0.25", NULL }));
        assert_true(train_options_resolve(&flags, &trainer, &error));
        assert_true(trainer.lr == 0.25f && trainer.optimizer.weight_decay == (sgd ? 0.05f : 5e-4f));
    }
}

/* Counts lines, and the columns of the longest; looks for every name. */
static void measure_help(bool all, int *lines, size_t *columns, char *text, size_t size)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    options_help(&train_options, all, file);
    rewind(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
    *lines = 0;
    *columns = 0;
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
        const size_t length = strcspn(line, "\n");
        *columns = length > *columns ? length : *columns;
        ++*lines;
    }
}

static void test_help(void **state)
{
    (void)state;
    static char text[16384];
    char name[64];
    size_t columns;
    int lines;
    measure_help(false, &lines, &columns, text, sizeof text);
    assert_in_range(lines, 15, 30);
    assert_in_range(columns, 60, 100);
    assert_non_null(strstr(text, "--help=all"));
    assert_null(strstr(text, "--crop-pad"));
    measure_help(true, &lines, &columns, text, sizeof text);
    assert_in_range(columns, 60, 100);
    for (int i = 0; i < train_options.count; i++) {
        snprintf(name, sizeof name, "-%s", train_options.options[i].name);
        if (!strstr(text, name))
            fail_msg("--help=all does not know -%s", name);
    }
}

static void test_arguments_file(void **state)
{
    (void)state;
    TrainFlags flags, again;
    OptionLine line;
    Error error;
    char folder[256], path[256];
    scratch_new(folder);
    scratch_path(path, folder, "args.json");
    assert_true(parse(&flags, &line, &error,
                      (const char *[]){ "--arch=vgg16", "--lr=0.123456789", "--warmup-epochs=0.8333333333333334", "--no-aug",
                                        "--seed=7", "--max-steps=3", NULL }));
    char *text = options_text(&train_options, &flags, &error);
    assert_null(strstr(text, "max-steps"));
    scratch_write(path, text, strlen(text));
    free(text);
    assert_true(parse(&again, &line, &error, (const char *[]){ "--data=\xFF", NULL }));
    assert_null(options_text(&train_options, &again, &error));
    assert_non_null(strstr(error.text, "not UTF-8: --data"));

    /* The file fills what the command line leaves open, and nothing else. */
    assert_true(parse(&again, &line, &error, (const char *[]){ "--seed", "9", NULL }));
    assert_true(options_load(&train_options, path, &again, &line, &error));
    assert_string_equal(again.arch, "vgg16");
    assert_true(again.lr == 0.123456789 && !again.aug && again.seed == 9 && again.max_steps == 0 && again.epochs == -1);
    assert_true(again.warmup_epochs == flags.warmup_epochs);
    options_free(&line);

    static const struct { const char *content, *text; } damaged[] = {
        { "{\"lr\": \"fast\"}",        "--lr" },
        { "{\"lr\": -1}",              "bad value '-1'" },
        { "{\"aug\": 3}",              "--aug" },
        { "{\"lr\": 1, \"lr\": 2}",    "duplicate" },
        { "[]",                        "no object" },
        { "",                          "not the options of a run" },
    };
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        scratch_write(path, damaged[i].content, strlen(damaged[i].content));
        assert_true(parse(&again, &line, &error, (const char *[]){ NULL }));
        if (options_load(&train_options, path, &again, &line, &error))
            fail_msg("accepted %s", damaged[i].content);
        if (error.code != EXIT_input || !strstr(error.text, damaged[i].text))
            fail_msg("%s: exit %d, '%s'", damaged[i].content, (int)error.code, error.text);
        options_free(&line);
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_false(options_load(&train_options, path, &again, &line, &error));
    assert_non_null(strstr(error.text, "not a regular file"));
    scratch_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_name_parses),
        cmocka_unit_test(test_no_name_twice),
        cmocka_unit_test(test_tried_options),
        cmocka_unit_test(test_known_command_lines),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_bad_names_list_the_choices),
        cmocka_unit_test(test_recipes),
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_arguments_file),
    };
    program_name_set("train");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
