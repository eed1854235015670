/* test_package.c - what `cmake --install` leaves for those who embed convzoo: docs/embed.c is built against it and learns.
 *
 * The commands run in one scratch_folder, in order. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "scratch.h"

/* Runs a shell command in the folder, where PREFIX is what was installed; fails with what it printed. The caller frees that. */
static char *run(const char *command)
{
    char line[2048], path[256];
    scratch_path(path, scratch_folder, "printed");
    snprintf(line, sizeof line,
             "cd '%s' && export PREFIX=\"$PWD/prefix\" DOCS='%s/../docs' && "
             "export LIBRARY=\"$(dirname \"$(find prefix -name libconvzoo.a)\")\" && "
             "export PKG_CONFIG_PATH=\"$PWD/$LIBRARY/pkgconfig\" && ( %s ) >printed 2>&1", scratch_folder, TESTS_FOLDER, command);
    const int status = system(line);
    char *printed = scratch_read(path, &(size_t){ 0 });
    const size_t length = strlen(printed), shown = length < 600 ? length : 600;      /* cmocka's messages are short */
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        fail_msg("%.300s\n%s", command, printed + length - shown);
    return printed;
}

static void install(void **state)
{
    (void)state;
    assert_int_equal(mkdir(scratch_path((char[256]){ 0 }, scratch_folder, "prefix"), 0700), 0);
    free(run("cmake --install '" PROGRAMS_FOLDER "' --prefix \"$PREFIX\""));
    char *headers = run("cd \"$PREFIX/include\" && find . -type f");
    assert_string_equal(headers, "./convzoo.h\n");
    free(headers);
}

/* A page a program, with every option; bash completes programs, options and values. */
static void manual_and_completion(void **state)
{
    (void)state;
    free(run("cd \"$PREFIX/share/man/man1\" && for p in train evaluate predict report activations bench sweep summary; do "
             "grep -q \"^.TH convzoo-$p 1\" convzoo-$p.1 || { echo \"no page of $p\"; exit 1; }; done && "
             "[ \"$(\"$PREFIX/bin/convzoo\" train --help=names | wc -l)\" -gt 100 ] && "
             "\"$PREFIX/bin/convzoo\" train --help=names | cut -f1 | tr -d = | grep -v -e --no- -e --help -e --version | while read o; do "
             "tr -d '\\\\' <convzoo-train.1 | grep -q -e \"fB${o}f\" -e \"fB--no-${o#--}\" || { echo \"no $o\"; exit 1; }; done"));
    static const struct { const char *words, *expected; } cases[] = {
        { "convzoo tr",                      "train\n" },
        { "convzoo train --warmup-ep",       "--warmup-epochs=\n" },
        { "convzoo train --opt = adamw",     "adamw\n" },
        { "convzoo train --arch = le",       "lenet\n" },
        { "convzoo train --list-arch",       "--list-archs\n" },
        { "convzoo bench --dtype = b",       "bf16\n" },
        { "convzoo activations pl",          "plot\n" },
        { "convzoo activations choose --norm = la", "layer\n" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char command[1024];
        snprintf(command, sizeof command,
                 "PATH=$PREFIX/bin:$PATH bash -c 'compopt() { :; }; . \"$PREFIX/share/bash-completion/completions/convzoo\"; COMP_WORDS=(%s); "
                 "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _convzoo; printf \"%%s\\n\" \"${COMPREPLY[@]}\" | grep -v -e ^--no-list'", cases[i].words);
        char *printed = run(command);
        if (strcmp(printed, cases[i].expected))
            fail_msg("%s: completed as %s", cases[i].words, printed);
        free(printed);
    }
}

/* Exactly the functions of the header. */
static void exports_its_own_names_alone(void **state)
{
    (void)state;
    free(run("nm -g --defined-only \"$LIBRARY/libconvzoo.a\" | awk 'NF == 3 { print $3 }' | sort >exported && "
             "grep -o 'convzoo_[a-z_]*(' \"$PREFIX/include/convzoo.h\" | tr -d '(' | sort -u >declared && "
             "grep -q convzoo_model_new declared && diff declared exported"));
}

#define BY_CMAKE(language, source) \
    "mkdir made && cp \"$DOCS/embed.c\" made/" source " && printf 'cmake_minimum_required(VERSION 3.25)\\nproject(embedding " language ")\\n" \
    "find_package(convzoo REQUIRED)\\nadd_executable(embed " source ")\\ntarget_link_libraries(embed convzoo::convzoo)\\n' >made/CMakeLists.txt && " \
    "cmake -S made -B made -DCMAKE_PREFIX_PATH=\"$PREFIX\" && cmake --build made && cp made/embed ."

/* Each as C and, where there is a compiler, as C++: extern "C" is then needed. */
static void example_builds_and_learns(void **state)
{
    (void)state;
    static const struct { const char *command; bool is_cxx; } builds[] = {
        { "cc -std=c11 -Wall -Wextra -Werror \"$DOCS/embed.c\" $(pkg-config --cflags --libs convzoo) -o embed", false },
        { "cc -std=c11 -Wall -Wextra -Werror \"$DOCS/embed.c\" $(pkg-config --static --cflags --libs convzoo) -o embed", false },
        { "c++ -Wall -Werror -x c++ \"$DOCS/embed.c\" -x none $(pkg-config --cflags --libs convzoo) -o embed", true },
        /* none of the library's names is taken from the program that embeds it */
        { "echo 'int allocate, conv2d, train, stbi_load, error_set, lenet;' >names.c && cc -std=c11 -Wall -Werror \"$DOCS/embed.c\" names.c "
          "$(pkg-config --cflags --libs convzoo) -o embed", false },
        { BY_CMAKE("C", "embed.c"), false },
        { BY_CMAKE("CXX", "embed.cc"), true },
    };
    char *cxx = run("command -v c++ || true");
    for (size_t i = 0; i < sizeof builds / sizeof *builds; i++) {
        if (builds[i].is_cxx && !*cxx) {
            print_message("skipped: no C++ compiler: %s\n", builds[i].command);
            continue;
        }
        free(run("rm -rf embed made"));
        free(run(builds[i].command));
        char *printed = run("OMP_NUM_THREADS=2 OMP_THREAD_LIMIT=1 ./embed model.safetensors"), *at = printed;
        double first = 0.0, last = 0.0;
        int right = 0, of = 0;
        for (; (at = strstr(at, "loss ")) != NULL; at += 5) {
            last = atof(at + 5);
            first = first > 0.0 ? first : last;
        }
        at = strstr(printed, "right: ");
        if (!(last < 0.5 * first && at && sscanf(at, "right: %d of %d", &right, &of) == 2 && of == 32 && right >= 24))
            fail_msg("%s\n%s", builds[i].command, printed);
        free(printed);
    }
    free(cxx);
}

/* What it saved is a checkpoint like any other. */
static void programs_read_its_checkpoint(void **state)
{
    (void)state;
    char *printed = run("printf 'P5\\n2 2\\n255\\n\\1\\2\\3\\4' >dot.pgm && "
                        "'" PROGRAMS_FOLDER "/predict' model.safetensors dot.pgm --threads 1");
    if (!strstr(printed, "dot.pgm:") || !strstr(printed, "spots"))
        fail_msg("%s", printed);
    free(printed);
}

int main(void)
{
#ifdef __SANITIZE_ADDRESS__
    puts("the sanitizers' library is not one to install");
    return 77;
#endif
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(install),
        cmocka_unit_test(manual_and_completion),
        cmocka_unit_test(exports_its_own_names_alone),
        cmocka_unit_test(example_builds_and_learns),
        cmocka_unit_test(programs_read_its_checkpoint),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
