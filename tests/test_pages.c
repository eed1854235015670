/* test_pages.c - the tables of README.md and docs/ say what the catalogues say. */

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
#include "names.h"

typedef enum { PAGE_readme, PAGE_activations, PAGE_architectures, PAGE_measurements, PAGE_internals, PAGE_recipes, PAGES } Page;

static const char *const files[PAGES] = {
    [PAGE_readme] = "README.md", [PAGE_activations] = "docs/activations.md", [PAGE_architectures] = "docs/architectures.md",
    [PAGE_measurements] = "docs/measurements.md", [PAGE_internals] = "docs/internals.md", [PAGE_recipes] = "docs/recipes.md",
};
static char *pages[PAGES];

static int read_pages(void **state)
{
    (void)state;
    enum { ROOM = 1 << 17 };
    for (int page = 0; page < PAGES; page++) {
        char path[512];
        snprintf(path, sizeof path, "%s/../%s", TESTS_FOLDER, files[page]);
        FILE *file = fopen(path, "r");
        if (!file)
            return 1;
        pages[page] = allocate(ROOM, 1, files[page]);
        const size_t length = fread(pages[page], 1, ROOM - 1, file);
        pages[page][length] = '\0';
        if (fclose(file) || length == ROOM - 1)
            return 1;
    }
    return 0;
}

static int free_pages(void **state)
{
    (void)state;
    for (int page = 0; page < PAGES; page++)
        free(pages[page]);
    return 0;
}

/* The line of the page that starts so; the test fails if there is none. */
static const char *find_line(Page page, const char *start)
{
    const char *found = strstr(pages[page], start);
    while (found && found != pages[page] && found[-1] != '\n')
        found = strstr(found + 1, start);
    if (!found)
        fail_msg("%s has no line that starts with:\n%s", files[page], start);
    return found;
}

/* Whether the text stands in this line. */
static bool line_has(const char *line, const char *text)
{
    const char *found = strstr(line, text), *end = strchr(line, '\n');
    return found && (!end || found < end);
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
    for (int i = 0; i < activation_count(); i++) {
        const ActivationInfo *info = activation_at(i);
        char line[512] = "|", parameter[128] = "";
        for (int p = 0; p < activation_parameter_count(info); p++) {
            char word[32];
            const size_t used = strlen(parameter);
            snprintf(parameter + used, sizeof parameter - used, "%s%s = %g", p ? ", " : "",
                     names_word(info->parameters, p, word, sizeof word), (double)info->defaults[p]);
        }
        append_cell(line, sizeof line, " `", info->key, "`");
        append_cell(line, sizeof line, " ", info->aliases, "");
        append_cell(line, sizeof line, " `", info->formula, "`");
        append_cell(line, sizeof line, " ", parameter, "");
        append_cell(line, sizeof line, " ", info->range, "");
        append_cell(line, sizeof line, " ", info->good_for, "");
        append_cell(line, sizeof line, " ", info->bad_for, "");
        find_line(PAGE_activations, line);
        if (!strstr(pages[PAGE_readme], info->key))
            fail_msg("README.md does not name the activation %s", info->key);
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
        char line[1024];
        snprintf(line, sizeof line, "| `%s` | %s | %zu | %zu | ", arch->key, activation_info(arch->act)->key, parameters_of(arch, 32, 10),
                 parameters_of(arch, 224, 1000));
        find_line(PAGE_architectures, line);
        snprintf(line, sizeof line, "| `%s` | `%s` | `%s` | `%s` |", arch->key, arch->recipes[RECIPE_default], arch->recipes[RECIPE_fast],
                 arch->recipes[RECIPE_best]);
        find_line(PAGE_recipes, line);
    }
}

/* README.md shows a selection of the figures that stand on the pages. */
static void test_results(void **state)
{
    (void)state;
    int rows = 0;
    for (int i = 0; i < architecture_count(); i++) {
        char start[64], cells[5][32], cell[192];
        snprintf(start, sizeof start, "\n| `%s` |", architecture_at(i)->key);
        const char *row = strstr(pages[PAGE_readme], start);
        if (!row)
            continue;
        rows++;
        if (sscanf(row + strlen(start), " %31[^|]| %31[^|]| %31[^|]| %31[^|]| %31[^|]|", cells[0], cells[1], cells[2], cells[3], cells[4]) != 5)
            fail_msg("README.md: a row without five figures: %s", start);
        snprintf(start, sizeof start, "| `%s` |", architecture_at(i)->key);
        const char *recipe = find_line(PAGE_architectures, start);
        snprintf(start, sizeof start, "| %s |", architecture_at(i)->key);
        const char *speed = find_line(PAGE_measurements, start);
        for (int c = 0; c < 5; c++) {
            snprintf(cell, sizeof cell, "| %s%s", cells[c], c < 2 ? "|" : "[");
            if (!line_has(c < 2 ? recipe : speed, cell))
                fail_msg("README.md says %s of %s, the page does not", cells[c], architecture_at(i)->key);
        }
    }
    assert_int_equal(rows, 7);
}

/* What a shell command prints. */
static void output_of(const char *command, char *text, size_t size)
{
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    text[fread(text, 1, size - 1, pipe)] = '\0';
    if (pclose(pipe))
        fail_msg("%s: failed: %s", command, text);
}

/* scripts/reproduce.sh makes a command of every row of README.md's results. */
static void test_reproduce(void **state)
{
    (void)state;
    char names[2048], command[512], text[2048], *rest = names;
    output_of(TESTS_FOLDER "/../scripts/reproduce.sh", names, sizeof names);
    int rows = 0;
    for (char *name; (name = strtok_r(rest, "\n", &rest)) != NULL; rows++) {
        snprintf(command, sizeof command, "%s/../scripts/reproduce.sh '%s' --print --data /images --output /run", TESTS_FOLDER, name);
        output_of(command, text, sizeof text);
        snprintf(command, sizeof command, "/train %s --data /images ", name);
        if (!strstr(text, command) || !strstr(text, " --output /run"))
            fail_msg("reproduce.sh %s would do: %s", name, text);
    }
    assert_true(rows >= 7);
}

/* From any folder, and by a path that holds there alone. */
static void test_scripts_help(void **state)
{
    (void)state;
    static const char *const names[] = { "compare_pytorch", "install_dependencies", "quickstart", "race_pytorch", "reproduce", "test" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char command[512], text[4096], usage[64];
        snprintf(command, sizeof command, "cd '%s' && bash ../scripts/%s.sh --help", TESTS_FOLDER, names[i]);
        output_of(command, text, sizeof text);
        snprintf(usage, sizeof usage, "usage: scripts/%s.sh ", names[i]);
        if (!strstr(text, usage))
            fail_msg("%s says no '%s': %s", command, usage, text);
    }
}

static void test_readme_is_short(void **state)
{
    (void)state;
    int lines = 0;
    for (const char *text = pages[PAGE_readme]; *text; text++)
        lines += *text == '\n';
    assert_in_range(lines, 1, 150);
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
        find_line(PAGE_internals, from);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_activation_rows), cmocka_unit_test(test_architecture_rows), cmocka_unit_test(test_results),
        cmocka_unit_test(test_reproduce), cmocka_unit_test(test_scripts_help),
        cmocka_unit_test(test_readme_is_short), cmocka_unit_test(test_examples),
    };
    return cmocka_run_group_tests(tests, read_pages, free_pages);
}
