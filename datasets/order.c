/* order.c - see order.h. */

#include "order.h"

#include <stdlib.h>
#include <string.h>

#include "random.h"

static void count_classes(Order *order)
{
    const Dataset *dataset = order->dataset;
    order->members = allocate(dataset->count, sizeof *order->members, "the samples of each class");
    order->firsts = allocate((size_t)dataset->classes + 1, sizeof *order->firsts, "the samples of each class");
    order->ends = allocate((size_t)dataset->classes, sizeof *order->ends, "the samples of each class");
    for (uint32_t i = 0; i < dataset->count; i++)
        order->firsts[dataset->labels[i] + 1]++;
    for (int k = 0; k < dataset->classes; k++)
        order->firsts[k + 1] += order->firsts[k];
}

/* Class after class, in the data's order, whatever the epoch before has made of it. */
static void sort_by_class(Order *order)
{
    const Dataset *dataset = order->dataset;
    memcpy(order->ends, order->firsts, (size_t)dataset->classes * sizeof *order->ends);
    for (uint32_t i = 0; i < dataset->count; i++)
        order->members[order->ends[dataset->labels[i]]++] = i;
}

Order order_new(const Dataset *dataset, bool balanced)
{
    Order order = { .dataset = dataset };
    order.samples = allocate(dataset->count, sizeof *order.samples, "an epoch's order");
    if (balanced)
        count_classes(&order);
    return order;
}

void order_free(Order *order)
{
    free(order->samples);
    free(order->members);
    free(order->firsts);
    free(order->ends);
    *order = (Order){ 0 };
}

/* Swaps sample i of a class with one behind it, drawn at random: the first i + 1 are then a random choice in random order. */
static uint32_t draw_next(uint32_t *members, uint32_t count, uint32_t i, Random *random)
{
    const uint32_t other = i + random_below(random, count - i), sample = members[other];
    members[other] = members[i];
    members[i] = sample;
    return sample;
}

/* `wanted` samples of class k, every one once before one comes again. */
static uint32_t *add_class(Order *order, int k, uint32_t wanted, uint32_t *to, Random *random)
{
    uint32_t *members = order->members + order->firsts[k];
    const uint32_t count = order->firsts[k + 1] - order->firsts[k];
    for (uint32_t i = 0; i < wanted; i++)
        *to++ = draw_next(members, count, i % count, random);
    return to;
}

static void add_classes(Order *order, Random *random)
{
    uint32_t used = 0, seen = 0, *to = order->samples;
    for (int k = 0; k < order->dataset->classes; k++)
        used += order->firsts[k] < order->firsts[k + 1];
    const uint32_t skipped = random_below(random, used);       /* which classes have one more, where the number does not divide */
    for (int k = 0; k < order->dataset->classes; k++) {
        if (order->firsts[k] == order->firsts[k + 1])
            continue;
        const uint32_t place = (seen++ + skipped) % used;
        to = add_class(order, k, order->dataset->count / used + (place < order->dataset->count % used), to, random);
    }
}

static void shuffle(uint32_t *samples, uint32_t count, Random *random)
{
    for (uint32_t i = 0; i + 1 < count; i++)
        draw_next(samples, count, i, random);
}

void order_make(Order *order, uint64_t seed, uint32_t epoch)
{
    Random random = random_stream(seed, epoch, 0, RANDOM_shuffle);
    if (!order->members) {
        random_permutation(&random, order->samples, order->dataset->count);
        return;
    }
    sort_by_class(order);
    add_classes(order, &random);
    shuffle(order->samples, order->dataset->count, &random);
}
