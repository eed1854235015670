/* test_data_refused.c - whatever is wrong with a data set, it is refused whole, with one line that names it. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include "data_files.h"
#include "dataset.h"
#include "scratch.h"

static void make_nothing(void) { }
static void make_cifar10(void) { data_cifar("data_batch_1.bin", 1, 0, 20, 10); }
static void make_test_batch(void) { data_cifar("test_batch.bin", 1, 0, 20, 10); }
static void make_empty_cifar(void) { scratch_write(data_path("data_batch_1.bin"), "", 0); }
static void make_cut_cifar(void) { make_cifar10(); data_resize("data_batch_1.bin", 61459); }
static void make_long_cifar(void) { make_cifar10(); data_resize("data_batch_1.bin", 61461); }
static void make_100_as_10(void) { data_cifar("data_batch_1.bin", 2, 0, 20, 10); }
static void make_10_as_100(void) { data_cifar("train.bin", 1, 0, 20, 10); }
static void make_label_10(void) { make_cifar10(); data_patch("data_batch_1.bin", 3073 * 7, "\12", 1); }
static void make_fine_100(void) { data_cifar("train.bin", 2, 0, 300, 100); data_patch("train.bin", 3074 * 290 + 1, "\144", 1); }
static void make_coarse_20(void) { data_cifar("train.bin", 2, 0, 20, 100); data_patch("train.bin", 3074 * 3, "\24", 1); }
static void make_nine_names(void)
{
    make_cifar10();
    scratch_write(data_path("batches.meta.txt"), "a\nb\nc\nd\ne\nf\ng\nh\ni\n", 18);
}
static void make_bad_names(void) { make_cifar10(); scratch_write(data_path("batches.meta.txt"), "a\n\xFF\n", 4); }
static void make_same_names(void)
{
    make_cifar10();
    scratch_write(data_path("batches.meta.txt"), "a\nb\nc\nb\ne\nf\ng\nh\ni\nj\n", 20);
}
static void make_cifar_fifo(void) { assert_int_equal(mkfifo(data_path("data_batch_1.bin"), 0600), 0); }
static void make_python(void) { scratch_write(data_path("data_batch_1"), "x", 1); }
static void make_other(void) { scratch_write(data_path("weights.pt"), "x", 1); }
static void make_loose_images(void) { data_image("a.ppm", 4, 4, 1, false); data_image("b.ppm", 4, 4, 1, false); }

static void make_idx_plain(void) { data_mnist(false); }
static void make_idx_packed(void) { data_mnist(true); }
static void make_idx_long(void) { make_idx_plain(); data_resize("train-images-idx3-ubyte", 16 + 40 * 35 + 1); }
static void make_idx_short(void) { make_idx_plain(); data_resize("train-images-idx3-ubyte", 16 + 40 * 35 - 1); }
static void make_idx_magic(void) { make_idx_plain(); data_patch("train-images-idx3-ubyte", 0, "\0\0\15\3", 4); }
static void make_idx_huge(void) { make_idx_plain(); data_patch("train-images-idx3-ubyte", 4, "\x7F\xFF\xFF\xFF", 4); }
static void make_idx_wide(void) { make_idx_plain(); data_patch("train-images-idx3-ubyte", 8, "\0\0\x10\1", 4); }
static void make_idx_few_labels(void) { make_idx_plain(); data_idx("train-labels-idx1-ubyte", 1, 39, false); }
static void make_idx_test_label(void) { make_idx_plain(); data_patch("t10k-labels-idx1-ubyte", 8, "\5", 1); }
static void make_idx_zeros(void)
{
    static const char zeros[40];
    make_idx_plain();
    data_patch("train-labels-idx1-ubyte", 8, zeros, sizeof zeros);
}
static void make_idx_no_labels(void) { make_idx_plain(); assert_int_equal(unlink(data_path("train-labels-idx1-ubyte")), 0); }
static void make_idx_two(void) { make_idx_plain(); data_idx("emnist-train-images-idx3-ubyte", 3, 40, false); }

static void make_gz_cut(void)
{
    make_idx_packed();
    struct stat status;
    assert_int_equal(stat(data_path("train-images-idx3-ubyte.gz"), &status), 0);
    data_resize("train-images-idx3-ubyte.gz", (size_t)status.st_size / 2);
}

static void make_gz_checksum(void)
{
    make_idx_packed();
    struct stat status;
    assert_int_equal(stat(data_path("train-images-idx3-ubyte.gz"), &status), 0);
    data_patch("train-images-idx3-ubyte.gz", (size_t)status.st_size - 8, "\1\2\3\4", 4);
}

static void make_gz_tail(void)
{
    make_idx_packed();
    struct stat status;
    assert_int_equal(stat(data_path("train-images-idx3-ubyte.gz"), &status), 0);
    data_patch("train-images-idx3-ubyte.gz", (size_t)status.st_size, "xyz", 3);
}

/* A bomb: 20 MB of zeros behind a header that says 40 images. */
static void make_gz_bomb(void)
{
    make_idx_packed();
    uint8_t header[64], *zeros = allocate(20, 1 << 20, "zeros");
    data_idx_bytes(header, 3, 1, 5, 7);
    header[7] = 40;
    gzFile file = gzopen(data_path("train-images-idx3-ubyte.gz"), "wb");
    gzwrite(file, header, 16);
    gzwrite(file, zeros, 20 << 20);
    assert_int_equal(gzclose(file), Z_OK);
    free(zeros);
}

/* A header that says 10 million images of 4096 x 4096 in a file of a few bytes. */
static void make_gz_promise(void)
{
    make_idx_packed();
    static const uint8_t header[] = { 0, 0, 8, 3, 0, 0x98, 0x96, 0x80, 0, 0, 0x10, 0, 0, 0, 0x10, 0 };
    gzFile file = gzopen(data_path("train-images-idx3-ubyte.gz"), "wb");
    gzwrite(file, header, sizeof header);
    assert_int_equal(gzclose(file), Z_OK);
}

static void make_cats(void) { data_classes("", 3); }
static void make_one_class(void) { data_folder("cat"); data_image("cat/a.ppm", 4, 4, 1, false); }
static void make_empty_classes(void) { data_folder("cat"); data_folder("dog"); scratch_write(data_path("cat/a.txt"), "x", 1); }
static void make_empty_train(void) { data_folder("train"); }
static void make_only_val(void) { data_folder("val"); data_classes("val/", 1); }
static void make_train_and_val(void)
{
    data_folder("train");
    data_folder("val");
    data_classes("train/", 1);
    data_classes("val/", 1);
}
static void make_more_in_val(void)
{
    data_folder("train");
    data_folder("val");
    data_classes("train/", 1);
    data_classes("val/", 1);
    data_folder("val/emu");
}
static void make_nested(void) { make_cats(); data_folder("cat/more"); }
static void make_webp(void) { make_cats(); scratch_write(data_path("cat/a.WebP"), "x", 1); }
static void make_damaged(void) { make_cats(); data_resize("dog/001.ppm", 50); }
static void make_fake(void) { make_cats(); scratch_write(data_path("cat/a.png"), "hello", 5); }
static void make_two_damaged(void) { make_damaged(); data_resize("cat/002.ppm", 5); }
static void make_fifo(void) { make_cats(); assert_int_equal(mkfifo(data_path("cat/fifo.png"), 0600), 0); }
static void make_link_out(void) { make_cats(); assert_int_equal(symlink("/etc/passwd", data_path("cat/x.png")), 0); }
static void make_link_up(void) { make_cats(); assert_int_equal(symlink("../../../etc/passwd", data_path("cat/x.png")), 0); }
static void make_link_folder(void) { make_cats(); assert_int_equal(symlink("/etc", data_path("emu")), 0); }
static void make_link_loop(void) { make_cats(); assert_int_equal(symlink("x.png", data_path("cat/x.png")), 0); }
static void make_val_link_out(void)
{
    data_folder("train");
    data_classes("train/", 2);
    assert_int_equal(symlink("/etc", data_path("val")), 0);
}
static void make_parts_of_links(void) { assert_int_equal(symlink("nowhere", data_path("train")), 0); assert_int_equal(symlink("/etc", data_path("val")), 0); }
static void make_part_link_beside_classes(void) { make_cats(); assert_int_equal(symlink("nowhere", data_path("val")), 0); }
static void make_class_link_in_val(void)
{
    data_folder("train");
    data_folder("val");
    data_classes("train/", 2);
    data_folder("val/cat");
    data_image("val/cat/a.ppm", 4, 4, 1, false);
    assert_int_equal(symlink("nowhere", data_path("val/dog")), 0);
}
static void make_bad_class(void) { make_cats(); data_folder("emu\n\x1B[2J"); }

typedef struct Refused {
    const char *name;
    void      (*make)(void);
    DataOptions options;
    Split       split;
    ExitCode    code;
    const char *text, *more;
} Refused;

static char *two_names[] = { (char[]){ "dog" }, (char[]){ "cat" } };
static char *three_names[] = { (char[]){ "ant" }, (char[]){ "cat" }, (char[]){ "dog" } };

static const Refused refused[] = {
    { "no such path", make_nothing, { .path = "/nowhere/at all" }, SPLIT_train, EXIT_input, "cannot open data folder: /nowhere/at all: No such file", "data_batch_1.bin" },
    { "a file", make_nothing, { .path = "/etc/passwd" }, SPLIT_train, EXIT_input, "data is a file, not a folder: /etc/passwd", "give the folder" },
    { "an empty folder", make_nothing, {0}, SPLIT_train, EXIT_input, "data folder is empty: ", "data_batch_1.bin" },
    { "something else", make_other, {0}, SPLIT_train, EXIT_input, "no data set in ", "weights.pt" },
    { "loose images", make_loose_images, {0}, SPLIT_train, EXIT_input, "images without classes: ", "holds 2 images and no folders" },
    { "the Python version", make_python, {0}, SPLIT_train, EXIT_input, "CIFAR for Python: ", "cifar-10-binary.tar.gz" },
    { "a bad fraction", make_cifar10, { .val_split = 1.5f }, SPLIT_train, EXIT_usage, "val-split 1.5", "from 0 to 1" },
    { "not a number", make_cifar10, { .val_split = NAN }, SPLIT_train, EXIT_usage, "val-split nan", "from 0 to 1" },
    { "a bad side", make_cifar10, { .side = -1 }, SPLIT_train, EXIT_usage, "image size -1", "1 to 16384" },
    { "two channels", make_cifar10, { .channels = 2 }, SPLIT_train, EXIT_usage, "2 channels", "1 (grey) or 3 (RGB)" },
    { "too much", make_nothing, { .path = "shapes", .side = 16384 }, SPLIT_train, EXIT_memory, "out of memory: 10000 images of 3x16384x16384", "use fewer or smaller" },

    { "CIFAR: empty", make_empty_cifar, {0}, SPLIT_train, EXIT_input, "CIFAR-10 file is empty", "data_batch_1.bin" },
    { "CIFAR: a byte short", make_cut_cifar, {0}, SPLIT_train, EXIT_input, "size 61459 is not a multiple of 3073", "19 whole CIFAR-10 records and 3072 bytes" },
    { "CIFAR: a byte long", make_long_cifar, {0}, SPLIT_val, EXIT_input, "size 61461 is not a multiple of 3073", "20 whole CIFAR-10 records and 1 bytes" },
    { "CIFAR: 100 as 10", make_100_as_10, {0}, SPLIT_train, EXIT_input, "not a multiple of 3073 but of 3074", "looks like CIFAR-100" },
    { "CIFAR: 10 as 100", make_10_as_100, {0}, SPLIT_train, EXIT_input, "not a multiple of 3074 but of 3073", "looks like CIFAR-10," },
    { "CIFAR: label 10", make_label_10, {0}, SPLIT_train, EXIT_input, "label 10 out of range 0..9", "record 7 (byte 21511)" },
    { "CIFAR: fine label", make_fine_100, {0}, SPLIT_train, EXIT_input, "label 100 out of range 0..99", "record 290 (byte 891461)" },
    { "CIFAR: coarse label", make_coarse_20, {0}, SPLIT_train, EXIT_input, "coarse label 20 out of range 0..19", "record 3 (byte 9222)" },
    { "CIFAR: nine names", make_nine_names, {0}, SPLIT_train, EXIT_input, "9 class names, expected 10", "batches.meta.txt" },
    { "CIFAR: names not text", make_bad_names, {0}, SPLIT_train, EXIT_input, "class name is not printable UTF-8", "name 2" },
    { "CIFAR: a name twice", make_same_names, {0}, SPLIT_train, EXIT_input, "class name twice: ", "names 2 and 4 are 'b'" },
    { "CIFAR: a FIFO", make_cifar_fifo, {0}, SPLIT_train, EXIT_input, "not a regular file: ", "is a FIFO" },
    { "CIFAR: no train part", make_test_batch, {0}, SPLIT_train, EXIT_input, "no train part: ", "CIFAR-10" },
    { "CIFAR: unknown part", make_cifar10, { .val_part = "data_batch_5" }, SPLIT_train, EXIT_usage, "no part 'data_batch_5' to hold out: ", "has data_batch_1: choose" },
    { "CIFAR: the only part", make_cifar10, { .val_part = "data_batch_1" }, SPLIT_train, EXIT_input, "nothing left to train on: all 20 images", "hold out less" },
    { "CIFAR: all held out", make_cifar10, { .val_split = 1 }, SPLIT_train, EXIT_input, "nothing left to train on: all 20 images", "hold out less" },
    { "CIFAR: other classes", make_cifar10, { .class_names = two_names, .classes = 2 }, SPLIT_test, EXIT_input, "classes differ: ", "has 10, the checkpoint has 2" },

    { "IDX: a byte long", make_idx_long, {0}, SPLIT_train, EXIT_input, "too long an IDX file: ", "1401 bytes of data, its header says 1400" },
    { "IDX: a byte short", make_idx_short, {0}, SPLIT_train, EXIT_input, "truncated IDX file: ", "1399 bytes of data, its header says 1400" },
    { "IDX: other type", make_idx_magic, {0}, SPLIT_train, EXIT_input, "not an IDX file of images: ", "begins with 00 00 0D 03, expected 00 00 08 03" },
    { "IDX: huge count", make_idx_huge, {0}, SPLIT_train, EXIT_input, "IDX dimension 0 is 2147483647, expected 1 to 10000000", "train-images" },
    { "IDX: too tall", make_idx_wide, {0}, SPLIT_train, EXIT_input, "IDX dimension 1 is 4097, expected 1 to 4096", "train-images" },
    { "IDX: few labels", make_idx_few_labels, {0}, SPLIT_train, EXIT_input, "40 images but 39 labels", "train-labels" },
    { "IDX: labels of zeros", make_idx_zeros, {0}, SPLIT_train, EXIT_input, "one class only, expected 2 or more: ", "every label" },
    { "IDX: test label", make_idx_test_label, {0}, SPLIT_test, EXIT_input, "label 5 out of range 0..4", "do not belong together" },
    { "IDX: no labels", make_idx_no_labels, {0}, SPLIT_train, EXIT_input, "no labels: ", "neither train-labels-idx1-ubyte nor train-labels-idx1-ubyte.gz" },
    { "IDX: two sets", make_idx_two, {0}, SPLIT_train, EXIT_input, "several IDX data sets", "emnist-train-images-idx3-ubyte and train-images-idx3-ubyte" },
    { "IDX: named part", make_idx_plain, { .val_part = "train" }, SPLIT_train, EXIT_usage, "no part 'train' to hold out: ", "no named parts" },
    { "gzip: cut", make_gz_cut, {0}, SPLIT_train, EXIT_input, "truncated gzip: ", "of 1400 bytes" },
    { "gzip: checksum", make_gz_checksum, {0}, SPLIT_train, EXIT_input, "damaged gzip: ", "incorrect data check" },
    { "gzip: tail", make_gz_tail, {0}, SPLIT_train, EXIT_input, "3 bytes after the end of the gzip stream", "train-images" },
    { "gzip: bomb", make_gz_bomb, {0}, SPLIT_train, EXIT_input, "too long an IDX file: ", "its header says 1400" },
    { "gzip: promise", make_gz_promise, {0}, SPLIT_train, EXIT_input, "cannot hold the 167772160000000 bytes", "train-images" },

    { "folder: one class", make_one_class, {0}, SPLIT_train, EXIT_input, "one class only, expected 2 or more: ", "'cat'" },
    { "folder: no images", make_empty_classes, {0}, SPLIT_train, EXIT_input, "no images in ", "2 class folders" },
    { "folder: empty train", make_empty_train, {0}, SPLIT_train, EXIT_input, "no class folders in ", "/train: make a folder for each class" },
    { "folder: no train", make_only_val, {0}, SPLIT_train, EXIT_input, "no train part: ", "image folder" },
    { "folder: val has more", make_more_in_val, {0}, SPLIT_val, EXIT_input, "class 'emu' is in ", "not in train" },
    { "folder: nested", make_nested, {0}, SPLIT_train, EXIT_input, "folder within a class: ", "cat/more" },
    { "folder: WebP", make_webp, {0}, SPLIT_train, EXIT_input, "image format is not supported: ", "cat/a.WebP: convert it" },
    { "folder: damaged", make_damaged, { .val_split = 1 }, SPLIT_val, EXIT_input, "damaged PNM: ", "dog/001.ppm: the file is truncated" },
    { "folder: no image at all", make_fake, { .val_split = 1 }, SPLIT_val, EXIT_input, "not an image: ", "cat/a.png begins with bytes 68 65" },
    { "folder: two damaged", make_two_damaged, { .val_split = 1 }, SPLIT_val, EXIT_input, "2 of 6 images are damaged: ", "dog/001.ppm: remove" },
    { "folder: a FIFO", make_fifo, {0}, SPLIT_train, EXIT_input, "not a regular file: ", "cat/fifo.png" },
    { "folder: link out", make_link_out, {0}, SPLIT_train, EXIT_input, "symbolic link leaves the data folder: ", "cat/x.png" },
    { "folder: link up", make_link_up, {0}, SPLIT_train, EXIT_input, "symbolic link leaves the data folder: ", "cat/x.png" },
    { "folder: link to a folder", make_link_folder, {0}, SPLIT_train, EXIT_input, "symbolic link leaves the data folder: ", "emu" },
    { "folder: link to itself", make_link_loop, {0}, SPLIT_train, EXIT_input, "symbolic link leaves the data folder: ", "cat/x.png" },
    { "folder: val is a link out", make_val_link_out, {0}, SPLIT_train, EXIT_input, "symbolic link leaves the data folder: ", "/val" },
    { "folder: parts are links", make_parts_of_links, {0}, SPLIT_train, EXIT_input, "symbolic link to nothing: ", "/train: restore" },
    { "folder: a link beside classes", make_part_link_beside_classes, {0}, SPLIT_train, EXIT_input, "symbolic link to nothing: ", "/val: restore" },
    { "folder: a link to nothing in val", make_class_link_in_val, {0}, SPLIT_val, EXIT_input, "symbolic link to nothing: ", "/val/dog: restore" },
    { "folder: a hostile name", make_bad_class, {0}, SPLIT_train, EXIT_input, "class name is not printable UTF-8: ", "emu\\x0A\\x1B[2J" },
    { "folder: a share beside val", make_train_and_val, { .val_split = 0.3f }, SPLIT_train, EXIT_usage, "nothing to hold out: --val-split: ", "val part of its own" },
    { "shapes: a part's name", make_other, { .path = "shapes", .val_part = "data_batch_5" }, SPLIT_train, EXIT_usage, "nothing to hold out: ", "shapes has a val part" },
    { "folder: other order", make_cats, { .class_names = two_names, .classes = 2 }, SPLIT_test, EXIT_input, "class 0 is 'cat' in ", "'dog' in the checkpoint" },
    { "folder: other count", make_cats, { .class_names = three_names, .classes = 3 }, SPLIT_test, EXIT_input, "has 2, the checkpoint has 3", "classes differ" },
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        const Refused *test = &refused[i];
        Error error = {0};
        DataOptions options = test->options;
        test->make();
        if (!options.path)
            options.path = data_root;
        Dataset *dataset = dataset_open(&options, test->split, &error);
        if (dataset)
            fail_msg("%s: accepted", test->name);
        if (error.code != test->code || !strstr(error.text, test->text) || !strstr(error.text, test->more) ||
            strchr(error.text, '\n'))
            fail_msg("%s: code %d, expected %d: '%s'", test->name, error.code, test->code, error.text);
        data_teardown(NULL);
        data_setup(NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_refused, data_setup, data_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
