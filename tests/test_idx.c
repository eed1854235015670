/* test_idx.c - IDX files under the names, in the forms and packings that their publishers and archives use. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "data_files.h"
#include "dataset.h"
#include "scratch.h"

enum { IMAGES = 40 };

static void renew(void)
{
    data_teardown(NULL);
    data_setup(NULL);
}

static void opens(const char *what)
{
    Error error = {0};
    const DataOptions options = { .path = data_root, .val_split = 0.1f };
    Dataset *data = dataset_open(&options, SPLIT_train, &error);
    if (!data)
        fail_msg("%s: %s", what, error.text);
    assert_int_equal(data->count, 36);
    assert_int_equal(data->classes, 5);
    uint32_t k = 0;         /* the number in the file: image k begins with 13 x 35 k + k and is of class k mod 5 */
    for (uint32_t i = 0; i < data->count; i++, k++) {
        while (data->images[i * 35] != (uint8_t)(k * 35 * 13 + k))
            k++;
        assert_int_equal(data->labels[i], k % 5);
    }
    assert_true(k <= IMAGES);
    dataset_free(data);
}

static void refused(const char *what, const char *text)
{
    Error error = {0};
    const DataOptions options = { .path = data_root };
    Dataset *data = dataset_open(&options, SPLIT_train, &error);
    if (data || !strstr(error.text, text))
        fail_msg("%s: expected '%s': '%s'", what, text, error.text);
}

static void test_names(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "train-images-idx3-ubyte", "train-labels-idx1-ubyte" },
        { "train-images.idx3-ubyte", "train-labels.idx1-ubyte" },
        { "train-images.idx3-ubyte", "train-labels-idx1-ubyte" },
        { "TRAIN-IMAGES-IDX3-UBYTE", "TRAIN-LABELS-IDX1-UBYTE" },
        { "Train-Images-IDX3-UBYTE.GZ", "train-labels-idx1-ubyte.gz" },
        { "train-images-idx3-UBYTE", "train-labels-idx1-ubyte.gz" },
        { "emnist-letters-train-images-idx3-ubyte", "emnist-letters-train-labels-idx1-ubyte" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        data_idx(cases[i][0], 3, IMAGES, strstr(cases[i][0], ".gz") || strstr(cases[i][0], ".GZ"));
        data_idx(cases[i][1], 1, IMAGES, strstr(cases[i][1], ".gz") != NULL);
        opens(cases[i][0]);
        renew();
    }
}

/* Kaggle's archive of MNIST has each file twice, once in a folder of the same name. */
static void test_folders_of_the_same_name(void **state)
{
    (void)state;
    data_idx("train-images.idx3-ubyte", 3, IMAGES, false);
    data_idx("train-labels.idx1-ubyte", 1, IMAGES, false);
    data_folder("train-images-idx3-ubyte");
    data_folder("train-labels-idx1-ubyte");
    data_idx("train-images-idx3-ubyte/train-images-idx3-ubyte", 3, IMAGES, false);
    data_idx("train-labels-idx1-ubyte/train-labels-idx1-ubyte", 1, IMAGES, false);
    opens("folders of the same name");
}

/* QMNIST's labels: 8 numbers of 4 bytes a row. */
static size_t wide_labels(uint8_t *bytes)
{
    static const uint8_t header[12] = { 0, 0, 0x0C, 2, 0, 0, 0, IMAGES, 0, 0, 0, 8 };
    memcpy(bytes, header, sizeof header);
    memset(bytes + 12, 7, IMAGES * 32);
    for (int i = 0; i < IMAGES; i++)
        memcpy(bytes + 12 + 32 * i, (const uint8_t[4]){ 0, 0, 0, (uint8_t)(i % 5) }, 4);
    return 12 + IMAGES * 32;
}

static void test_qmnist(void **state)
{
    (void)state;
    uint8_t bytes[12 + IMAGES * 32 + 1] = {0};
    const size_t size = wide_labels(bytes);
    data_idx("qmnist-train-images-idx3-ubyte.gz", 3, IMAGES, true);
    scratch_write(data_path("qmnist-train-labels-idx2-int"), bytes, size);
    opens("QMNIST");
    scratch_write(data_path("qmnist-train-labels-idx2-int"), bytes, size - 1);
    refused("short", "truncated IDX file: ");
    scratch_write(data_path("qmnist-train-labels-idx2-int"), bytes, size + 1);
    refused("long", "too long an IDX file: ");
    bytes[12 + 32 * 3 + 2] = 1;
    scratch_write(data_path("qmnist-train-labels-idx2-int"), bytes, size);
    refused("large label", "label 259 out of range 0..255");
}

static size_t pack(const uint8_t *bytes, size_t size, uint8_t *to, size_t room)
{
    z_stream stream = { .next_in = (Bytef *)bytes, .avail_in = (uInt)size, .next_out = to, .avail_out = (uInt)room };
    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    deflateEnd(&stream);
    return room - stream.avail_out;
}

/* gzip files one behind the other are one file; what is cut off, they are refused. */
static void test_members(void **state)
{
    (void)state;
    static const size_t cuts[] = { 2, 16, 17, 700 };
    static uint8_t bytes[4096], packed[8192];
    const size_t size = data_idx_bytes(bytes, 3, IMAGES, 5, 7);
    data_idx("train-labels-idx1-ubyte", 1, IMAGES, false);
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        size_t length = pack(bytes, cuts[i], packed, sizeof packed);
        length += pack(bytes + cuts[i], size - cuts[i], packed + length, sizeof packed - length);
        length += pack(bytes, 0, packed + length, sizeof packed - length);
        scratch_write(data_path("train-images-idx3-ubyte.gz"), packed, length);
        opens("several members");
        for (size_t cut = 1; cut < length; cut += cut < 60 ? 1 : 37) {
            scratch_write(data_path("train-images-idx3-ubyte.gz"), packed, length - cut);
            if (cut != 20)                  /* the whole last member, which is empty */
                refused("cut", "train-images-idx3-ubyte.gz");
        }
        packed[length - 28] ^= 1;           /* the second member's checksum */
        scratch_write(data_path("train-images-idx3-ubyte.gz"), packed, length);
        refused("checksum", "incorrect data check");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_names, data_setup, data_teardown),
        cmocka_unit_test_setup_teardown(test_folders_of_the_same_name, data_setup, data_teardown),
        cmocka_unit_test_setup_teardown(test_qmnist, data_setup, data_teardown),
        cmocka_unit_test_setup_teardown(test_members, data_setup, data_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
