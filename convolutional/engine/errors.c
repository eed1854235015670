/* errors.c - messages and exits; see errors.h. */

#include "errors.h"

#include "sizes.h"
#include "text.h"

#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { CACHE_LINE = 64, HUGE_PAGE = 2 << 20, ASKED_FROM = 256 << 20 };

enum { RAW_MOST = 10000 };      /* bytes of a message before it is shortened: two paths of the longest kind */

enum { DNNL_STATUS_OUT_OF_MEMORY = 1 };

static char name_of_program[64] = "convzoo";

void program_name_set(const char *path)
{
    const char *slash = strrchr(path, '/');
    text_printable(slash ? slash + 1 : path, name_of_program, sizeof name_of_program);
}

const char *program_name(void)
{
    return name_of_program;
}

/* Leaves out the middle of a text that is too long: what is wrong stands at its beginning, what to do at its end. */
static void text_shorten(char *text, size_t most)
{
    static const char gap[] = "...";
    const size_t length = strlen(text), half = (most - strlen(gap)) / 2;
    if (length <= most)
        return;
    char *end = text + half;
    const char *rest = text + length - half;
    while (((unsigned char)*end & 0xC0) == 0x80)      /* not in the middle of a UTF-8 character */
        end--;
    while (((unsigned char)*rest & 0xC0) == 0x80)
        rest++;
    memcpy(end, gap, strlen(gap));
    memmove(end + strlen(gap), rest, strlen(rest) + 1);
}

bool error_set(Error *error, ExitCode code, const char *format, ...)
{
    if (!error)
        return false;
    char raw[RAW_MOST], printable[4 * RAW_MOST];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(raw, sizeof raw, format, arguments);
    va_end(arguments);
    error->code = code;
    error->unread = false;
    error->below[0] = '\0';
    text_printable(raw, printable, sizeof printable);
    text_shorten(printable, sizeof error->text - 1);
    memcpy(error->text, printable, strlen(printable) + 1);
    return false;
}

/* Of a long text the part around the place; each character takes one column. */
void error_point(Error *error, const char *typed, size_t place)
{
    enum { COLUMNS = 76 };
    const size_t length = strlen(typed), first = place < COLUMNS / 2 || length <= COLUMNS ? 0 : place - COLUMNS / 2;
    if (!error)
        return;
    char line[COLUMNS + 1];
    size_t shown = 0;
    for (; shown < COLUMNS && first + shown < length; shown++) {
        const unsigned char c = (unsigned char)typed[first + shown];
        line[shown] = c == '\t' || c == '\n' ? ' ' : (char)(c < ' ' || c > '~' ? '?' : c);
    }
    line[shown] = '\0';
    snprintf(error->below, sizeof error->below, "    %s\n    %*s^", line, (int)(place - first), "");
}

void message_print(const char *text)
{
    char printable[4 * RAW_MOST];
    text_printable(text, printable, sizeof printable);
    fprintf(stderr, "%s: %s\n", name_of_program, printable);
}

static void (*error_reader)(const Error *error);

void error_hand_to(void (*reader)(const Error *error))
{
    error_reader = reader;
}

void error_print(const Error *error)
{
    if (error_reader) {
        error_reader(error);
        return;
    }
    message_print(error->text);
    if (error->below[0])
        fprintf(stderr, "%s\n", error->below);
}

void error_exit(const Error *error)
{
    error_print(error);
    exit((int)error->code);
}

void check_failed(const char *file, int line, const char *condition, const char *format, ...)
{
    char text[RAW_MOST];
    const int length = snprintf(text, sizeof text, "%s:%d: CHECK(%s): ", file, line, condition);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + length, sizeof text - (size_t)length, format, arguments);
    va_end(arguments);
    message_print(text);
    abort();
}

/* ---- memory that runs out ---- */

typedef struct Guard {
    jmp_buf       back;
    Error        *error;
    struct Guard *outer;
} Guard;

static _Thread_local Guard *guard;

bool memory_guard(void (*work)(void *context), void *context, Error *error)
{
    Guard own = { .error = error, .outer = guard };
    volatile bool done = false;
    guard = &own;
    if (setjmp(own.back) == 0) {
        work(context);
        done = true;
    }
    guard = own.outer;
    return done;
}

void memory_refused(const Error *error)
{
    if (!guard || omp_in_parallel())
        error_exit(error);
    *guard->error = *error;
    longjmp(guard->back, 1);
}

void memory_exhausted(const char *who)
{
    Error error;
    error_set(&error, EXIT_memory, "out of memory: %s: use a smaller batch or image, or close other programs", who);
    memory_refused(&error);
}

static const char *layer;

void dnnl_layer(const char *name)
{
    layer = name;
}

void dnnl_failed(const char *file, int line, const char *call, int status)
{
    if (status == DNNL_STATUS_OUT_OF_MEMORY)
        memory_exhausted("oneDNN");
    fprintf(stderr, "%s: %s:%d: oneDNN status %d from %s in layer '%s'\n", name_of_program, file, line, status, call,
            layer ? layer : "");
    abort();
}

size_t memory_available(void)
{
    size_t available = 0, kilobytes;
    char line[128];
    FILE *file = fopen("/proc/meminfo", "re");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "MemAvailable: %zu kB", &kilobytes) == 1 || sscanf(line, "SwapFree: %zu kB", &kilobytes) == 1)
            available += kilobytes << 10;
    if (file)
        fclose(file);
    return available ? available : SIZE_MAX;
}

/* Linux promises more memory than there is, and kills the process that makes use of it: large blocks are asked for first. */
static bool is_available(size_t bytes)
{
    return bytes < ASKED_FROM || bytes <= memory_available();
}

/* Kernels read many streams side by side: with small pages the processor spends a good part of the time looking up where they are. */
static void *allocate_pages(size_t bytes)
{
    void *memory = is_available(bytes) ? aligned_alloc(HUGE_PAGE, bytes) : NULL;
    if (memory)
        madvise(memory, bytes, MADV_HUGEPAGE);      /* a wish: a system without huge pages does as well */
    return memory;
}

static _Noreturn void out_of_memory(size_t count, size_t size, const char *what)
{
    Error error;
    error_set(&error, EXIT_memory, "out of memory: %s needs %zu x %zu bytes: use a smaller batch or image", what, count, size);
    memory_refused(&error);
}

void *allocate(size_t count, size_t size, const char *what)
{
    size_t bytes;
    if (size_multiply(count, size, &bytes) &&
        size_round_up(bytes ? bytes : 1, bytes >= HUGE_PAGE ? HUGE_PAGE : CACHE_LINE, &bytes)) {
        void *memory = bytes >= HUGE_PAGE ? allocate_pages(bytes) : aligned_alloc(CACHE_LINE, bytes);
        if (memory)
            return memset(memory, 0, bytes);
    }
    out_of_memory(count, size, what);
}
