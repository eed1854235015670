/* exchange.h - what ranks have computed from their parts of a batch becomes the batch's, on all of them.
 *
 *   gradients    summed: each part's loss was divided by the samples of the whole batch
 *   statistics   the mean of what each part made of the running ones
 *   words        one a part: what it has come to, bytes that only the caller reads
 *
 * The flat blocks are cut into buckets. A bucket's exchange begins as soon as backward has completed its gradients, and moves on between
 * the kernels that follow: no thread of its own. Each rank sums one piece of a bucket, in the order of tree_sum.h, and then
 * gives it to all: every rank has the same bits, and nothing is added by the transport.
 *
 * Over the wire gradients are f32, or rounded to bf16 (half the bytes; sums are f32 all the same). */

#ifndef CONVZOO_EXCHANGE_H
#define CONVZOO_EXCHANGE_H

#include "program.h"
#include "ranks.h"

typedef enum { WIRE_f32, WIRE_bf16 } WireType;

typedef struct ExchangeOptions {
    WireType wire;
    uint64_t bucket_bytes;       /* 0: measured */
    bool     late;               /* begins when backward has ended: to measure what the overlap is worth */
    int      parts;              /* of a batch, over all ranks */
} ExchangeOptions;

typedef struct Exchange Exchange;

/* For the parameters of the network, whose first training program is compiled. Measures the bucket size, so that it is called by all
 * ranks at once. */
Exchange *exchange_new(Ranks *ranks, Network *network, const ExchangeOptions *options);
void      exchange_free(Exchange *exchange);

/* The program whose backward comes from now on: it tells when gradients are complete. NULL, before that program is freed: none. */
void exchange_follow(Exchange *exchange, Program *program);

/* Before backward: words, one of `word_bytes` for each of the batch's parts, of which this rank has filled its own. They stay the caller's, and must live
 * until exchange_end. While backward runs, buckets are sent. */
void exchange_begin(Exchange *exchange, void *words, size_t word_bytes);
/* After it: gradients, statistics and words are the batch's. */
void exchange_end(Exchange *exchange);
/* After a forward pass without a backward: the statistics alone. */
void exchange_statistics(Exchange *exchange);

/* From the next step on; ExchangeOptions.late. */
void exchange_set_late(Exchange *exchange, bool late);

/* Bytes of a bucket, and how many there are. */
size_t exchange_bucket_bytes(const Exchange *exchange);
int    exchange_buckets(const Exchange *exchange);
/* Bytes on the wire of the bucket that is sent i-th, and after how many kernels of backward it is complete. */
size_t exchange_bucket(const Exchange *exchange, int i, int *ready);
/* The size that is taken where a bucket takes `least` seconds however small it is, and `byte` seconds more for each byte: what does not depend on the
 * size is a tenth of the time. */
size_t exchange_fitting_bytes(double least, double byte);
/* Seconds that the last step waited for it, from the end of backward on. */
double exchange_waited(const Exchange *exchange);

#endif
