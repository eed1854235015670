/* bucket.h - a piece of the flat blocks on its way between ranks; exchange.h says which and when. */

#ifndef CONVZOO_BUCKET_H
#define CONVZOO_BUCKET_H

#include "parameters.h"
#include "ranks.h"

typedef struct Bucket {
    float    *block;             /* its first number, where it is and will be */
    size_t    count;
    size_t    place;             /* of the first number among the gradients; SIZE_MAX: these are no gradients */
    float     scale;             /* of the sum */
    int       number;            /* among all buckets, on every rank the same */
    int       ready;             /* it is complete after so many kernels of backward */
    int       request;
    size_t   *starts;            /* of the ranks' pieces: ranks + 1 */
    size_t    own;               /* numbers of this rank's piece */
    float   **rows;              /* ranks: the pieces that arrived, own numbers each */
    float    *received;          /* their numbers: ranks x own */
    uint16_t *wire, *wire_received;      /* the same in bf16: count, and ranks x own; NULL: f32 travels */
    int       ranks, rank;
} Bucket;

/* Takes all the memory that its way will need. */
Bucket bucket_new(const Ranks *ranks, float *block, size_t count, size_t place, float scale, bool bf16);
void   bucket_free(Bucket *bucket);

bool bucket_overlaps(const Bucket *bucket, ParamSpan span);

/* Begins to send the pieces; when they have arrived, sums the own one and begins to send that to all; and then takes what came. */
void bucket_spread(Bucket *bucket, const Ranks *ranks);
void bucket_collect(Bucket *bucket, const Ranks *ranks);
void bucket_take(Bucket *bucket);
/* The whole way at once, with nothing beside it. */
void bucket_exchange(Bucket *bucket, const Ranks *ranks);
/* Whether what was begun last is done. After true it must go on. */
bool bucket_arrived(const Bucket *bucket, const Ranks *ranks);

#endif
