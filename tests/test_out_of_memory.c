/* test_out_of_memory.c - whoever gets no memory, convzoo or a library, the program ends with EXIT_memory and a line: it is never
 * told as damage, never skipped, and nothing is compared as equal.
 *
 * Each case runs in a process of its own, again and again: first its first allocation fails, then a later one,
 * in growing steps, until none does. */

#define _GNU_SOURCE      /* dladdr */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <jpeglib.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands.h"
#include "image.h"
#include "library_memory.h"
#include "model.h"
#include "run_settings.h"
#include "scratch.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

enum { SANITIZED = 1 };                 /* the sanitizer has a malloc of its own */
static void fail_at(long number, bool of_new)
{
    (void)number;
    (void)of_new;
}
static bool failed(void)
{
    return false;
}

#else

enum { SANITIZED = 0 };

/* glibc lets a program bring its own malloc, which every library then uses. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static long left_to_failure;            /* 0: nothing fails, or it has */
static bool new_alone, has_failed;

/* At the given allocation from now on; of_new: only what C++'s operator new asks for counts. */
static void fail_at(long number, bool of_new)
{
    new_alone = of_new;
    has_failed = false;
    left_to_failure = number;
}

static bool failed(void)
{
    return has_failed;
}

static bool fails(const void *caller)
{
    Dl_info from;
    if (left_to_failure == 0 || (new_alone && !(dladdr(caller, &from) && strstr(from.dli_fname, "libstdc++"))))
        return false;
    has_failed = --left_to_failure == 0;
    if (has_failed)
        errno = ENOMEM;
    return has_failed;
}

#define FAILS fails(__builtin_return_address(0))

void *malloc(size_t size)
{
    return FAILS ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return FAILS ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return FAILS ? NULL : __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return FAILS ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **pointer, size_t alignment, size_t size)
{
    *pointer = FAILS ? NULL : __libc_memalign(alignment, size);
    return *pointer ? 0 : ENOMEM;
}

#endif

enum { MOST = 1000000, SURVIVED = 100 };

/* Each returns true if it came to the right end. */
typedef bool Work(void);

/* How it ends when its allocation of this number fails: an exit code, or SURVIVED if there are not so many. */
static int end_of(Work *work, long number, bool of_new)
{
    int status;
    fflush(NULL);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(1);
        fail_at(number, of_new);
        const bool right = work();
        const bool used = failed();
        fail_at(0, false);
        _exit(!right ? 1 : used ? EXIT_ok : SURVIVED);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- what is done ---- */

static uint8_t bytes[1 << 16];
static size_t  byte_count;
static char    checkpoint[256];

static bool decode(void)
{
    Image image;
    Error error;
    if (!image_decode(bytes, byte_count, "image.tga", &(ImageOptions){ 0 }, &image, &error))
        return false;
    free(image.pixels);
    return true;
}

static bool measure(void)
{
    ImageSize size;
    Error error;
    return image_measure(bytes, byte_count, "image.tga", &(ImageOptions){ 0 }, &size, &error);
}

/* Never equal, whatever is missing. */
static bool compare(void)
{
    Error error;
    return !run_settings_match("{\"lr\":0.1,\"arch\":\"lenet\"}", "{\"lr\":0.2,\"arch\":\"lenet\"}", "a run", &error) &&
           strstr(error.text, "--lr was 0.1 and is 0.2");
}

static bool open_checkpoint(void)
{
    Model model;
    Error error;
    if (!model_open(checkpoint, &model, &error))
        return false;
    model_close(&model);
    return true;
}

static bool compile(void)
{
    Model model;
    Error error;
    const Plan plan = { .layout = LAYOUT_blocked };
    if (!model_open(checkpoint, &model, &error))
        return false;
    Program *program = program_compile(model.network, &plan, PURPOSE_inference, 2);
    program_image(program);      /* of zeros */
    program_forward(program);
    program_free(program);
    model_close(&model);
    return true;
}

/* ---- inputs ---- */

static void make_jpeg(void)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *out = NULL;
    unsigned long count = 0;
    JSAMPLE row[16 * 3] = { 0 };
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &out, &count);
    jpeg.image_width = jpeg.image_height = 16;
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_simple_progression(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < 16)
        jpeg_write_scanlines(&jpeg, &(JSAMPROW){ row }, 1);
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    assert_true(count <= sizeof bytes);
    memcpy(bytes, out, byte_count = count);
    free(out);
}

static void make_png(void)
{
    static const uint8_t pixels[16 * 16 * 3];
    png_image png = { .version = PNG_IMAGE_VERSION, .width = 16, .height = 16, .format = PNG_FORMAT_RGB };
    byte_count = sizeof bytes;
    assert_true(png_image_write_to_memory(&png, bytes, &byte_count, 0, pixels, 0, NULL));
}

static void make_ppm(void)
{
    memset(bytes, 7, sizeof bytes);
    byte_count = 13 + 16 * 16 * 3;
    memcpy(bytes, "P6\n16 16\n255\n", 13);
}

/* Uncompressed, 24 bits a pixel; without a signature, the name says what it is. */
static void make_tga(void)
{
    static const uint8_t header[18] = { [2] = 2, [12] = 16, [14] = 16, [16] = 24, [17] = 0x20 };
    memset(bytes, 7, sizeof bytes);
    byte_count = sizeof header + 16 * 16 * 3;
    memcpy(bytes, header, sizeof header);
}

static void make_nothing(void)
{
}

static void test_ends(void **state)
{
    (void)state;
    static const struct { const char *name; void (*make)(void); Work *work; bool of_new; int least; } cases[] = {
        { "decode JPEG",         make_jpeg,    decode,          false, 4 },
        { "measure JPEG",        make_jpeg,    measure,         false, 1 },
        { "decode PNG",          make_png,     decode,          false, 4 },
        { "measure PNG",         make_png,     measure,         false, 1 },
        { "decode PPM",          make_ppm,     decode,          false, 1 },
        { "decode TGA",          make_tga,     decode,          false, 1 },
        { "compare settings",    make_nothing, compare,         false, 8 },
        { "open a checkpoint",   make_nothing, open_checkpoint, false, 50 },
        { "compile, run: new",   make_nothing, compile,         true,  20 },
    };
    if (SANITIZED) {
        print_message("skipped: the sanitizer brings a malloc of its own, which does not fail\n");
        skip();
    }
    library_memory_guard();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        long number = 1, ended = 0;
        cases[i].make();
        for (int code; (code = end_of(cases[i].work, number, cases[i].of_new)) != SURVIVED; number += 1 + number / 12) {
            if (number > MOST || (code != EXIT_memory && code != EXIT_ok))
                fail_msg("%s: allocation %ld fails: exit code %d, expected %d", cases[i].name, number, code, EXIT_memory);
            ended += code == EXIT_memory;
        }
        if (ended < cases[i].least)
            fail_msg("%s: %ld of %ld failures ended it, expected at least %d", cases[i].name, ended, number, cases[i].least);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_ends) };
    char *out, *err;
    scratch_new(folder);
    if (!SANITIZED && run("train lenet --data shapes --limit 64 -b 32 --threads 1 -q --output base --max-steps 1", &out, &err) == 0) {
        free(out);
        free(err);
    }
    scratch_path(checkpoint, folder, "base/last.safetensors");
    const int failures = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_remove(folder);
    return failures;
}
