/* test_safetensors.c - what is written is read again, byte for byte as the format says; what is wrong is refused. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "safetensors.h"
#include "scratch.h"

static char folder[256], file[256];

static int setup(void **state)
{
    (void)state;
    scratch_new(folder);
    scratch_path(file, folder, "x.safetensors");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    scratch_remove(folder);
    return 0;
}

/* Writes a file of a header (its length in front, not padded) and `data` zero bytes. */
static void write_header(const char *header, size_t length, size_t data)
{
    const uint64_t field = length;
    char *bytes = allocate(8 + length + data, 1, "a file");
    memcpy(bytes, &field, 8);
    memcpy(bytes + 8, header, length);
    scratch_write(file, bytes, 8 + length + data);
    free(bytes);
}

static void check_open(const char *name, const char *expected)
{
    Error error = {0};
    Safetensors *opened = safetensors_open(file, &error);
    safetensors_close(opened);
    const bool as_expected = expected
                                 ? !opened && error.code == EXIT_input && strstr(error.text, expected) && strstr(error.text, file)
                                 : opened != NULL;
    if (!as_expected)
        fail_msg("%s: '%s', expected '%s'", name, error.text, expected ? expected : "no error");
}

/* ---- hostile headers ---- */

#define W(text)   "{\"w\":{" text "}}"                       /* one tensor */
#define T         "\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]"
#define D(dims)   "\"dtype\":\"F32\",\"shape\":" dims ",\"data_offsets\":[0,8]"
#define O(pair)   "\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":" pair
#define M(text)   "{\"__metadata__\":" text ",\"w\":{" T "}}"
#define U(pair)   "{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[" pair "]}"
#define AB(a, b)  "{\"a\":" U(a) ",\"b\":" U(b) "}"

static const struct {
    const char *name, *header;
    size_t      data;
    const char *expected;      /* NULL: the file is good */
} cases[] = {
    { "one tensor",            W(T),                                             8, NULL },
    { "no tensor",             "{}",                                             0, NULL },
    { "padded",                W(T) "    ",                                      8, NULL },
    { "spaces within",         "{ \"w\" :\n{" T "} }",                           8, NULL },
    { "metadata",              M("{\"k\":\"v\",\"\":\"\"}"),                     8, NULL },
    { "escapes",               "{\"\\u00e9\\ud83d\\ude00\":{" T "}}",            8, NULL },
    { "scalar",                W("\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]"), 8, NULL },
    { "empty tensor",          W("\"dtype\":\"F32\",\"shape\":[0,3],\"data_offsets\":[0,0]"), 0, NULL },
    { "rank 8",                W(D("[1,1,1,1,1,1,1,2]")),                        8, NULL },
    { "other order",           AB("4,8", "0,4"),                                 8, NULL },

    { "array",                 "[" W(T) "]",                                     8, "expected '{'" },
    { "byte order mark",       "\xEF\xBB\xBF" W(T),                              8, "byte 0xEF" },
    { "space in front",        " " W(T),                                         8, "byte 0x20" },
    { "newline at the end",    W(T) "\n",                                        8, "does not end in '}'" },
    { "two objects",           W(T) "{}",                                        8, "not valid JSON" },
    { "unclosed",              "{\"w\":{" T "}",                                 8, "not valid JSON" },
    { "no quotes",             "{w:{" T "}}",                                    8, "not valid JSON" },
    { "comma at the end",      "{\"w\":{" T "},}",                               8, "not valid JSON" },
    { "not UTF-8",             "{\"\xFF\":{" T "}}",                             8, "not valid JSON" },
    { "overlong UTF-8",        "{\"\xC0\xAF\":{" T "}}",                         8, "not valid JSON" },
    { "lone surrogate",        "{\"\\ud800\":{" T "}}",                          8, "not valid JSON" },
    { "bad escape",            "{\"\\x\":{" T "}}",                              8, "not valid JSON" },
    { "escaped NUL",           "{\"\\u0000\":{" T "}}",                          8, "not valid JSON" },
    { "control in a name",     "{\"a\\nb\":{" T "}}",                            8, "control character" },
    { "no name",               "{\"\":{" T "}}",                                 8, "has 0 bytes, expected 1 to 255" },
    { "same name",             "{\"w\":{" T "},\"w\":{" T "}}",                  8, "duplicate name" },
    { "same name, escaped",    "{\"w\":{" T "},\"\\u0077\":{" T "}}",            8, "duplicate name" },
    { "same key in a tensor",  W(T ",\"shape\":[2]"),                            8, "duplicate name" },
    { "same metadata",         M("{\"k\":\"v\",\"k\":\"v\"}"),                   8, "duplicate name" },
    { "same __metadata__",     "{\"__metadata__\":{},\"__metadata__\":{},\"w\":{" T "}}", 8, "duplicate name" },
    { "metadata: a list",      M("[]"),                                          8, "__metadata__ is not an object" },
    { "metadata: a number",    M("{\"k\":1}"),                                   8, "metadata 'k' is not a text" },
    { "metadata: nested",      M("{\"k\":{\"l\":\"m\"}}"),                       8, "metadata 'k' is not a text" },
    { "too deep",              W("\"dtype\":\"F32\",\"shape\":[[[1]]],\"data_offsets\":[0,8]"), 8, "more than 4 deep" },
    { "tensor: a list",        "{\"w\":[" "1" "]}",                              8, "exactly the keys" },
    { "tensor: null",          "{\"w\":null}",                                   8, "exactly the keys" },
    { "no dtype",              W("\"shape\":[2],\"data_offsets\":[0,8]"),        8, "exactly the keys" },
    { "other key for shape",   W("\"dtype\":\"F32\",\"shapes\":[2],\"data_offsets\":[0,8]"), 8, "exactly the keys" },
    { "one key more",          W(T ",\"strides\":[1]"),                          8, "exactly the keys" },
    { "unknown dtype",         W("\"dtype\":\"F8_E4M3\",\"shape\":[8],\"data_offsets\":[0,8]"), 8, "dtype F8_E4M3" },
    { "dtype in small",        W("\"dtype\":\"f32\",\"shape\":[2],\"data_offsets\":[0,8]"), 8, "dtype f32" },
    { "dtype: a number",       W("\"dtype\":32,\"shape\":[2],\"data_offsets\":[0,8]"), 8, "has dtype of no text" },
    { "shape: a number",       W(D("2")),                                        8, "has a shape that is not a list" },
    { "shape: an object",      W(D("{\"0\":2}")),                                8, "has a shape that is not a list" },
    { "rank 9",                W(D("[1,1,1,1,1,1,1,1,2]")),                      8, "has a shape that is not a list" },
    { "negative",              W(D("[-2]")),                                     8, "negative or not whole" },
    { "minus zero",            W(D("[2,-0]")),                                   8, "negative or not whole" },
    { "fraction",              W(D("[2.0]")),                                    8, "negative or not whole" },
    { "exponent",              W(D("[2e0]")),                                    8, "not a whole number up to 2^48" },
    { "leading zero",          W(D("[02]")),                                     8, "not valid JSON" },
    { "dimension: a text",     W(D("[\"2\"]")),                                  8, "not a whole number up to 2^48" },
    { "dimension: true",       W(D("[true]")),                                   8, "not a whole number up to 2^48" },
    { "dimension over 2^48",   W(D("[0,281474976710657]")),                      8, "not a whole number up to 2^48" },
    { "dimension over 2^63",   W(D("[9223372036854775808]")),                    8, "not valid JSON" },
    { "product overflows",     W(D("[4194305,4194305,211106198978564]")),        8,
                               "tensor size overflows: 'w' shape [4194305,4194305,211106198978564]" },
    { "product is 2^64 + 8",   W(D("[2,281474976710656,65536]")),                8, "tensor size overflows" },
    { "offsets: one",          W(O("[8]")),                                      8, "not two whole numbers" },
    { "offsets: three",        W(O("[0,8,8]")),                                  8, "not two whole numbers" },
    { "offsets: texts",        W(O("[\"0\",\"8\"]")),                            8, "not two whole numbers" },
    { "offsets: negative",     W(O("[-8,0]")),                                   8, "negative or not whole" },
    { "offsets: over 2^63",    W(O("[0,18446744073709551615]")),                 8, "not valid JSON" },
    { "ends before it begins", W(O("[8,0]")),                                    8, "ends before it begins" },
    { "too few bytes",         W(O("[0,7]")),                                    7, "needs 8 bytes, its data_offsets hold 7" },
    { "too many bytes",        W(O("[0,12]")),                                  12, "needs 8 bytes, its data_offsets hold 12" },
    { "does not begin at 0",   W(O("[8,16]")),                                  16, "begins at 8, expected 0" },
    { "overlap",               AB("0,4", "2,6"),                                 8, "'b' begins at 2, expected 4" },
    { "same bytes",            AB("0,4", "0,4"),                                 8, "begins at 0, expected 4" },
    { "hole",                  AB("0,4", "5,9"),                                 9, "'b' begins at 5, expected 4" },
    { "data missing",          W(T),                                             7, "checkpoint truncated" },
    { "data too long",         W(T),                                             9, "bytes after the last tensor" },
    { "data without a tensor", "{}",                                             1, "bytes after the last tensor" },
};

static void headers(void **state)
{
    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        write_header(cases[c].header, strlen(cases[c].header), cases[c].data);
        check_open(cases[c].name, cases[c].expected);
    }
}

/* Files that are wrong before their header is JSON. */
static void starts(void **state)
{
    (void)state;
    static const struct { const char *name; const char *bytes; size_t count; const char *expected; } files[] = {
        { "empty",                  "",                                       0,  "it has 0 bytes, at least 10" },
        { "nine bytes",             "\1\0\0\0\0\0\0\0{",                      9,  "it has 9 bytes, at least 10" },
        { "length 0",               "\0\0\0\0\0\0\0\0{}",                     10, "header length 0, expected 2 to 16,777,216" },
        { "length 1",               "\1\0\0\0\0\0\0\0{}",                     10, "header length 1" },
        { "length of all",          "\3\0\0\0\0\0\0\0{}",                     10, "checkpoint truncated" },
        { "length 2^64 - 1",        "\xff\xff\xff\xff\xff\xff\xff\xff{}",     10, "header length 18,446,744,073,709,551,615" },
        { "length 2^64 - 8",        "\xf8\xff\xff\xff\xff\xff\xff\xff{}",     10, "header length 18,446,744,073,709,551,608" },
        { "length over 16 MiB",     "\1\0\0\1\0\0\0\0{}",                     10, "header length 16,777,217" },
        { "only spaces",            "\4\0\0\0\0\0\0\0    ",                   12, "byte 0x20, expected '{'" },
        { "NUL in the header",      "\4\0\0\0\0\0\0\0{\0 }",                  12, "holds a NUL byte" },
        { "a zip archive",          "PK\3\4\0\0\0\0\0\0\0\0",                 12, "a zip archive, as torch.save writes" },
    };
    for (size_t c = 0; c < sizeof files / sizeof *files; c++) {
        scratch_write(file, files[c].bytes, files[c].count);
        check_open(files[c].name, files[c].expected);
    }
}

/* Text repeated: what would cost memory out of proportion. */
static void excesses(void **state)
{
    (void)state;
    static const struct { const char *name, *head, *repeated, *tail; int times; const char *expected; } files[] = {
        { "name of 255",        "{\"",                      "n", "\":{" T "}}",             255,     NULL },
        { "name of 256",        "{\"",                      "n", "\":{" T "}}",             256,     "has 256 bytes" },
        { "metadata of 8 MiB",  "{\"__metadata__\":{\"k\":\"", "m", "\"},\"w\":{" T "}}",   8388607, NULL },
        { "metadata over that", "{\"__metadata__\":{\"k\":\"", "m", "\"},\"w\":{" T "}}",   8388608, "more than 8 MiB" },
        { "lists in a shape",   "{\"w\":{\"shape\":[",      "[],", "[]]}}",                 400000,  "more than 100,000 tensors" },
        { "long shape",         "{\"w\":{\"shape\":[",      "1,", "1]}}",                   1300000, "more than 100,000 tensors" },
        { "brackets",           "{\"w\":",                  "[", "}",                       100000,  "more than 4 deep" },
    };
    for (size_t c = 0; c < sizeof files / sizeof *files; c++) {
        const size_t unit = strlen(files[c].repeated), head = strlen(files[c].head), tail = strlen(files[c].tail);
        const size_t length = head + unit * (size_t)files[c].times + tail;
        char *text = allocate(length + 1, 1, "a header");
        memcpy(text, files[c].head, head);
        for (int i = 0; i < files[c].times; i++)
            memcpy(text + head + (size_t)i * unit, files[c].repeated, unit);
        memcpy(text + length - tail, files[c].tail, tail);
        write_header(text, length, 8);
        free(text);
        check_open(files[c].name, files[c].expected);
    }
}

static void special_files(void **state)
{
    (void)state;
    char path[256];
    Error error;
    static const struct { const char *path, *expected; } files[] = {
        { "/dev/null", "not a regular file" },        { "/", "not a regular file" },
        { "/none/x",   "No such file or directory" }, { "",  "cannot open" },
    };
    for (size_t c = 0; c < sizeof files / sizeof *files; c++) {
        assert_null(safetensors_open(files[c].path, &error));
        assert_int_equal(error.code, EXIT_input);
        assert_non_null(strstr(error.text, files[c].expected));
    }
    assert_int_equal(mkfifo(scratch_path(path, folder, "fifo"), 0600), 0);
    alarm(20);                                        /* waiting for a writer would last for ever */
    assert_null(safetensors_open(path, &error));
    alarm(0);
    assert_non_null(strstr(error.text, "not a regular file"));
}

/* ---- writing and reading again ---- */

typedef struct Source { const void *bytes; size_t count; } Source;

static void source_fill(const void *context, void *data)
{
    const Source *source = context;
    memcpy(data, source->bytes, source->count);
}

static const float    f32[6] = { 1.5f, -0.0f, INFINITY, 3.4e38f, 1e-45f, -2 };
static const double   f64[2] = { 0.1, -1e300 };
static const uint16_t f16[8] = { 0x3C00, 0xC000, 0x0001, 0x7BFF, 0xFC00, 0x8000, 0x7E00, 0x03FF };
static const float    f16_values[8] = { 1, -2, 0x1p-24f, 65504, -INFINITY, -0.0f, NAN, 1023 * 0x1p-24f };
static const uint16_t bf16[3] = { 0x3F80, 0xC0A0, 0x7F80 };
static const float    bf16_values[3] = { 1, -5, INFINITY };
static const int64_t  i64[1] = { -9000000000 };
static const int32_t  i32[3] = { -1, 2147483647, 7 };
static const uint8_t  u8[3] = { 0, 255, 9 };

static const struct {
    const char *name;
    Dtype       dtype;
    int         rank;
    int64_t     shape[2];
    Source      source;
} tensors[] = {
    { "u",        DTYPE_U8,   1, { 3 },    { u8,   sizeof u8 } },
    { "f32.b",    DTYPE_F32,  2, { 2, 3 }, { f32,  sizeof f32 } },
    { "half",     DTYPE_F16,  1, { 8 },    { f16,  sizeof f16 } },
    { "counter",  DTYPE_I64,  0, { 0 },    { i64,  sizeof i64 } },
    { "f32.a",    DTYPE_F32,  1, { 6 },    { f32,  sizeof f32 } },
    { "f32.none", DTYPE_F32,  2, { 0, 3 }, { f32,  0 } },
    { "i",        DTYPE_I32,  1, { 3 },    { i32,  sizeof i32 } },
    { "brain",    DTYPE_BF16, 1, { 3 },    { bf16, sizeof bf16 } },
    { "wide",     DTYPE_F64,  1, { 2 },    { f64,  sizeof f64 } },
};
enum { TENSORS = sizeof tensors / sizeof *tensors };

/* The checksum is of the data part. */
static const char expected_header[] =
    "{\"__metadata__\":{\"format\":\"pt\",\"classes\":\"[\\\"caf\xC3\xA9\\\"]\",\"data_crc32\":\"%08x\"},"
    "\"counter\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]},"
    "\"wide\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[8,24]},"
    "\"f32.a\":{\"dtype\":\"F32\",\"shape\":[6],\"data_offsets\":[24,48]},"
    "\"f32.b\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[48,72]},"
    "\"f32.none\":{\"dtype\":\"F32\",\"shape\":[0,3],\"data_offsets\":[72,72]},"
    "\"i\":{\"dtype\":\"I32\",\"shape\":[3],\"data_offsets\":[72,84]},"
    "\"brain\":{\"dtype\":\"BF16\",\"shape\":[3],\"data_offsets\":[84,90]},"
    "\"half\":{\"dtype\":\"F16\",\"shape\":[8],\"data_offsets\":[90,106]},"
    "\"u\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[106,109]}}";

static bool write_all(bool backwards, const char *path, Error *error)
{
    SafetensorsWriter *writer = safetensors_writer_new();
    safetensors_writer_metadata(writer, "format", "pt");
    safetensors_writer_metadata(writer, "classes", "[\"caf\xC3\xA9\"]");
    for (int i = 0; i < TENSORS; i++) {
        const int k = backwards ? TENSORS - 1 - i : i;
        safetensors_writer_add(writer, tensors[k].name, tensors[k].dtype, tensors[k].rank, tensors[k].shape,
                               source_fill, &tensors[k].source);
    }
    const bool ok = safetensors_write(writer, path, NULL, error);
    safetensors_writer_free(writer);
    return ok;
}

/* CRC-32 as ISO 3309 has it, bit by bit. */
static uint32_t checksum_of(const char *data, size_t count)
{
    uint32_t checksum = UINT32_MAX;
    for (size_t i = 0; i < count; i++) {
        checksum ^= (unsigned char)data[i];
        for (int bit = 0; bit < 8; bit++)
            checksum = checksum >> 1 ^ (checksum & 1 ? 0xEDB88320u : 0);
    }
    return ~checksum;
}

/* The bytes follow from what was declared, not from the order of declaring. */
static void bytes(void **state)
{
    (void)state;
    char other[256], header[sizeof expected_header + 16];
    size_t count;
    assert_true(write_all(false, file, NULL));
    char *written = scratch_read(file, &count);
    const size_t size = (size_t)snprintf(header, sizeof header, expected_header, checksum_of(written + count - 109, 109));
    const size_t padded = (size + 7) / 8 * 8;
    uint64_t length;
    memcpy(&length, written, 8);
    assert_int_equal(length, padded);
    assert_int_equal(count, 8 + padded + 109);
    assert_memory_equal(written + 8, header, size);
    for (size_t i = size; i < padded; i++)
        assert_int_equal(written[8 + i], ' ');
    assert_memory_equal(written + 8 + padded + 106, u8, sizeof u8);

    assert_true(write_all(true, scratch_path(other, folder, "other"), NULL));
    assert_true(scratch_holds(other, written, count));
    free(written);
}

static bool same(const float *a, const float *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (isnan(a[i]) ? !isnan(b[i]) : memcmp(a + i, b + i, sizeof *a) != 0)
            return false;
    return true;
}

static void round_trip(void **state)
{
    (void)state;
    float reals[8];
    int64_t integers[8];
    Error error;
    assert_true(write_all(false, file, NULL));
    Safetensors *opened = safetensors_open(file, &error);
    assert_non_null(opened);
    assert_int_equal(safetensors_count(opened), TENSORS);
    assert_string_equal(safetensors_metadata(opened, "classes"), "[\"caf\xC3\xA9\"]");
    assert_null(safetensors_metadata(opened, "none"));
    assert_null(safetensors_find(opened, "none"));
    for (int i = 0; i < TENSORS; i++) {
        const SafetensorsEntry *entry = safetensors_find(opened, tensors[i].name);
        assert_non_null(entry);
        assert_int_equal(entry->dtype, tensors[i].dtype);
        assert_int_equal(entry->rank, tensors[i].rank);
        assert_memory_equal(entry->shape, tensors[i].shape, (size_t)entry->rank * sizeof *entry->shape);
        assert_int_equal(safetensors_read_f32(opened, entry, reals, &error), dtype_is_float(entry->dtype));
        assert_int_equal(safetensors_read_i64(opened, entry, integers, &error), !dtype_is_float(entry->dtype));
    }
    const struct { const char *name; const float *values; size_t count; } floats[] = {
        { "f32.b", f32, 6 }, { "half", f16_values, 8 }, { "brain", bf16_values, 3 },
        { "wide", (float[]){ (float)0.1, -INFINITY }, 2 },
    };
    for (size_t i = 0; i < sizeof floats / sizeof *floats; i++) {
        assert_true(safetensors_read_f32(opened, safetensors_find(opened, floats[i].name), reals, NULL));
        if (!same(reals, floats[i].values, floats[i].count))
            fail_msg("%s reads as %g %g %g ...", floats[i].name, (double)reals[0], (double)reals[1], (double)reals[2]);
    }
    assert_true(safetensors_read_i64(opened, safetensors_find(opened, "i"), integers, NULL));
    assert_true(integers[0] == -1 && integers[1] == 2147483647 && integers[2] == 7);
    assert_true(safetensors_read_i64(opened, safetensors_find(opened, "u"), integers, NULL));
    assert_true(integers[0] == 0 && integers[1] == 255 && integers[2] == 9);
    assert_true(safetensors_read_i64(opened, safetensors_find(opened, "counter"), integers, NULL));
    assert_true(integers[0] == i64[0]);
    safetensors_close(opened);
}

/* A good file, cut after every byte, and with one byte more. */
static void truncations(void **state)
{
    (void)state;
    size_t count;
    assert_true(write_all(false, file, NULL));
    char *whole = scratch_read(file, &count);
    for (size_t length = 0; length <= count + 1; length++) {
        scratch_write(file, whole, length);      /* the byte after the end is scratch_read's NUL */
        Error error = {0};
        Safetensors *opened = safetensors_open(file, &error);
        if ((opened != NULL) != (length == count) || (!opened && error.code != EXIT_input))
            fail_msg("%zu of %zu bytes: '%s'", length, count, error.text);
        safetensors_close(opened);
    }
    free(whole);
}

/* A file that shrinks while it is open is an error, not a signal. */
static void shrinks(void **state)
{
    (void)state;
    float values[6];
    int64_t integers[3];
    Error error;
    size_t count;
    assert_true(write_all(false, file, NULL));
    free(scratch_read(file, &count));
    Safetensors *opened = safetensors_open(file, NULL);
    assert_int_equal(truncate(file, (off_t)count - 1), 0);
    assert_false(safetensors_read_f32(opened, safetensors_find(opened, "f32.a"), values, &error));
    assert_non_null(strstr(error.text, "changed while it was read"));
    assert_false(safetensors_read_i64(opened, safetensors_find(opened, "u"), integers, &error));
    assert_non_null(strstr(error.text, "became shorter"));
    safetensors_close(opened);
}

/* ---- dying while writing ---- */

/* The first call is for the checksum, the second for the file. */
static void fatal_fill(const void *context, void *data)
{
    static int calls;
    if (context && data && calls++ == 1)
        raise(SIGKILL);
}

/* A writer of eight tensors of 64 kB, of which `fatal` kills the process (8: none does). */
static SafetensorsWriter *large_writer(int fatal)
{
    static float values[16384];
    static const Source source = { values, sizeof values };
    SafetensorsWriter *writer = safetensors_writer_new();
    for (int i = 0; i < 8; i++) {
        char name[16];
        snprintf(name, sizeof name, "t%d", i);
        safetensors_writer_add(writer, name, DTYPE_F32, 1, (int64_t[]){ 16384 }, i == fatal ? fatal_fill : source_fill, &source);
    }
    return writer;
}

static int child_writes(int fatal, rlim_t limit)
{
    fflush(NULL);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct rlimit largest = { limit, limit };
        Error error = {0};
        if (limit && (signal(SIGXFSZ, SIG_IGN) == SIG_ERR || setrlimit(RLIMIT_FSIZE, &largest) != 0))
            _exit(2);
        SafetensorsWriter *writer = large_writer(fatal);
        const bool ok = safetensors_write(writer, file, NULL, &error);
        safetensors_writer_free(writer);
        _exit(ok ? 0 : error.code == EXIT_write ? 3 : 4);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void crashes(void **state)
{
    (void)state;
    size_t count;
    char temporary[256];
    scratch_path(temporary, folder, "x.safetensors.tmp");
    assert_true(write_all(false, file, NULL));
    char *before = scratch_read(file, &count);
    for (int fatal = 0; fatal < 8; fatal++) {
        const int status = child_writes(fatal, 0);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        assert_true(scratch_holds(file, before, count));
        assert_int_equal(unlink(temporary), 0);
    }
    for (rlim_t limit = 1; limit < 8 * 65536; limit += 65536) {
        const int status = child_writes(8, limit);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 3);
        assert_true(scratch_holds(file, before, count));
        assert_false(scratch_exists(temporary));
    }
    assert_int_equal(child_writes(8, 0), 0);
    Safetensors *opened = safetensors_open(file, NULL);
    assert_non_null(opened);
    assert_int_equal(safetensors_count(opened), 8);
    safetensors_close(opened);
    free(before);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(headers), IN_FOLDER(starts), IN_FOLDER(excesses), IN_FOLDER(special_files), IN_FOLDER(bytes), IN_FOLDER(round_trip),
        IN_FOLDER(truncations), IN_FOLDER(shrinks), IN_FOLDER(crashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
