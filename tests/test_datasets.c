/* test_datasets.c - each kind of data set loads as it is on the disk and is split as documented. The files are made here. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data_files.h"
#include "dataset.h"
#include "disk.h"
#include "scratch.h"

/* ---- opening ---- */

static Dataset *open_as(DataOptions options, Split split)
{
    Error error = {0};
    if (!options.path)
        options.path = data_root;
    Dataset *dataset = dataset_open(&options, split, &error);
    if (!dataset)
        fail_msg("%s", error.text);
    return dataset;
}

/* The number of the image in its CIFAR file, from its first pixels. */
static uint32_t cifar_number(const uint8_t *image, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t same = 0;
        while (same < DATA_PIXELS && image[same] == data_pixel(i, same))
            same++;
        if (same == DATA_PIXELS)
            return i;
    }
    fail_msg("an image is none of those written");
    return 0;
}

static void check_cifar(const Dataset *dataset, uint32_t total, bool *seen)
{
    for (uint32_t i = 0; i < dataset->count; i++) {
        const uint32_t number = cifar_number(dataset->images + i * DATA_PIXELS, total);
        assert_int_equal(dataset->labels[i], number % 10);
        assert_false(seen[number]);
        seen[number] = true;
    }
}

/* ---- CIFAR ---- */

static void test_cifar10(void **state)
{
    (void)state;
    data_cifar("data_batch_1.bin", 1, 0, 80, 10);
    data_cifar("data_batch_3.bin", 1, 80, 40, 10);
    bool seen[130] = { false };
    uint32_t counts[10];
    Dataset *train = open_as((DataOptions){ .seed = 7 }, SPLIT_train), *val = open_as((DataOptions){ .seed = 7 }, SPLIT_val);
    assert_string_equal(train->kind, "cifar10");
    assert_string_equal(train->class_names[9], "truck");
    assert_true(train->mirror_ok);
    assert_string_equal(train->notes, "; without data_batch_2.bin, data_batch_4.bin, data_batch_5.bin");
    assert_int_equal(train->count, 108);
    assert_int_equal(val->count, 12);
    check_cifar(train, 130, seen);
    check_cifar(val, 130, seen);        /* no image is in both, and all are in one */
    dataset_histogram(val, counts);
    for (int c = 0; c < 10; c++)
        assert_in_range(counts[c], 1, 2);

    assert_string_equal(val->held_out, "0.1 of seed 7");
    assert_null(train->held_out);
    Dataset *named = open_as((DataOptions){ .val_part = "Data-Batch-3" }, SPLIT_val);      /* however it was written */
    assert_string_equal(named->held_out, "data_batch_3");
    dataset_free(named);
    Dataset *again = open_as((DataOptions){ .seed = 7, .threads = 1 }, SPLIT_val), *other = open_as((DataOptions){ .seed = 8 }, SPLIT_val);
    Dataset *test = open_as((DataOptions){ .seed = 7 }, SPLIT_test);
    assert_true(dataset_hash(again) == dataset_hash(val));
    assert_true(dataset_hash(test) == dataset_hash(val));       /* no test part: the same images */
    assert_true(dataset_hash(other) != dataset_hash(val));
    Dataset *all[] = { train, val, again, other, test };
    for (int i = 0; i < 5; i++)
        dataset_free(all[i]);

    data_cifar("test_batch.bin", 1, 120, 10, 10);
    train = open_as((DataOptions){0}, SPLIT_train);
    val = open_as((DataOptions){0}, SPLIT_val);
    test = open_as((DataOptions){ .val_split = 0.25f }, SPLIT_test);
    Dataset *held_out = open_as((DataOptions){ .val_split = 0.25f }, SPLIT_val);
    memset(seen, 0, sizeof seen);
    assert_int_equal(train->count, 120);
    check_cifar(train, 130, seen);
    assert_int_equal(val->count, 10);
    check_cifar(val, 130, seen);
    assert_true(dataset_hash(test) == dataset_hash(val));
    assert_int_equal(held_out->count, 30);
    dataset_free(train);
    dataset_free(val);
    dataset_free(test);
    dataset_free(held_out);
}

static void test_val_part(void **state)
{
    (void)state;
    data_cifar("data_batch_1.bin", 1, 0, 30, 10);
    data_cifar("data_batch_2.bin", 1, 30, 20, 10);
    data_cifar("data_batch_5.bin", 1, 50, 25, 10);
    const DataOptions options = { .val_part = "data_batch_2" };
    bool seen[75] = { false };
    Dataset *train = open_as(options, SPLIT_train), *val = open_as(options, SPLIT_val);
    check_cifar(train, 75, seen);
    assert_int_equal(val->count, 20);
    for (uint32_t i = 0; i < 20; i++)
        assert_int_equal(cifar_number(val->images + i * DATA_PIXELS, 75), 30 + i);
    check_cifar(val, 75, seen);
    for (int i = 0; i < 75; i++)
        assert_true(seen[i]);
    dataset_free(train);
    dataset_free(val);
}

static void test_limit(void **state)
{
    (void)state;
    data_cifar("data_batch_1.bin", 1, 0, 200, 10);
    bool seen[200] = { false };
    uint32_t counts[10];
    Dataset *train = open_as((DataOptions){ .limit = 45 }, SPLIT_train), *val = open_as((DataOptions){ .limit = 45 }, SPLIT_val);
    assert_int_equal(train->count, 45);
    assert_int_equal(val->count, 20);       /* there are no more */
    check_cifar(train, 200, seen);
    check_cifar(val, 200, seen);
    dataset_histogram(train, counts);
    for (int c = 0; c < 10; c++)
        assert_in_range(counts[c], 4, 5);
    dataset_free(train);
    dataset_free(val);
}

static void test_names_file(void **state)
{
    (void)state;
    static const char names[] = "null\neins\r\nzwei\ndrei\nvier\nf\xC3\xBCnf\nsechs\nsieben\nacht\nneun\n\n";
    data_cifar("data_batch_1.bin", 1, 0, 20, 10);
    scratch_write(data_path("batches.meta.txt"), names, sizeof names - 1);
    Dataset *train = open_as((DataOptions){0}, SPLIT_train);
    assert_string_equal(train->class_names[0], "null");
    assert_string_equal(train->class_names[1], "eins");
    assert_string_equal(train->class_names[5], "f\xC3\xBCnf");
    assert_string_equal(train->class_names[9], "neun");
    dataset_free(train);
}

static void test_cifar100(void **state)
{
    (void)state;
    data_cifar("train.bin", 2, 0, 200, 100);
    data_cifar("test.bin", 2, 200, 100, 100);
    Dataset *train = open_as((DataOptions){0}, SPLIT_train), *val = open_as((DataOptions){0}, SPLIT_val);
    assert_string_equal(train->kind, "cifar100");
    assert_int_equal(train->classes, 100);
    assert_string_equal(train->class_names[42], "leopard");
    assert_int_equal(train->count, 200);
    assert_int_equal(val->count, 100);
    for (uint32_t i = 0; i < 200; i++) {
        assert_int_equal(train->labels[i], i % 100);
        for (uint32_t k = 0; k < DATA_PIXELS; k += 500)
            assert_int_equal(train->images[i * DATA_PIXELS + k], data_pixel(i, k));
    }
    dataset_free(train);
    dataset_free(val);
}

static void test_convert(void **state)
{
    (void)state;
    data_cifar("data_batch_1.bin", 1, 0, 20, 10);
    Dataset *train = open_as((DataOptions){ .side = 48, .channels = 1 }, SPLIT_train);
    assert_int_equal(train->channels, 1);
    assert_int_equal(train->height, 48);
    assert_int_equal(train->width, 48);
    dataset_free(train);
}

/* ---- IDX ---- */

static void test_idx(void **state)
{
    (void)state;
    for (int packed = 0; packed < 2; packed++) {
        data_mnist(packed);
        Dataset *train = open_as((DataOptions){0}, SPLIT_train), *test = open_as((DataOptions){0}, SPLIT_test);
        assert_string_equal(train->kind, "idx");
        assert_false(train->mirror_ok);
        assert_int_equal(train->classes, 5);
        assert_string_equal(train->class_names[4], "4");
        assert_int_equal(train->channels, 1);
        assert_int_equal(train->height, 5);
        assert_int_equal(train->width, 7);
        assert_int_equal(train->count, 40);
        assert_int_equal(test->count, 10);
        for (uint32_t k = 0; k < 40 * 35; k++)
            assert_int_equal(train->images[k], (uint8_t)(k * 13 + k / 35));
        for (uint32_t i = 0; i < 40; i++)
            assert_int_equal(train->labels[i], i % 5);
        dataset_free(train);
        dataset_free(test);
        data_teardown(NULL);
        data_setup(NULL);
    }
}

/* Whatever is cut off a file, it is refused in one line. */
static void test_idx_truncated(void **state)
{
    (void)state;
    static const char *const names[] = { "train-images-idx3-ubyte", "train-labels-idx1-ubyte" };
    for (int packed = 0; packed < 2; packed++)
        for (int n = 0; n < 2; n++) {
            data_mnist(packed);
            char name[64];
            size_t size;
            snprintf(name, sizeof name, "%s%s", names[n], packed ? ".gz" : "");
            char *bytes = scratch_read(data_path(name), &size);
            for (size_t cut = size; cut-- > 0;) {
                Error error = {0};
                DataOptions options = { .path = data_root };
                data_resize(name, cut);
                if (dataset_open(&options, SPLIT_train, &error) || !*error.text || strchr(error.text, '\n'))
                    fail_msg("%s, %zu of %zu bytes: '%s'", name, cut, size, error.text);
            }
            free(bytes);
            data_teardown(NULL);
            data_setup(NULL);
        }
}

/* ---- image folders ---- */

static void test_folder(void **state)
{
    (void)state;
    data_folder("train");
    data_folder("val");
    data_classes("train/", 3);
    data_classes("val/", 1);
    data_folder("train/Zebra");                             /* before cat: sorted by bytes; no images */
    data_image("train/cat/0a.ppm", 8, 8, 100, false);       /* after 002.ppm */
    data_image("train/cat/.hidden.ppm", 8, 8, 200, false);
    scratch_write(data_path("train/cat/notes.txt"), "x", 1);
    scratch_write(data_path("train/README"), "x", 1);
    data_folder("train/.git");
    assert_int_equal(symlink("../cat/000.ppm", data_path("train/dog/zlink.ppm")), 0);
    Dataset *train = open_as((DataOptions){0}, SPLIT_train), *val = open_as((DataOptions){0}, SPLIT_val);
    assert_string_equal(train->kind, "folder");
    assert_int_equal(train->classes, 3);
    assert_string_equal(train->class_names[0], "Zebra");
    assert_string_equal(train->class_names[2], "dog");
    static const struct { int label, value; } expected[] = { {1, 0}, {1, 2}, {1, 4}, {1, 100}, {2, 1}, {2, 3}, {2, 5}, {2, 0} };
    assert_int_equal(train->count, 8);
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(train->labels[i], expected[i].label);
        assert_int_equal(train->images[i * 192], expected[i].value);
        assert_int_equal(train->images[i * 192 + 191], expected[i].value);
    }
    assert_int_equal(val->classes, 3);
    assert_int_equal(val->count, 2);
    assert_int_equal(val->labels[0], 1);
    assert_int_equal(val->labels[1], 2);
    dataset_free(train);
    dataset_free(val);
}

static void test_folder_split(void **state)
{
    (void)state;
    data_classes("", 20);
    bool seen[40] = { false };
    Dataset *train = open_as((DataOptions){ .val_split = 0.2f }, SPLIT_train), *val = open_as((DataOptions){ .val_split = 0.2f }, SPLIT_val);
    assert_int_equal(train->count, 32);
    assert_int_equal(val->count, 8);
    Dataset *both[] = { train, val };
    for (int d = 0; d < 2; d++) {
        uint32_t counts[2];
        dataset_histogram(both[d], counts);
        assert_int_equal(counts[0], counts[1]);
        for (uint32_t i = 0; i < both[d]->count; i++) {
            const int value = both[d]->images[i * 192];
            assert_int_equal(value % 2, both[d]->labels[i]);
            assert_false(seen[value]);
            seen[value] = true;
        }
        dataset_free(both[d]);
    }
    Dataset *everything = open_as((DataOptions){ .val_split = 1 }, SPLIT_val);
    assert_int_equal(everything->count, 40);
    dataset_free(everything);
}

static void test_folder_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int         widths[3], heights[3];
        bool        grey;
        int         asked, side, channels;
    } cases[] = {
        { "all alike",         { 20, 20, 20 },    { 20, 20, 20 },    false, 0,  20,  3 },
        { "all alike, grey",   { 20, 20, 20 },    { 20, 20, 20 },    true,  0,  20,  1 },
        { "oblong",            { 20, 20, 20 },    { 30, 30, 30 },    false, 0,  32,  3 },
        { "small and mixed",   { 20, 63, 300 },   { 25, 70, 280 },   false, 0,  32,  3 },
        { "large and mixed",   { 20, 100, 300 },  { 25, 64, 280 },   false, 0,  224, 3 },
        { "asked for",         { 20, 100, 300 },  { 25, 64, 280 },   false, 40, 40,  3 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        data_folder("train");
        data_folder("train/a");
        data_folder("train/b");
        data_folder("test");
        data_folder("test/b");
        for (int k = 0; k < 3; k++) {
            char name[32];
            snprintf(name, sizeof name, "train/%c/%d.ppm", "aab"[k], k);
            data_image(name, cases[i].widths[k], cases[i].heights[k], 50 + k, cases[i].grey);
        }
        data_image("test/b/x.ppm", 11, 11, 70, false);      /* takes the train part's size and channels */
        for (Split split = SPLIT_train; split <= SPLIT_test; split++) {
            Dataset *data = open_as((DataOptions){ .side = cases[i].asked }, split);
            if (data->height != cases[i].side || data->width != cases[i].side || data->channels != cases[i].channels)
                fail_msg("%s, split %d: %dx%dx%d", cases[i].name, split, data->channels, data->height, data->width);
            const size_t size = (size_t)data->channels * (size_t)data->height * (size_t)data->width;
            for (size_t k = 0; k < data->count * size; k++)
                assert_int_equal(data->images[k], split == SPLIT_train ? 50 + k / size : 70);
            dataset_free(data);
        }
        data_teardown(NULL);
        data_setup(NULL);
    }
}

static void test_skip_bad(void **state)
{
    (void)state;
    data_classes("", 100);
    data_resize("dog/017.ppm", 100);
    data_resize("cat/099.ppm", 0);
    Error error;
    DataOptions options = { .path = data_root, .val_split = 1, .skip_bad = true };
    Dataset *data = dataset_open(&options, SPLIT_val, &error);
    assert_non_null(data);
    assert_int_equal(data->count, 198);
    assert_int_equal(data->damaged, 2);
    for (uint32_t i = 0; i < data->count; i++)
        assert_int_equal(data->images[i * 192 + 5] % 2, data->labels[i]);
    dataset_free(data);

    data_resize("dog/018.ppm", 100);        /* three of 200 are more than 1% */
    assert_null(dataset_open(&options, SPLIT_val, &error));
    assert_non_null(strstr(error.text, "3 of 200 images are damaged"));
    assert_non_null(strstr(error.text, "cat/099.ppm"));
    assert_non_null(strstr(error.text, "dog/017.ppm"));
    assert_non_null(strstr(error.text, "empty image file"));
    assert_null(strchr(error.text, '\n'));
}

/* ---- the built-in set ---- */

static void test_shapes(void **state)
{
    (void)state;
    static const uint32_t expected[] = { [SPLIT_train] = 10000, [SPLIT_val] = 2000, [SPLIT_test] = 2000 };
    uint64_t hashes[3];
    for (Split split = SPLIT_train; split <= SPLIT_test; split++) {
        uint32_t counts[10];
        float mean[3], std[3];
        Dataset *data = open_as((DataOptions){ .path = "shapes", .seed = 3 }, split);
        assert_string_equal(data->kind, "shapes");
        assert_string_equal(data->path, "");
        assert_int_equal(data->count, expected[split]);
        dataset_histogram(data, counts);
        for (int c = 0; c < 10; c++)
            assert_int_equal(counts[c], expected[split] / 10);
        dataset_statistics(data, mean, std);
        for (int c = 0; c < 3; c++)
            assert_true(fabsf(mean[c] - 0.434f) < 0.05f && std[c] > 0.15f && std[c] < 0.35f);
        hashes[split] = dataset_hash(data);
        dataset_free(data);
    }
    assert_true(hashes[0] != hashes[1] && hashes[1] != hashes[2]);
    Dataset *again = open_as((DataOptions){ .path = "shapes", .seed = 3, .threads = 3 }, SPLIT_val);
    Dataset *other = open_as((DataOptions){ .path = "shapes", .seed = 4 }, SPLIT_val);
    assert_true(dataset_hash(again) == hashes[SPLIT_val]);
    assert_true(dataset_hash(other) != hashes[SPLIT_val]);
    dataset_free(again);
    dataset_free(other);
}

static void test_default_path(void **state)
{
    (void)state;
    char before[4096], text[512];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(data_root), 0);
    Dataset *shapes = open_as((DataOptions){ .path = "", .limit = 10 }, SPLIT_train);
    dataset_describe(shapes, text, sizeof text);
    assert_string_equal(shapes->kind, "shapes");
    assert_non_null(strstr(text, "10 images of 3x32x32 in 10 classes"));
    assert_non_null(strstr(text, "cifar-10-binary.tar.gz"));
    data_folder("data");
    data_folder("data/cifar-10-batches-bin");
    data_cifar("data/cifar-10-batches-bin/data_batch_1.bin", 1, 0, 20, 10);
    Dataset *cifar = open_as((DataOptions){ .path = "" }, SPLIT_train);
    dataset_describe(cifar, text, sizeof text);
    assert_string_equal(text, "CIFAR-10 in data/cifar-10-batches-bin: 18 images of 3x32x32 in 10 classes; without data_batch_2.bin, data_batch_3.bin, "
                              "data_batch_4.bin, data_batch_5.bin");
    assert_int_equal(chdir(before), 0);
    dataset_free(shapes);
    dataset_free(cifar);
}

/* ---- numbers ---- */

static void test_statistics(void **state)
{
    (void)state;
    uint8_t images[2 * 2 * 6];
    uint16_t labels[] = { 2, 0 };
    Dataset data = { .kind = "test", .channels = 2, .height = 2, .width = 3, .classes = 4, .count = 2, .images = images, .labels = labels };
    double sum = 0, squares = 0;
    for (int i = 0; i < 24; i++)
        images[i] = (uint8_t)(i / 6 % 2 ? 77 : i * 10);       /* the second channel is constant */
    for (int i = 0; i < 24; i++)
        if (i / 6 % 2 == 0)
            sum += images[i] / 255.0 / 12;
    for (int i = 0; i < 24; i++)
        if (i / 6 % 2 == 0)
            squares += (images[i] / 255.0 - sum) * (images[i] / 255.0 - sum) / 12;
    float mean[2], std[2];
    uint32_t counts[4];
    dataset_statistics(&data, mean, std);
    assert_true(fabs((double)mean[0] - sum) < 1e-6 && fabs((double)std[0] - sqrt(squares)) < 1e-6);
    assert_true(fabs((double)mean[1] - 77 / 255.0) < 1e-6 && std[1] == 1.0f);
    dataset_histogram(&data, counts);
    assert_true(counts[0] == 1 && counts[1] == 0 && counts[2] == 1 && counts[3] == 0);
    const uint64_t hash = dataset_hash(&data);
    for (size_t i = 0; i < sizeof images; i++) {
        images[i] ^= 1;
        assert_true(dataset_hash(&data) != hash);
        images[i] ^= 1;
    }
    labels[1] = 1;
    assert_true(dataset_hash(&data) != hash);
    labels[1] = 0;
    data.height = 3, data.width = 2;
    assert_true(dataset_hash(&data) != hash);
    data.height = 2, data.width = 3;
    assert_true(dataset_hash(&data) == hash);
}

static void test_names(void **state)
{
    (void)state;
    char name[301];
    memset(name, 'x', 300);
    name[300] = '\0';
    assert_int_equal(strlen(name_tail(name)), NAME_SHOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_cifar10, data_setup, data_teardown),
        cmocka_unit_test_setup_teardown(test_val_part, data_setup, data_teardown),
        cmocka_unit_test_setup_teardown(test_limit, data_setup, data_teardown),
        cmocka_unit_test_setup_teardown(test_names_file, data_setup, data_teardown),
        cmocka_unit_test_setup_teardown(test_cifar100, data_setup, data_teardown),
        cmocka_unit_test_setup_teardown(test_convert, data_setup, data_teardown),
        cmocka_unit_test_setup_teardown(test_idx, data_setup, data_teardown),
        cmocka_unit_test_setup_teardown(test_idx_truncated, data_setup, data_teardown),
        cmocka_unit_test_setup_teardown(test_folder, data_setup, data_teardown),
        cmocka_unit_test_setup_teardown(test_folder_split, data_setup, data_teardown),
        cmocka_unit_test_setup_teardown(test_folder_sizes, data_setup, data_teardown),
        cmocka_unit_test_setup_teardown(test_skip_bad, data_setup, data_teardown),
        cmocka_unit_test_setup_teardown(test_shapes, data_setup, data_teardown),
        cmocka_unit_test_setup_teardown(test_default_path, data_setup, data_teardown),
        cmocka_unit_test_setup_teardown(test_statistics, data_setup, data_teardown),
        cmocka_unit_test_setup_teardown(test_names, data_setup, data_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
