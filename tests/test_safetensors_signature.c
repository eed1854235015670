/* test_safetensors_signature.c - a file of another kind is named for what it is, with what to do; none of its text is shown. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "safetensors.h"
#include "scratch.h"

static char folder[256], file[256];

#define SECRET "xyzzy"      /* stands in each text, and never in a message */

static const struct {
    const char *name, *bytes;      /* 600 bytes of 0xA5 follow those of binary files */
    size_t      count;             /* 0: a text, whole */
    const char *kind, *advice;
} files[] = {
    { "torch.save",        "PK\3\4\0\0\0\0\0\0 archive/data.pkl",             27, "a zip archive, as torch.save writes (.pth, .pt)", "torch.load" },
    { "torch.save, named", "PK\3\4\0\0\10\10\0\0 resnet18/data.pkl",          28, "a zip archive, as torch.save writes", "safetensors.torch.save_file" },
    { "torch.save, 2016",  "\x80\2\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19.",       15, "torch.save wrote before PyTorch 1.6", "torch.load" },
    { "pickle",            "\x80\4\x95\x10\0\0\0\0\0\0\0",                    11, "a Python pickle", "torch.load" },
    { "npz",               "PK\3\4\0\0\0\0\0\0 weight.npy",                   21, "numpy arrays (.npz)", "name a .safetensors" },
    { "npy",               "\x93NUMPY\1\0v\0",                                10, "numpy array (.npy)", "name a .safetensors" },
    { "keras",             "PK\3\4\0\0\0\0\0\0 metadata.json",                24, "Keras writes (.keras)", "name a .safetensors" },
    { "hdf5",              "\x89HDF\r\n\x1a\n\0\0",                           10, "an HDF5 file, as Keras writes (.h5)", "name a .safetensors" },
    { "onnx",              "\x08\x08\x12\x07pytorch\x1a\x05",                 13, "an ONNX model", "name a .safetensors" },
    { "onnx, unsigned",    "\x08\x07\x3a\xb0\x01\x0a\x05",                    7,  "an ONNX model", "name a .safetensors" },
    { "tensorflow",        "\x08\x01\x12\xb0\x01\x0a\x05",                    7,  "TensorFlow SavedModel", "name a .safetensors" },
    { "tflite",            "\x1c\0\0\0TFL3\0\0\0\0",                          12, "TensorFlow Lite", "name a .safetensors" },
    { "gguf",              "GGUF\3\0\0\0\0\0\0\0",                            12, "GGUF", "name a .safetensors" },
    { "gzip",              "\x1f\x8b\x08\0\0\0\0\0\0\3",                      10, "gzip (.gz)", "unpack it" },
    { "xz",                "\xfd" "7zXZ\0\0\0\0\0",                           10, "xz (.xz)", "unpack it" },
    { "png",               "\x89PNG\r\n\x1a\n\0\0\0\r",                       12, "a PNG image", "CHECKPOINT first" },
    { "jpeg",              "\xff\xd8\xff\xe0\0\x10JFIF",                      10, "a JPEG image", "CHECKPOINT first" },
    { "program",           "\x7f" "ELF\2\1\1\0\0\0",                          10, "a program", "name a .safetensors" },
    { "lfs",               "version https://git-lfs.github.com/spec/v1\noid sha256:" SECRET "\nsize 46827520\n", 0, "Git LFS pointer", "git lfs pull" },
    { "page",              "<!DOCTYPE html>\n<html><head><title>" SECRET "</title>", 0, "a web page", "fetch the file anew" },
    { "page, indented",    "\xEF\xBB\xBF\r\n  <html lang=\"en\">" SECRET,           0, "a web page", "fetch the file anew" },
    { "error of a store",  "<?xml version=\"1.0\"?><Error>" SECRET "</Error>",      0, "a web page (HTML or XML)", "fetch the file anew" },
    { "json",              "{\"error\": \"" SECRET "\"}",                           0, "a JSON file", "beside it" },
    { "index",             "{\n \"weight_map\": {\"" SECRET "\": \"1.safetensors\"}}", 0, "in several files", "save_file" },
    { "list",              "[\"" SECRET "\"]",                                      0, "a JSON file", "beside it" },
    { "passwd",            "root:" SECRET ":0:0:root:/root:/bin/bash\n",            0, "it is a text file", "name a .safetensors" },
    { "a short text",      SECRET,                                                  0, "it is a text file", "name a .safetensors" },
    { "caf\xC3\xA9",       "caf\xC3\xA9 " SECRET "\n",                              0, "it is a text file", "name a .safetensors" },
    { "nothing but zero",  "\0\0\0\0\0\0\0\0\0\0\0\0",                              12, "bytes of zero", "fetch the file anew" },
    { "empty",             "",                                                      0, "it is empty", "another copy" },
};

static void every_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        unsigned char bytes[1024];
        Error error = { 0 };
        const bool zero = !strcmp(files[i].name, "nothing but zero");
        size_t count = files[i].count ? files[i].count : strlen(files[i].bytes);
        memcpy(bytes, files[i].bytes, count);
        if (files[i].count) {
            memset(bytes + count, zero ? 0 : 0xA5, 600);
            count += 600;
        }
        scratch_write(file, bytes, count);
        assert_null(safetensors_open(file, &error));
        if (error.code != EXIT_input || !strstr(error.text, "not a safetensors file: ") || !strstr(error.text, file) ||
            !strstr(error.text, files[i].kind) || !strstr(error.text, files[i].advice) || strstr(error.text, SECRET))
            fail_msg("%s: '%s', expected '%s' and '%s'", files[i].name, error.text, files[i].kind, files[i].advice);
    }
}

static void a_folder(void **state)
{
    (void)state;
    Error error = { 0 };
    assert_null(safetensors_open(folder, &error));
    assert_non_null(strstr(error.text, "it is a folder"));
}

static void fill_zero(const void *context, void *data)
{
    (void)context;
    memset(data, 0, 4);
}

/* The length of a header may look like the beginning of anything: bytes 0x80 0x02 are a pickle's and a header of 640 bytes. */
static void headers_that_look_like_others(void **state)
{
    (void)state;
    static char value[70000];
    size_t count;
    for (size_t length = 0; length < 40000; length = length < 2000 ? length + 8 : 5 * length / 4) {
        Error error = { 0 };
        memset(value, 'v', length);
        value[length] = '\0';
        SafetensorsWriter *writer = safetensors_writer_new();
        safetensors_writer_metadata(writer, "k", value);
        safetensors_writer_add(writer, "w", DTYPE_F32, 1, (int64_t[]){ 1 }, fill_zero, NULL);
        assert_true(safetensors_write(writer, file, NULL, NULL));
        safetensors_writer_free(writer);
        Safetensors *opened = safetensors_open(file, &error);
        if (!opened)
            fail_msg("%zu: %s", length, error.text);
        safetensors_close(opened);
        char *bytes = scratch_read(file, &count);
        scratch_write(file, bytes, count - 1);
        free(bytes);
        assert_null(safetensors_open(file, &error));
        assert_non_null(strstr(error.text, "checkpoint truncated"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind), cmocka_unit_test(a_folder), cmocka_unit_test(headers_that_look_like_others),
    };
    scratch_new(folder);
    scratch_path(file, folder, "weights");
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_remove(folder);
    return failed;
}
