/* scale.c - see scale.h. */

#include "scale.h"

#include "rank_trial.h"

#include <stdio.h>

static const double MESSAGE = 2e-6;      /* seconds that a processor has to do for a message on TCP, where none was measured */

enum { MOST_RANKS = 1024 };

static size_t bucket_bytes(const RankWire *wire, int ranks)
{
    return exchange_fitting_bytes(rank_model_bucket(wire, ranks, 0.0), rank_model_bucket(wire, ranks, 1.0) - rank_model_bucket(wire, ranks, 0.0));
}

static void print_step(const RankStep *step, int images)
{
    double bytes = 0.0;
    for (int b = 0; b < step->count; b++)
        bytes += step->bytes[b];
    printf("a rank alone: %d images in %.2f ms: %.2f before backward, %.2f in it, %.2f after; %.2f MB to exchange\n", images,
           1e3 * rank_step_alone(step), 1e3 * step->before, 1e3 * step->backward, 1e3 * step->after, 1e-6 * bytes);
}

static void print_wire(const char *what, const RankWire *wire)
{
    printf("%s: %.1f us, %.2f us for each further message, %.2f Gbit/s; the processor has %.2f ns to do for a byte\n", what, 1e6 * wire->latency,
           1e6 * wire->message, wire->byte > 0.0 ? 8e-9 / wire->byte : 0.0, 1e9 * wire->handling);
}

static double percent(double alone, double seconds)
{
    return 100.0 * alone / seconds;
}

static void print_measured(const RankTimes *times, const RankStep *step, const RankWire *wire, int ranks)
{
    const double with = rank_model_step(step, wire, ranks, true), without = rank_model_step(step, wire, ranks, false), alone = times->alone;
    printf("%d ranks, %d steps of each kind:   ms measured   predicted     efficiency   predicted\n", ranks, times->steps);
    printf("  overlap                     %12.2f %11.2f %13.1f%% %10.1f%%   (%.2f ms of it waited after backward)\n", 1e3 * times->overlap, 1e3 * with,
           percent(alone, times->overlap), percent(alone, with), 1e3 * times->waited);
    printf("  exchange after backward     %12.2f %11.2f %13.1f%% %10.1f%%\n", 1e3 * times->late, 1e3 * without, percent(alone, times->late),
           percent(alone, without));
}

static void print_table(const RankTimeline *timeline, TimedStep *timed, const RankWire *wire)
{
    const int images = program_batch(timed->program);
    printf("%8s %8s %8s | %12s %10s %12s | %12s %10s\n", "ranks", "batch", "buckets", "overlap ms", "efficiency", "images/s", "after ms", "efficiency");
    for (int ranks = 1; ranks <= MOST_RANKS; ranks *= 2) {
        RankStep step = rank_trial_cut(timeline, timed, bucket_bytes(wire, ranks > 1 ? ranks : 2));
        const double alone = rank_step_alone(&step), with = rank_model_step(&step, wire, ranks, true);
        const double without = rank_model_step(&step, wire, ranks, false);
        printf("%8d %8d %8d | %12.2f %9.1f%% %12.0f | %12.2f %9.1f%%\n", ranks, ranks * images, ranks > 1 ? step.count : 0, 1e3 * with,
               percent(alone, with), ranks * images / with, 1e3 * without, percent(alone, without));
        rank_step_free(&step);
    }
}

void scale_print(TimedStep *timed, Ranks *ranks, const ScaleOptions *options)
{
    RankTimeline timeline;
    RankWire asked = { .latency = options->latency, .message = options->message, .byte = 1.0 / options->bandwidth };
    Exchange *exchange = NULL;
    if (ranks)
        exchange = exchange_new(ranks, program_network(timed->program), &(ExchangeOptions){ .parts = ranks_count(ranks) });
    const RankTimes times = rank_trial_steps(timed, ranks, exchange, options->seconds, &timeline);
    RankStep step = rank_trial_cut(&timeline, timed, exchange ? exchange_bucket_bytes(exchange) : bucket_bytes(&asked, 2));
    print_step(&step, program_batch(timed->program));
    if (ranks) {
        const RankWire wire = rank_trial_wire(ranks);
        print_wire("the wire between these ranks", &wire);
        print_measured(&times, &step, &wire, ranks_count(ranks));
        print_table(&timeline, timed, &wire);
        asked.message = asked.message > 0.0 ? asked.message : wire.message;
        asked.handling = wire.handling;
    }
    asked.message = asked.message > 0.0 ? asked.message : MESSAGE;
    print_wire("the wire that is asked about", &asked);
    print_table(&timeline, timed, &asked);
    rank_step_free(&step);
    rank_timeline_free(&timeline);
    exchange_free(exchange);
}
