/* rank_trial.c - see rank_trial.h. */

#define _GNU_SOURCE      /* CLOCK_THREAD_CPUTIME_ID */

#include "rank_trial.h"

#include "bucket.h"
#include "clock.h"
#include "errors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- the wire ---- */

enum {
    TRIES = 9,
    MESSAGES = 16,               /* at once */
    FEW = 64, MANY = 1 << 20,    /* floats of a bucket */
    SIZES = 5, RATIO = 4,        /* each so many times the one before, to MANY */
};

static double processor_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* What a thread computes while buckets travel, in pieces. */
typedef struct Work {
    int    turns;                /* of a piece */
    double piece;                /* seconds of the processor that one takes undisturbed */
    int    done;                 /* pieces */
} Work;

static void work_piece(Work *work)
{
    volatile float x = 1.0f;
    for (int i = 0; i < work->turns; i++)
        x = 0.5f * x + 0.5f;
    work->done++;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *times, int count)
{
    qsort(times, (size_t)count, sizeof *times, by_size);
    return count ? times[count / 2] : 0.0;
}

/* Pieces of about a tenth of a millisecond, as long as small kernels. */
static Work work_new(void)
{
    enum { TURNS = 20000, PIECES = 101 };
    Work work = { .turns = TURNS };
    double times[PIECES];
    for (int i = 0; i < PIECES; i++) {
        const double begin = processor_now();
        work_piece(&work);
        times[i] = processor_now() - begin;
    }
    work.piece = median(times, PIECES);
    return work;
}

/* NULL: with nothing to do. */
static void wait_at_work(const Ranks *ranks, int request, Work *work)
{
    if (!work) {
        ranks_wait(ranks, request);
        return;
    }
    while (!ranks->transport->done(ranks->state, request))
        work_piece(work);
}

/* One bucket, both ways, after all have come. Returns seconds on the clock; with work, those of the processor that were not its own. */
static double exchange_once(const Ranks *ranks, Bucket *bucket, Work *work)
{
    ranks_decide(ranks, true);
    const int before = work ? work->done : 0;
    const double begin = work ? processor_now() : seconds_now();
    bucket_spread(bucket, ranks);
    wait_at_work(ranks, bucket->request, work);
    bucket_collect(bucket, ranks);
    wait_at_work(ranks, bucket->request, work);
    return work ? processor_now() - begin - (work->done - before) * work->piece : seconds_now() - begin;
}

/* The least of several. */
static double time_bucket(const Ranks *ranks, size_t count)
{
    double least = INFINITY;
    float *numbers = allocate(count, sizeof *numbers, "a trial of the exchange");
    Bucket bucket = bucket_new(ranks, numbers, count, SIZE_MAX, 0.5f, false);
    for (int i = 0; i < TRIES; i++)
        least = fmin(least, exchange_once(ranks, &bucket, NULL));
    bucket_free(&bucket);
    free(numbers);
    return least;
}

/* What a bucket takes of the processor: calls, sums, and interrupts that come while it computes. */
static double handle_bucket(const Ranks *ranks, size_t count)
{
    double stolen[TRIES];
    Work work = work_new();
    float *numbers = allocate(count, sizeof *numbers, "a trial of the exchange");
    Bucket bucket = bucket_new(ranks, numbers, count, SIZE_MAX, 0.5f, false);
    for (int i = 0; i < TRIES; i++)
        stolen[i] = exchange_once(ranks, &bucket, &work);
    bucket_free(&bucket);
    free(numbers);
    return fmax(0.0, median(stolen, TRIES));
}

/* The least seconds of so many small buckets that are sent one way at the same time. */
static double time_messages(const Ranks *ranks, int messages)
{
    double least = INFINITY;
    float numbers[FEW] = { 0 };
    Bucket buckets[MESSAGES];
    for (int m = 0; m < messages; m++)
        buckets[m] = bucket_new(ranks, numbers, FEW, SIZE_MAX, 0.5f, false);
    for (int i = 0; i < TRIES; i++) {
        ranks_decide(ranks, true);
        const double begin = seconds_now();
        for (int m = 0; m < messages; m++)
            bucket_spread(&buckets[m], ranks);
        for (int m = 0; m < messages; m++)
            ranks_wait(ranks, buckets[m].request);
        least = fmin(least, seconds_now() - begin);
    }
    for (int m = 0; m < messages; m++)
        bucket_free(&buckets[m]);
    return least;
}

RankWire rank_trial_wire(const Ranks *ranks)
{
    RankTrial trials[SIZES];
    RankWire wire = { 0 };
    const int others = ranks_count(ranks) - 1;
    time_bucket(ranks, MANY);      /* connections are made at the first use */
    const double one = time_messages(ranks, 1);
    wire.message = fmax(0.0, (time_messages(ranks, MESSAGES) - one) / ((MESSAGES - 1) * others));
    size_t count = MANY;
    for (int i = SIZES - 1; i >= 0; i--, count /= RATIO)
        trials[i] = (RankTrial){ (double)(count * sizeof(float)), time_bucket(ranks, count) };
    rank_model_fit(&wire, ranks_count(ranks), trials, SIZES);
    wire.handling = handle_bucket(ranks, MANY) / (2.0 * others / (others + 1) * MANY * sizeof(float));
    ranks_broadcast(ranks, &wire, sizeof wire);
    return wire;
}

/* ---- steps ---- */

typedef enum { STEP_alone, STEP_overlap, STEP_late, STEP_KINDS } StepKind;

enum { LEAST_STEPS = 3, MOST_STEPS = 10000 };

typedef struct Stamps {
    double *at;                  /* on the clock */
    int     kernels;
} Stamps;

static void stamp(void *context, int kernels)
{
    Stamps *stamps = context;
    stamps->at[kernels] = seconds_now();
    stamps->kernels = kernels;
}

/* What a step of this kind tells the exchange. */
static void set_kind(TimedStep *timed, Exchange *exchange, StepKind kind, Stamps *stamps)
{
    timed->exchange = kind == STEP_alone ? NULL : exchange;
    if (kind == STEP_alone) {
        program_watch_backward(timed->program, stamp, stamps);
    } else {
        exchange_follow(exchange, timed->program);
        exchange_set_late(exchange, kind == STEP_late);
    }
}

static void timeline_take(RankTimeline *timeline, const TimedStep *timed, const Stamps *stamps)
{
    timeline->before = timed->backward_began - timed->began;
    timeline->after = timed->ended - timed->backward_ended;
    timeline->kernels = stamps->kernels;
    timeline->at[0] = 0.0;
    for (int k = 1; k <= stamps->kernels; k++)
        timeline->at[k] = stamps->at[k] - timed->backward_began;
}

/* The shape is the quickest step's, which nothing has disturbed; its length becomes the median's. */
static void timeline_scale(RankTimeline *timeline, double seconds)
{
    const double scale = seconds / (timeline->before + timeline->at[timeline->kernels] + timeline->after);
    timeline->before *= scale;
    timeline->after *= scale;
    for (int k = 0; k <= timeline->kernels; k++)
        timeline->at[k] *= scale;
}

typedef double Choice(double a, double b);

/* fmax: of the slowest rank; fmin: of the quickest. */
static double of_ranks(const Ranks *ranks, double seconds, Choice *choice)
{
    const int count = ranks_count(ranks);
    double *all = allocate((size_t)count, sizeof *all, "times of ranks");
    ranks_gather(ranks, &seconds, sizeof seconds, all);
    for (int r = 0; r < count; r++)
        seconds = choice(seconds, all[r]);
    free(all);
    return seconds;
}

typedef struct StepTrial {
    TimedStep    *timed;
    const Ranks  *ranks;
    Exchange     *exchange;
    RankTimeline *timeline;
    Stamps        stamps;
    double       *times[STEP_KINDS], *waited;
    double        least;         /* of the steps of this rank by itself */
    int           count;         /* of each kind; -1: the first, which warms up */
} StepTrial;

static double *seconds_new(int count)
{
    return allocate((size_t)count, sizeof(double), "times of steps");
}

static void run_kind(StepTrial *trial, StepKind kind)
{
    TimedStep *timed = trial->timed;
    set_kind(timed, trial->exchange, kind, &trial->stamps);
    timed_step_run(timed);
    const double own = timed->ended - timed->began, all = of_ranks(trial->ranks, own, fmax);
    const double waited = kind == STEP_overlap ? of_ranks(trial->ranks, exchange_waited(trial->exchange), fmin) : 0.0;
    if (trial->count < 0)
        return;
    trial->times[kind][trial->count] = all;
    if (kind == STEP_overlap)
        trial->waited[trial->count] = waited;
    if (kind == STEP_alone && own < trial->least) {
        trial->least = own;
        timeline_take(trial->timeline, timed, &trial->stamps);
    }
}

static void run_all(StepTrial *trial, double seconds)
{
    const StepKind kinds = trial->exchange ? STEP_KINDS : STEP_alone + 1;
    double end = INFINITY;
    trial->count = -1;
    while (ranks_decide(trial->ranks, trial->count < LEAST_STEPS || (seconds_now() < end && trial->count < MOST_STEPS))) {
        for (StepKind kind = 0; kind < kinds; kind++)
            run_kind(trial, kind);
        if (trial->count++ < 0)
            end = seconds_now() + seconds;
    }
}

RankTimes rank_trial_steps(TimedStep *timed, const Ranks *ranks, Exchange *exchange, double seconds, RankTimeline *timeline)
{
    const int kernels = program_profile_rows(timed->program, NULL, 0);
    StepTrial trial = { timed, ranks, exchange, timeline, .stamps.at = seconds_new(kernels + 1), .waited = seconds_new(MOST_STEPS), .least = INFINITY };
    *timeline = (RankTimeline){ .at = seconds_new(kernels + 1) };
    timed->words = allocate((size_t)ranks_count(ranks), sizeof *timed->words, "losses of ranks");
    for (StepKind kind = 0; kind < STEP_KINDS; kind++)
        trial.times[kind] = seconds_new(MOST_STEPS);
    run_all(&trial, seconds);
    RankTimes result = { .alone = median(trial.times[STEP_alone], trial.count), .steps = trial.count };
    if (exchange) {
        result.overlap = median(trial.times[STEP_overlap], trial.count);
        result.late = median(trial.times[STEP_late], trial.count);
        result.waited = median(trial.waited, trial.count);
    }
    timeline_scale(timeline, result.alone);
    ranks_broadcast(ranks, &result, sizeof result);
    timed->exchange = NULL;
    program_watch_backward(timed->program, NULL, NULL);
    for (StepKind kind = 0; kind < STEP_KINDS; kind++)
        free(trial.times[kind]);
    free(timed->words);
    free(trial.waited);
    free(trial.stamps.at);
    return result;
}

void rank_timeline_free(RankTimeline *timeline)
{
    free(timeline->at);
    *timeline = (RankTimeline){ 0 };
}

RankStep rank_trial_cut(const RankTimeline *timeline, TimedStep *timed, size_t bucket_bytes)
{
    static const RankTransport nothing = { 0 };      /* an exchange that is only planned sends nothing */
    Ranks two = { .count = 2, .transport = &nothing };
    Exchange *planned = exchange_new(&two, program_network(timed->program), &(ExchangeOptions){ .bucket_bytes = bucket_bytes, .parts = 2 });
    exchange_follow(planned, timed->program);
    RankStep step = rank_step_new(exchange_buckets(planned));
    step.before = timeline->before;
    step.after = timeline->after;
    step.backward = timeline->at[timeline->kernels];
    for (int b = 0; b < step.count; b++) {
        int ready;
        step.bytes[b] = (double)exchange_bucket(planned, b, &ready);
        step.ready[b] = timeline->at[ready];
    }
    exchange_free(planned);
    return step;
}
