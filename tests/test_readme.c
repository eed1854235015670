/* test_readme.c - the README's tables say what the catalogues say. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activations.h"
#include "architectures.h"
#include "errors.h"

static char *readme;

static int read_readme(void **state)
{
    (void)state;
    enum { ROOM = 1 << 17 };
    FILE *file = fopen(TESTS_FOLDER "/../README.md", "r");
    if (!file)
        return 1;
    readme = allocate(ROOM, 1, "README.md");
    const size_t length = fread(readme, 1, ROOM - 1, file);
    readme[length] = '\0';
    return fclose(file) || length == ROOM - 1;
}

static int free_readme(void **state)
{
    (void)state;
    free(readme);
    return 0;
}

static void expect_line(const char *start)
{
    const char *found = strstr(readme, start);
    if (!found || found == readme || found[-1] != '\n')
        fail_msg("README.md has no line that starts with:\n%s", start);
}

/* A bar inside a cell of a table. */
static void append_cell(char *line, size_t room, const char *before, const char *text, const char *after)
{
    size_t at = strlen(line);
    at += (size_t)snprintf(line + at, room - at, "%s", before);
    for (; *text && at + 2 < room; text++) {
        if (*text == '|')
            line[at++] = '\\';
        line[at++] = *text;
    }
    snprintf(line + at, room - at, "%s |", after);
}

static void test_activation_rows(void **state)
{
    (void)state;
    for (int key = ACT_native + 1; key < ACT_COUNT; key++) {
        const ActivationInfo *info = activation_info((ActivationKey)key);
        char line[512] = "|", parameter[64] = "";
        if (*info->parameter)
            snprintf(parameter, sizeof parameter, "%s = %g", info->parameter, (double)info->fallback);
        append_cell(line, sizeof line, " `", info->key, "`");
        append_cell(line, sizeof line, " ", info->aliases, "");
        append_cell(line, sizeof line, " `", info->formula, "`");
        append_cell(line, sizeof line, " ", parameter, "");
        append_cell(line, sizeof line, " ", info->range, "");
        append_cell(line, sizeof line, " ", info->good_for, "");
        append_cell(line, sizeof line, " ", info->bad_for, "");
        expect_line(line);
    }
}

static size_t parameters_of(const Architecture *arch, int side, int classes)
{
    Error error;
    Network *net = architecture_network(arch, (Shape){ 3, side, side }, &(ArchOptions){ .classes = classes }, &error);
    assert_non_null(net);
    const size_t count = network_trained_count(net);
    network_free(net);
    return count;
}

static void test_architecture_rows(void **state)
{
    (void)state;
    for (int i = 0; i < architecture_count(); i++) {
        const Architecture *arch = architecture_at(i);
        const Recipe *recipe = &arch->recipe;
        char line[512], smoothing[32] = "", clip[48] = "";
        if (recipe->label_smoothing > 0)
            snprintf(smoothing, sizeof smoothing, ", smoothing %g", (double)recipe->label_smoothing);
        if (recipe->clip_norm > 0)
            snprintf(clip, sizeof clip, ", norm at most %g", (double)recipe->clip_norm);
        snprintf(line, sizeof line, "| `%s` | %s | %zu | %zu | %s, lr %g, decay %g, %d epochs%s%s | ", arch->key,
                 activation_info(arch->act.key)->key, parameters_of(arch, 32, 10), parameters_of(arch, 224, 1000),
                 recipe->optimizer, (double)recipe->lr, (double)recipe->weight_decay, recipe->epochs, smoothing, clip);
        expect_line(line);
    }
}

/* The lines that show how to add one. */
static void test_examples(void **state)
{
    (void)state;
    static const struct { const char *file, *from, *to; } quotes[] = {
        { "/../convolutional/engine/activations.def", "X(silu,", "\n\n" },
        { "/../architectures/architectures.def", "X(resnet18,", "\nX(" },
    };
    for (size_t i = 0; i < sizeof quotes / sizeof *quotes; i++) {
        char path[512], text[1 << 14];
        snprintf(path, sizeof path, "%s%s", TESTS_FOLDER, quotes[i].file);
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        text[fread(text, 1, sizeof text - 1, file)] = '\0';
        fclose(file);
        char *from = strstr(text, quotes[i].from);
        assert_non_null(from);
        char *to = strstr(from, quotes[i].to);
        assert_non_null(to);
        *to = '\0';
        expect_line(from);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_activation_rows), cmocka_unit_test(test_architecture_rows), cmocka_unit_test(test_examples),
    };
    return cmocka_run_group_tests(tests, read_readme, free_readme);
}
