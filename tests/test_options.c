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

static OptionLine newest;      /* what the texts of the newest flags lie in */

static void release(OptionLine *line)
{
    options_free(line);
    newest = (OptionLine){ 0 };
}

/* Parses words as a command line; texts stay valid until the next call, or release. */
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
    options_free(&newest);
    const bool parsed = options_parse(&train_options, argc, argv, flags, line, error);
    newest = *line;
    return parsed;
}

static bool resolve(TrainFlags *flags, const OptionLine *line, Error *error)
{
    return train_options_resolve(flags, line, &(SettingTexts){ 0 }, error);
}

/* A value that is not the default, as text. */
static const char *sample(const Setting *option, char *text, size_t size)
{
    static const struct { const char *name, *text; } formed[] = {
        { "arch", "vgg16" }, { "act", "gelu" }, { "val-split", "data_batch_5" }, { "hflip", "off" }, { "opt", "adamw" },
        { "opt-betas", "0.5,0.25" }, { "max-time", "90s" }, { "early-metric", "loss" }, { "log", "tb" }, { "sched", "step" }, { "plan", "direct" }, { "aug", "crop:2" }, { "pad-mode", "edge" },
        { "aa", "rand-m5-n1" }, { "remode", "pixel" }, { "loss", "bce" }, { "class-weights", "auto" },
        { "clip-mode", "agc" }, { "crop", "pad" }, { "train-img-size", "16:2,24" }, { "scale", "0.25,0.5" }, { "ratio", "0.5,2" }, { "interpolation", "bicubic" },
        { "recipe", "best" }, { "param-groups", "fc.* lr*2; bias frozen" }, { "muon-other", "sgd" }, { "decay-milestones", "2,3.5" },
        { "bn", "ghost:8" }, { "lr-scaling", "sqrt" }, { "gradient-type", "bf16" }, { "rank-timeout", "90s" },
    };
    for (size_t i = 0; i < sizeof formed / sizeof *formed; i++)
        if (!strcmp(option->name, formed[i].name))
            return formed[i].text;
    if (option->type == SETTING_whole || option->type == SETTING_int)
        snprintf(text, size, "%.0f", option->most >= option->least + 3.0 ? option->least + 3.0 : option->most);
    else if (option->type == SETTING_real || option->type == SETTING_float)
        snprintf(text, size, "%.17g", option->least + (option->most - option->least) / 8.0);
    else
        snprintf(text, size, "%.*s", option->choices ? (int)strcspn(option->choices, " ") : 5,
                 option->choices ? option->choices : "value");
    return text;
}

static void check_value(const Setting *option, const TrainFlags *flags, const char *text, const char *name)
{
    const void *field = (const char *)flags + option->field;
    char written[256];
    bool equal = !strcmp(setting_write(option, flags, written, sizeof written), text);
    if (!option->form)
        switch (option->type) {
        case SETTING_switch: equal = *(const bool *)field == !strcmp(text, "true"); break;
        case SETTING_whole:  equal = *(const int64_t *)field == atoll(text); break;
        case SETTING_int:    equal = *(const int *)field == atoi(text); break;
        case SETTING_real:   equal = *(const double *)field == atof(text); break;
        case SETTING_float:  equal = *(const float *)field == (float)atof(text); break;
        case SETTING_text:   equal = *(const char *const *)field && !strcmp(*(const char *const *)field, text); break;
        }
    else if (!strcmp(option->name, "plan"))
        equal = strstr(written, text) != NULL;
    if (!equal)
        fail_msg("--%s=%s: the field has another value: %s", name, text, written);
}

static void check_name(const Setting *option, int index, const char *name)
{
    TrainFlags flags = { 0 };
    OptionLine line;
    Error error;
    char room[64], joined[160], word[80];
    if (option->type == SETTING_switch) {
        for (int on = 0; on < 2; on++) {
            snprintf(word, sizeof word, "--%s%s", on ? "" : "no-", name);
            if (!parse(&flags, &line, &error, (const char *[]){ word, NULL }))
                fail_msg("%s: %s", word, error.text);
            check_value(option, &flags, on ? "true" : "false", name);
        }
        return;
    }
    const char *text = sample(option, room, sizeof room);
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
    assert_non_null(line.given[index]);
    assert_int_equal(line.argument_count, 0);
}

static void test_every_name_parses(void **state)
{
    (void)state;
    for (int i = 0; i < options_count(&train_options); i++) {
        const Setting *option = options_at(&train_options, i);
        char aliases[128], *rest = aliases;
        check_name(option, i, option->name);
        snprintf(aliases, sizeof aliases, "%s", option->aliases ? option->aliases : "");
        for (char *alias; (alias = strtok_r(rest, " ", &rest)) != NULL;)
            check_name(option, i, alias);
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
            for (int i = 0; table == tried_in_training && i < options_count(&train_options); i++) {
                const Setting *option = options_at(&train_options, i);
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
    TrainFlags flags = { 0 };
    OptionLine line;
    Error error;
    assert_true(parse(&flags, &line, &error,
                      (const char *[]){ "resnet18", "-b", "64", "--wd=1e-4", "--label_smoothing", "0.1", "-q", NULL }));
    assert_int_equal(line.argument_count, 1);
    assert_string_equal(line.arguments[0], "resnet18");
    assert_int_equal(flags.trainer.batch, 64);
    assert_true(flags.trainer.optimizer.weight_decay == 1e-4f && flags.trainer.label_smoothing == 0.1f && flags.quiet);
    assert_true(parse(&flags, &line, &error, (const char *[]){ "-b64", "-aconvnext", "--No_Aug", "--PROGRESS", "Bar", "x", NULL }));
    assert_int_equal(flags.trainer.batch, 64);
    assert_string_equal(flags.trainer.arch->key, "convnext_tiny");
    assert_true(flags.trainer.no_augment);
    assert_string_equal(flags.progress, "bar");
    assert_int_equal(line.argument_count, 1);
    assert_true(parse(&flags, &line, &error, (const char *[]){ "--help=all", NULL }));
    assert_int_equal(line.help, 2);
    assert_true(parse(&flags, &line, &error, (const char *[]){ NULL }));
    assert_true(isnan(flags.trainer.lr) && flags.trainer.epochs == -1 && flags.trainer.seed == 42 && flags.trainer.batch == 0 &&
                !flags.trainer.no_augment && !flags.summary);
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
        { { "-j99" },                 "bad value '99': --workers: use a whole number from 0 to 64" },
        { { "--pretrained" },         "weights are not fetched: --initial-checkpoint FILE starts from" },
        { { "--mixup", "-1" },        "bad value '-1': --mixup: use a number from 0 to 100" },
        { { "--aug", "corp:4" },      "unknown augmentation 'corp': --aug: did you mean crop? choose one of crop" },
        { { "--aug" },                "no value: --aug: use --aug=STEPS" },
        { { "--bce_loss" },           "use --loss bce" },
        { { "--no-aug=1" },           "a value for a switch: --no-aug" },
        { { "--no-lr" },              "unknown option '--no-lr'" },
        { { "--progress", "bra" },    "unknown value 'bra': --progress: use one of auto block bar lines none" },
        { { "lenet", "vgg16" },       "2 arguments: 'vgg16': usage is" },
        { { "--help=more" },          "unknown value 'more': --help" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        TrainFlags flags = { 0 };
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
        { { "--opt=adadelta" },            "adadelta",  "adamw" },
        { { "--sched=lineal" },           "lineal",   "cosine" },
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
        { { "--opt=addamw" },             "addamw",   "--opt: did you mean adamw" },
        { { "--opt=fromage" },            "fromage",  "choose one of sgd adamw" },
        { { "--muon-other=addamw" },      "addamw",   "--muon-other: did you mean adamw" },
        { { "--opt=muon", "--muon-other=lamb" }, "lamb", "such as adamw or sgd" },
        { { "--param-groups=fc.* lr=2" }, "'lr=2'",  "lr*F" },
        { { "--clip-mode=size" },         "'size'",   "norm value agc" },
        { { "--decay-milestones=3,2" },   "'3,2'",    "30,60,80" },
        { { "--in-chans=2" },             "'2'",      "1 for grey" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        TrainFlags flags = { 0 };
        OptionLine line;
        Error error;
        if (parse(&flags, &line, &error, cases[i].words) && resolve(&flags, &line, &error))
            fail_msg("%s was accepted", cases[i].words[0]);
        if (error.code != EXIT_usage || !strstr(error.text, cases[i].what) || !strstr(error.text, cases[i].choice))
            fail_msg("%s: exit %d, '%s'", cases[i].words[0], (int)error.code, error.text);
    }
}

/* The value of a setting, as text. */
static void check_setting(const TrainFlags *flags, const char *name, const char *expected)
{
    char text[OPTIMIZER_GROUPS_ROOM];
    const int index = settings_index(name);
    assert_true(index >= 0);
    if (strcmp(setting_write(settings_at(index), flags, text, sizeof text), expected))
        fail_msg("%s: %s is '%s', expected '%s'", flags->trainer.arch->key, name, text, expected);
}

/* The command line wins over the file, the file over the recipe. */
static void test_config(void **state)
{
    (void)state;
    static const struct { const char *content, *lr, *epochs, *error; } cases[] = {
        { "lr: 0.3   # a remark\nepochs: 7\n",                         "0.3",  "7",  NULL },
        { "# timm's form\narch: lenet\nlearning_rate: 0.02\r\n",       "0.02", "80", NULL },
        { "lr=0.5 epochs=2 aug=false\namp: no",                         "0.5",  "2",  NULL },
        { "  data: 'my photos'\n--lr: 1",                               "1",    "80", NULL },
        { "",                                                            "0.02", "80", NULL },
        { "{\"lr\": 0.25, \"epochs\": 5, \"log-interval\": 50}",         "0.25", "5",  NULL },
        { "{\"lr\": \"fast\"}",                                          NULL,   NULL, "a value of another type: --lr" },
        { "{\"lr\": 0.25",                                               NULL,   NULL, "not a JSON object" },
        { "lr: fast\n",                                                 NULL,   NULL, "config: line 1: bad value 'fast': --lr" },
        { "epochs: 3\n\nlerning-rate: 1\n",                            NULL,   NULL, "config: line 3: unknown setting 'lerning-rate': did you mean learning-rate" },
        { "lr:\n",                                                      NULL,   NULL, "bad value ''" },
        { "lr 0.1\n",                                                  NULL,   NULL, "config: line 1: no value: 'lr'" },
        { "epochs: 3\nopt\n",                                         NULL,   NULL, "config: line 2: no value: 'opt'" },
        { "\xEF\xBB\xBFlr: 0.3\r\nepochs: 7\r\nbalance\r\n",            "0.3",  "7",  NULL },
        { "\xEF\xBB\xBF{\"lr\": 0.25, \"epochs\": 5}",                "0.25", "5",  NULL },
        { "amp: maybe\n",                                               NULL,   NULL, "bad value 'maybe': --amp: use true or false" },
        { "dropout: fast\n",                                            NULL,   NULL, "bad value 'fast': --dropout: use true or false" },
    };
    char folder[256], path[256];
    scratch_new(folder);
    scratch_path(path, folder, "config");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        TrainFlags flags = { 0 };
        OptionLine line;
        SettingTexts config = { 0 };
        Error error;
        scratch_write(path, cases[i].content, strlen(cases[i].content));
        assert_true(parse(&flags, &line, &error, (const char *[]){ "--seed=9", "--arch=lenet", NULL }));
        const bool ok = train_options_config(path, &config, &error) && train_options_resolve(&flags, &line, &config, &error);
        if (ok != !cases[i].error || (!ok && !strstr(error.text, cases[i].error)))
            fail_msg("%s: %s", cases[i].content, error.text);
        if (ok) {
            check_setting(&flags, "lr", cases[i].lr);
            check_setting(&flags, "epochs", cases[i].epochs);
            check_setting(&flags, "seed", "9");
        }
        settings_texts_clear(&config);
    }
    scratch_remove(folder);
}

/* Counts lines, and the columns of the longest; looks for every name. */
static void measure_help(bool all, int *lines, size_t *columns, char *text, size_t size)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    options_help(&train_options, all, file);
    rewind(file);
    const size_t read = fread(text, 1, size - 1, file);
    assert_in_range(read, 1, size - 2);      /* all of it */
    text[read] = '\0';
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
    static char text[32768];
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
    for (int i = 0; i < options_count(&train_options); i++) {
        const Setting *option = options_at(&train_options, i);
        snprintf(name, sizeof name, "-%s", option->name);
        if (!option->hidden && !strstr(text, name))
            fail_msg("--help=all does not know -%s", name);
    }
}

static void test_arguments_file(void **state)
{
    (void)state;
    TrainFlags flags = { 0 }, again = { 0 };
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
    assert_string_equal(again.trainer.arch->key, "vgg16");
    assert_true(again.trainer.lr == 0.123456789f && again.trainer.no_augment && again.trainer.seed == 9 && again.trainer.most_steps == 0);
    assert_true(again.trainer.warmup_epochs == flags.trainer.warmup_epochs);
    release(&line);

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
        release(&line);
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_false(options_load(&train_options, path, &again, &line, &error));
    assert_non_null(strstr(error.text, "not a regular file"));

    /* What a person names by mistake is not to be removed: it may be their run. */
    static const char *const named[] = { "/", "/dev/null" };
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        SettingTexts config = { 0 };
        assert_false(train_options_config(named[i], &config, &error));
        if (!strstr(error.text, "not a regular file") || strstr(error.text, "remove"))
            fail_msg("%s: %s", named[i], error.text);
    }
    scratch_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_name_parses), cmocka_unit_test(test_no_name_twice),
        cmocka_unit_test(test_tried_options), cmocka_unit_test(test_known_command_lines),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_bad_names_list_the_choices),
        cmocka_unit_test(test_config),
        cmocka_unit_test(test_help), cmocka_unit_test(test_arguments_file),
    };
    program_name_set("train");
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    options_free(&newest);
    return failed;
}
