/* test_order.c - which samples an epoch has. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "errors.h"
#include "order.h"
#include "random.h"

enum { COUNT = 103, CLASSES = 5 };

/* 1, 0, 60, 12 and 30 samples of the classes, in no order. */
static Dataset uneven(uint16_t *labels)
{
    static const int counts[CLASSES] = { 1, 0, 60, 12, 30 };
    uint32_t places[COUNT];
    Random random = random_stream(1, 0, 0, RANDOM_init);
    random_permutation(&random, places, COUNT);
    for (int k = 0, i = 0; k < CLASSES; k++)
        for (int n = 0; n < counts[k]; n++)
            labels[places[i++]] = (uint16_t)k;
    return (Dataset){ .classes = CLASSES, .count = COUNT, .labels = labels };
}

/* Every sample once, in the order that was always made. */
static void test_shuffled(void **state)
{
    (void)state;
    uint16_t labels[COUNT];
    uint32_t expected[COUNT];
    const Dataset data = uneven(labels);
    Order order = order_new(&data, false);
    for (uint32_t epoch = 0; epoch < 3; epoch++) {
        Random random = random_stream(5, epoch, 0, RANDOM_shuffle);
        random_permutation(&random, expected, COUNT);
        order_make(&order, 5, epoch);
        assert_memory_equal(order.samples, expected, sizeof expected);
    }
    order_free(&order);
}

/* Classes differ by one sample at most, a class's samples by one time, whatever the epoch before was. */
static void test_balanced(void **state)
{
    (void)state;
    uint16_t labels[COUNT];
    uint32_t first[COUNT];
    const Dataset data = uneven(labels);
    Order order = order_new(&data, true), other = order_new(&data, true);
    for (uint32_t epoch = 0; epoch < 20; epoch++) {
        uint32_t classes[CLASSES] = { 0 }, least[CLASSES], most[CLASSES] = { 0 }, times[COUNT] = { 0 };
        memset(least, 255, sizeof least);
        order_make(&order, 5, epoch);
        for (int i = 0; i < COUNT; i++) {
            assert_true(order.samples[i] < COUNT);
            classes[labels[order.samples[i]]]++;
            times[order.samples[i]]++;
        }
        for (int i = 0; i < COUNT; i++) {
            const uint16_t k = labels[i];
            least[k] = times[i] < least[k] ? times[i] : least[k];
            most[k] = times[i] > most[k] ? times[i] : most[k];
        }
        for (int k = 0; k < CLASSES; k++) {
            if (classes[k] != (k == 1 ? 0 : COUNT / 4) && (k == 1 || classes[k] != COUNT / 4 + 1))
                fail_msg("epoch %u: %u samples of class %d", epoch, classes[k], k);
            if (k != 1 && most[k] > least[k] + 1)
                fail_msg("epoch %u, class %d: one sample comes %u times, another %u", epoch, k, most[k], least[k]);
        }
        order_make(&other, 5, epoch + 7);
        order_make(&other, 5, epoch);
        assert_memory_equal(order.samples, other.samples, COUNT * sizeof *order.samples);
        if (epoch == 0)
            memcpy(first, order.samples, sizeof first);
        else
            assert_memory_not_equal(first, order.samples, sizeof first);
    }
    order_free(&order);
    order_free(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shuffled),
        cmocka_unit_test(test_balanced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
