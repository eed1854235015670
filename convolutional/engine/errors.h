/* errors.h - three kinds of failure, three tools.
 *
 *   a user's mistake (flag, file, image)   Error: one line of text and an exit code, returned to the caller
 *   a programmer's mistake                 CHECK: prints where, what and both values, then aborts
 *   a oneDNN call                          DNNL: prints the call and its status, then aborts; out of memory exits
 *
 * A function that reads foreign bytes takes an `Error *` and returns false (or NULL) after
 * filling it, so that tests can reach every message. The text has the form
 * `what: where: what to do`; the program that prints it puts its own name in front. */

#ifndef CONVZOO_ERRORS_H
#define CONVZOO_ERRORS_H

#include <stdbool.h>
#include <stddef.h>

/* What a program's exit status says; 128+n after signal n. */
typedef enum {
    EXIT_ok = 0,
    EXIT_usage = 2,       /* unknown option, name or value */
    EXIT_input = 3,       /* a file that cannot be used */
    EXIT_folder = 4,      /* output folder busy or not writable */
    EXIT_memory = 5,      /* out of memory */
    EXIT_diverged = 6,    /* loss or gradient not finite */
    EXIT_write = 7,       /* I/O error while writing */
    EXIT_peer = 8,        /* a peer was lost */
} ExitCode;

typedef struct {
    ExitCode code;
    char     text[1024];
    bool     unread;      /* a system call failed: nothing is known of what the file holds */
    char     below[192];  /* printed below the text: two lines, part of what a person typed and a caret; "" if there is none */
} Error;

/* Fills `error` (unless NULL) with a formatted text; bytes that are not printable come out as \xHH.
 * Returns false, so that `return error_set(...)` reads well. */
bool error_set(Error *error, ExitCode code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Adds to an error that error_set has just filled what a person typed in one line, with a caret under the character at `place`. */
void error_point(Error *error, const char *typed, size_t place);

/* Prints `program: text` as one line on stderr, as text_printable shows it. */
void message_print(const char *text);

/* The same with the error's text, and what stands below it. */
void error_print(const Error *error);

/* From now on errors are handed to this function in place of being printed: where several processes are one job, which prints them
 * once. NULL: printed. A failed CHECK is printed in any case. */
void error_hand_to(void (*reader)(const Error *error));

/* Prints the error and exits with its code. For programs, not for the library. */
_Noreturn void error_exit(const Error *error);

/* The name that messages start with; the last part of `path` is kept. */
void        program_name_set(const char *path);
const char *program_name(void);

/* Behind CHECK and DNNL. */
_Noreturn void check_failed(const char *file, int line, const char *condition, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
_Noreturn void dnnl_failed(const char *file, int line, const char *call, int status);

/* Holds in release builds too. The text after the condition names the values:
 * CHECK(a == b, "add '%s': %d channels and %d", name, a, b) */
#define CHECK(condition, ...)                                            \
    do {                                                                 \
        if (!(condition))                                                \
            check_failed(__FILE__, __LINE__, #condition, __VA_ARGS__);   \
    } while (0)

/* Names the layer that oneDNN is about to be called for; NULL: none. The text must stay. */
void dnnl_layer(const char *name);

/* Every oneDNN status goes through this one. Out of memory exits with EXIT_memory. */
#define DNNL(call)                                                       \
    do {                                                                 \
        const int status_ = (int)(call);                                 \
        if (status_ != 0)                                                \
            dnnl_failed(__FILE__, __LINE__, #call, status_);             \
    } while (0)

/* Allocations that exit with EXIT_memory and a line when there is none left (but see memory_guard). Sizes are
 * overflow-checked; memory is zeroed and aligned to 64 bytes; release with free(). */
void *allocate(size_t count, size_t size, const char *what);

/* Exits likewise because a library got no memory; who: its name. Never told as damage of what was being read. */
_Noreturn void memory_exhausted(const char *who);
/* The same with a line of the caller's own, which has EXIT_memory. */
_Noreturn void memory_refused(const Error *error);

/* For a library's outermost calls, which must not end the process: runs work(context). Where this thread's memory runs out in it, the
 * work is given up where it stands, what it had taken by then is lost, and false and a line come back. Work that is shared among
 * threads still exits. Guards nest. */
bool memory_guard(void (*work)(void *context), void *context, Error *error);

/* Bytes that the system could give now, swap included; SIZE_MAX where it does not say. */
size_t memory_available(void);

#endif
