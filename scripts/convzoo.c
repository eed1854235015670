/* convzoo.c - the programs under one name: `convzoo train ...` becomes train, which lies in ../libexec/convzoo where convzoo is
 * installed, and beside this program in a build. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common_options.h"
#include "names.h"
#include "own_folder.h"
#include "text.h"

static const struct { const char *name, *about; } programs[] = {
    { "train",       "train a network on images" },
    { "evaluate",    "measure a trained network on a data set" },
    { "predict",     "classify images with a trained network" },
    { "report",      "a page about runs: curves, mistakes, layers, settings" },
    { "activations", "see, measure and compare activation functions" },
    { "summary",     "print or draw a network's layers" },
    { "sweep",       "train in several ways, each with several seeds, and compare" },
    { "bench",       "measure the speed of training and inference" },
};

enum { PROGRAMS = sizeof programs / sizeof *programs };

static void print_help(void)
{
    printf("Usage: convzoo PROGRAM [OPTION...] [ARGUMENT...]\n"
           "Train small networks for images, on the processor, and use them.\n");
    for (int i = 0; i < PROGRAMS; i++)
        printf("  %-14s %s\n", programs[i].name, programs[i].about);
    printf("  %-14s %s\n", "help PROGRAM", "the same as PROGRAM --help");
    printf("Examples:\n"
           "  convzoo train --arch convnext --act gelu\n"
           "  convzoo predict runs/convnext_tiny-gelu-1/best.safetensors photo.jpg\n");
}

static bool unknown(const char *word, Error *error)
{
    NameSearch search = { .wrong = word };
    for (int i = 0; i < PROGRAMS; i++)
        names_consider(&search, programs[i].name, NULL);
    return names_unknown(&search, *word == '-' ? "unknown option" : "unknown program", "", "convzoo --help", error);
}

/* Becomes the program; returns only if that fails. arguments[0] is replaced by the name that its messages begin with. */
static bool become(const char *name, char **arguments, Error *error)
{
    static const char *const places[] = { CONVZOO_LIBEXEC, "." };      /* other programs may lie beside an installed one */
    char *folder = own_folder(error);
    if (!folder)
        return false;
    arguments[0] = text_format("convzoo %s", name);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char *path = text_format("%s/%s/%s", folder, places[i], name);
        execv(path, arguments);
        if (errno != ENOENT && errno != ENOTDIR)
            return error_set(error, EXIT_input, "cannot run: %s: %s: install convzoo again", path, strerror(errno));
        free(path);
    }
    return error_set(error, EXIT_input, "no such program: %s/%s/%s: build or install all of convzoo", folder, CONVZOO_LIBEXEC, name);
}

static bool run(int argc, char **argv, Error *error)
{
    const char *word = argc > 1 ? argv[1] : "--help";
    const bool wants_help = names_match("help", word, strlen(word)) && argc > 2;
    if (wants_help)
        word = argv[2];
    for (int i = 0; i < PROGRAMS; i++)
        if (names_match(programs[i].name, word, strlen(word)))
            return become(programs[i].name, wants_help ? (char *[]){ NULL, "--help", NULL } : argv + 1, error);
    if (!strcmp(word, "-h") || names_match("help", word, strlen(word)))
        print_help();
    else if (names_match("version", word, strlen(word)))
        printf("convzoo %s\n", CONVZOO_VERSION);
    else
        return unknown(word, error);
    return output_flush(error);
}

int main(int argc, char **argv)
{
    Error error;
    program_name_set("convzoo");
    if (!run(argc, argv, &error))
        error_exit(&error);
    return EXIT_ok;
}
