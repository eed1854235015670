/* test_safetensors_metadata.c - other texts in the metadata of a file that another program wrote. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "safetensors.h"
#include "scratch.h"

static char file[256], link_name[256];

/* Tensors in an order that is not ours, and what precedes them. */
static const char data[] = "aaaabbbbbbbbcc";

static void write_file(const char *metadata)
{
    char bytes[1024] = { 0 };
    const int length = snprintf(bytes + 8, sizeof bytes - 8,
                                "{%s\"z\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
                                "\"n\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[4,12]},\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[12,14]}}",
                                metadata);
    bytes[0] = (char)(length & 255);
    bytes[1] = (char)(length >> 8);
    memcpy(bytes + 8 + length, data, sizeof data - 1);
    scratch_write(file, bytes, (size_t)(8 + length) + sizeof data - 1);
}

static void check_file(const char *key, const char *expected, const char *other)
{
    Error error = { 0 };
    size_t count;
    Safetensors *opened = safetensors_open(file, &error);
    if (!opened)
        fail_msg("%s", error.text);
    const char *text = safetensors_metadata(opened, key), *kept = safetensors_metadata(opened, "format");
    if (expected ? !text || strcmp(text, expected) : text != NULL)
        fail_msg("'%s' is '%s', expected '%s'", key, text ? text : "none", expected ? expected : "none");
    assert_true(other ? kept && !strcmp(kept, other) : !kept);
    assert_int_equal(safetensors_count(opened), 3);
    assert_string_equal(safetensors_entry(opened, 1)->name, "n");
    safetensors_close(opened);
    char *bytes = scratch_read(file, &count);
    assert_true(count > sizeof data && (count - (sizeof data - 1)) % 8 == 0);
    assert_memory_equal(bytes + count - (sizeof data - 1), data, sizeof data - 1);
    free(bytes);
}

static void texts(void **state)
{
    (void)state;
    static const struct { const char *before, *value, *other; } cases[] = {
        { "", "1.25", NULL },
        { "\"__metadata__\":{\"format\":\"pt\"},", "1.25", "pt" },
        { "\"__metadata__\":{\"temperature\":\"7\",\"format\":\"pt\"},", "0.5", "pt" },
        { "\"__metadata__\":{\"temperature\":\"7\",\"format\":\"pt\"},", NULL, "pt" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Error error = { 0 };
        write_file(cases[i].before);
        if (!safetensors_set_metadata(file, &(SafetensorsText){ "temperature", cases[i].value }, 1, &error))
            fail_msg("case %zu: %s", i, error.text);
        check_file("temperature", cases[i].value, cases[i].other);
    }
}

/* A link stays one; what it leads to is replaced. */
static void links(void **state)
{
    (void)state;
    Error error = { 0 };
    struct stat about;
    write_file("");
    assert_int_equal(symlink(file, link_name), 0);
    assert_true(safetensors_set_metadata(link_name, &(SafetensorsText){ "temperature", "2" }, 1, &error));
    assert_int_equal(lstat(link_name, &about), 0);
    assert_true(S_ISLNK(about.st_mode));
    check_file("temperature", "2", NULL);
}

static void refusals(void **state)
{
    (void)state;
    Error error = { 0 };
    const SafetensorsText text = { "temperature", "2" };
    size_t count;
    char path[256];
    assert_false(safetensors_set_metadata(scratch_path(path, scratch_folder, "none"), &text, 1, &error));
    assert_int_equal(error.code, EXIT_input);
    write_file("\"__metadata__\":{\"" SAFETENSORS_CHECKSUM "\":\"00000000\"},");
    char *before = scratch_read(file, &count);
    assert_false(safetensors_set_metadata(file, &text, 1, &error));
    assert_int_equal(error.code, EXIT_input);
    assert_true(scratch_holds(file, before, count));
    free(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(texts), cmocka_unit_test(links), cmocka_unit_test(refusals) };
    scratch_new(scratch_folder);
    scratch_path(file, scratch_folder, "x.safetensors");
    scratch_path(link_name, scratch_folder, "link.safetensors");
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_remove(scratch_folder);
    return failed;
}
