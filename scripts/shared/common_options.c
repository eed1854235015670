/* common_options.c - see common_options.h. */

#include "common_options.h"

#include "terminal.h"
#include "text.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DELETE = 0x7F };

void note_print(void *context, const char *text)
{
    char printable[4096], line[4096 + 128];
    (void)context;
    text_printable(text, printable, sizeof printable);
    snprintf(line, sizeof line, "%.100s: %s", program_name(), printable);
    terminal_print(stderr, line, terminal_columns(STDERR_FILENO));
}

bool output_flush(Error *error)
{
    const bool failed = ferror(stdout) != 0;      /* before: errno has long been another's */
    return (fflush(stdout) == 0 && !failed) ||
           error_set(error, EXIT_write, "cannot write: standard output: %s: send it elsewhere",
                     failed ? "an earlier line was lost" : strerror(errno));
}

void print_printable(const char *text)
{
    char *copy = allocate(4 * strlen(text) + 8, 1, "a text");
    text_printable(text, copy, 4 * strlen(text) + 8);
    fputs(copy, stdout);
    free(copy);
}

void print_csv_text(const char *text)
{
    if (!text[strcspn(text, ",\"")]) {
        print_printable(text);
        return;
    }
    putchar('"');
    for (const char *quote; (quote = strchr(text, '"')) != NULL; text = quote + 1) {
        char *before = text_format("%.*s", (int)(quote - text), text);
        print_printable(before);
        fputs("\"\"", stdout);
        free(before);
    }
    print_printable(text);
    putchar('"');
}

void print_json_string(const char *text)
{
    char *copy = text_copy(text), *shown = NULL;
    json_t *string = json_string(copy);
    if (!string) {
        for (char *byte = copy; *byte; byte++)
            if (*byte & 0x80)
                *byte = '?';
        string = json_string(copy);
    }
    shown = string ? json_dumps(string, JSON_ENCODE_ANY | (text_is_printable(copy) ? 0 : JSON_ENSURE_ASCII)) : NULL;
    for (const char *byte = shown ? shown : "\"?\""; *byte; byte++)
        printf(*byte == DELETE ? "\\u%04X" : "%c", *byte);      /* jansson leaves this one as it is */
    free(shown);
    json_decref(string);
    free(copy);
}
