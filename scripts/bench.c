/* bench.c - the speed of every architecture: a line each, or a line a kernel. What a step is stands in timed_step.h. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "architectures.h"
#include "common_options.h"
#include "compute_threads.h"
#include "options.h"
#include "peak.h"
#include "plan_cache.h"
#include "program.h"
#include "plan_text.h"
#include "rank_placement.h"
#include "ranks_open.h"
#include "scale.h"
#include "timed_step.h"
#include "wire_forms.h"

enum { CHANNELS = 3, CLASSES = 10 };

typedef struct BenchFlags {
    const char *mode, *dtype, *plan, *act;
    int64_t     batch, side, threads;
    double      seconds;
    double      latency, bandwidth, message;      /* of --ranks-model's wire: seconds, bytes a second, seconds */
    bool        profile, kernels, ranks_model;
    Ranks      *ranks;
} BenchFlags;

#define FIELD(name) .field = offsetof(BenchFlags, name)

static const Setting options[] = {
    { "mode", NULL, 0, SETTING_text, FIELD(mode), "train|infer", "train", .choices = "train infer", .group = "What", .help = "a training step, or inference" },
    { "batch-size", "batch", 'b', SETTING_whole, FIELD(batch), "N", "128", .least = 1, .most = 65536, .group = "What", .help = "images a step" },
    { "side", "img-size", 0, SETTING_whole, FIELD(side), "N", "32", .least = 1, .most = 4096, .group = "What", .help = "images of 3 x N x N" },
    { "act", "activation", 0, SETTING_text, FIELD(act), "NAME[:P]", .shown = "the architecture's own", .group = "What", .help = "activation in every block" },
    { "dtype", NULL, 0, SETTING_text, FIELD(dtype), "f32|bf16", "f32", .choices = "f32 bf16", .group = "How", .help = "bf16: mixed precision, as train --amp" },
    { "plan", NULL, 0, SETTING_text, FIELD(plan), "NAME", "default", .group = "How", .help = "how the computation is laid out: " PLAN_WORDS },
    { "threads", NULL, 0, SETTING_whole, FIELD(threads), "N", "0", "cores", .most = 1024, .group = "How", .help = "how many to compute with" },
    { "seconds", NULL, 0, SETTING_real, FIELD(seconds), "F", "8", .least = 0, .most = 1e6, .group = "How", .help = "how long to measure each" },
    { "kernels", NULL, 0, SETTING_switch, FIELD(kernels), .group = "How", .help = "print what is compiled, and measure nothing" },
    { "profile", NULL, 0, SETTING_switch, FIELD(profile), .group = "How", .help = "also print a line for each part of the computation" },
    { "ranks-model", NULL, 0, SETTING_switch, FIELD(ranks_model), .group = "Ranks", .help = "predict a step of 1 to 1,024 ranks of this batch each; under mpirun from what is measured between them" },
    { "latency", NULL, 0, SETTING_text, FIELD(latency), "TIME", "50us", .form = &form_latency, .group = "Ranks", .help = "of the wire to predict for" },
    { "bandwidth", NULL, 0, SETTING_text, FIELD(bandwidth), "RATE", "10Gbit", .form = &form_bandwidth, .group = "Ranks", .help = "of it, or 1.2GB a second" },
    { "message", NULL, 0, SETTING_text, FIELD(message), "TIME", "0", "measured, or 2us", .form = &form_message, .group = "Ranks", .help = "that each further message at once takes on it", .rare = true },
};

static const OptionTable table = {
    .usage = "[OPTION...] [ARCH...]",
    .about = "Measure training or inference: one line for each architecture (all, if none is named).",
    .examples = "resnet18 convnext_tiny -b 128\n"
                "lenet --mode infer --profile\n"
                "lenet -b 4 --kernels\n"
                "resnet18 -b 32 --ranks-model --bandwidth 1Gbit\n",
    .options = options, .count = sizeof options / sizeof *options, .most_arguments = 1 << 30,
};

typedef struct Bench {
    const BenchFlags *flags;
    Plan       plan;
    Network   *network;
    TimedStep  timed;
} Bench;

/* Percent of peak: of the rate of a large product of matrices, in the kernel's own type. */
static void print_row(const KernelProfile *row, double steps, double all, double peak)
{
    const double seconds = row->seconds / steps, rate = seconds > 0.0 ? 1.0 / seconds : 0.0;
    printf("%-36s %-20s %9.3f %5.1f%% %8.1f %5.1f%% %7.1f  %s\n", row->module, row->what, 1e3 * seconds,
           all > 0.0 ? 100.0 * row->seconds / all : 0.0, 1e-9 * row->flops * rate, 100.0 * row->flops * rate / peak,
           1e-9 * row->bytes * rate, row->implementation);
}

static void print_profile(const Program *program, double steps)
{
    const int count = program_profile_rows(program, NULL, 0);
    KernelProfile *rows = allocate((size_t)count, sizeof *rows, "a profile");
    double all = 0.0, reorders = 0.0;
    int reorder_count = 0;
    const double peaks[] = { peak_flops(false), program_can_bf16() ? peak_flops(true) : 1.0 };
    program_profile_rows(program, rows, count);
    for (int i = 0; i < count; i++)
        all += rows[i].seconds;
    printf("%-36s %-20s %9s %6s %8s %6s %7s  %s\n", "module", "what", "ms", "share", "GFLOP/s", "peak", "GB/s", "implementation");
    for (int i = 0; i < count; i++) {
        const bool is_reorder = !strcmp(rows[i].what, "reorder");
        print_row(&rows[i], steps, all, peaks[rows[i].bf16]);
        reorders += is_reorder ? rows[i].seconds : 0.0;
        reorder_count += is_reorder;
    }
    printf("%d kernels, %.3f ms; %d reorders, %.3f ms; peak of f32 %.0f GFLOP/s", count, 1e3 * all / steps, reorder_count,
           1e3 * reorders / steps, 1e-9 * peaks[0]);
    if (program_can_bf16())
        printf(", of bf16 %.0f", 1e-9 * peaks[1]);
    printf("\n");
    free(rows);
}

static bool bench_plan(const BenchFlags *flags, Plan *plan, Error *error)
{
    return plan_parse(flags->plan, plan, error) &&
           (strcmp(flags->dtype, "bf16") || plan_mix_precision(plan, "--dtype bf16", error));
}

static void print_speed(const Bench *b, const Architecture *arch, double seconds)
{
    static const char *const layouts[] = { [LAYOUT_automatic] = "auto",
                                           [LAYOUT_blocked] = "blocked",
                                           [LAYOUT_channels_last] = "nhwc",
                                           [LAYOUT_batch_last] = "batch-last" };
    printf("%-20s %s %s %s %s b%d %9.1f img/s %9.2f ms\n", arch->key, b->flags->mode, b->flags->dtype, layouts[b->plan.layout],
           plan_text(&b->plan), (int)b->flags->batch, (double)b->flags->batch / seconds, 1e3 * seconds);
}

static bool bench_network(Bench *b, const PlanSubject *subject, Error *error)
{
    b->network = architecture_network(subject->arch, subject->image, &subject->options, error);
    return b->network && (subject->purpose.gradients == GRADIENTS_none || network_trains_with(b->network, subject->batch, error));
}

static void bench_compile(Bench *b, const PlanSubject *subject)
{
    plan_settle(&b->plan, subject, note_print, NULL);
    b->timed = timed_step_new(b->network, &b->plan, subject->purpose, subject->batch);
}

static void bench_free(Bench *b)
{
    timed_step_free(&b->timed);
    network_free(b->network);
}

static void bench_scale(Bench *b, const Architecture *arch)
{
    const BenchFlags *flags = b->flags;
    const ScaleOptions wanted = { .seconds = flags->seconds, .latency = flags->latency, .bandwidth = flags->bandwidth, .message = flags->message };
    printf("%s %s\n", arch->key, flags->dtype);
    scale_print(&b->timed, flags->ranks, &wanted);
}

static bool bench_arch(const BenchFlags *flags, const Architecture *arch, Error *error)
{
    const Purpose purpose = !strcmp(flags->mode, "train") ? PURPOSE_training : PURPOSE_inference;
    PlanSubject subject = { arch, { CHANNELS, (int)flags->side, (int)flags->side }, { .classes = CLASSES, .act = activation_of(arch->act) }, purpose, (int)flags->batch };
    Bench b = { .flags = flags };
    if (!bench_plan(flags, &b.plan, error) || (flags->act && !activation_parse(flags->act, &subject.options.act, error)))
        return false;
    bool done = bench_network(&b, &subject, error);
    if (done) {
        bench_compile(&b, &subject);
        if (flags->kernels)
            program_print_kernels(b.timed.program, stdout);
        else if (flags->ranks_model)
            bench_scale(&b, arch);
        else
            print_speed(&b, arch, timed_step_median(&b.timed, flags->seconds, flags->profile));
        if (flags->profile && !flags->kernels && !flags->ranks_model)
            print_profile(b.timed.program, (double)(b.timed.step - TIMED_WARM_UP));
        done = output_flush(error);
    }
    bench_free(&b);
    return done;
}

/* The ranks, of which the first one prints. */
static bool bench_ranks(BenchFlags *flags, Error *error)
{
    if (strcmp(flags->mode, "train"))
        return error_set(error, EXIT_usage, "--mode infer and --ranks-model: ranks exchange gradients: leave one out");
    if (!ranks_open(&flags->ranks, 0.0, error))
        return false;
    if (flags->ranks)
        flags->threads = rank_placement_settle(flags->ranks, flags->threads, false);
    return ranks_agree(flags->ranks, ranks_first(flags->ranks) || ranks_print_nothing(error), error);
}

static bool run(BenchFlags *flags, const OptionLine *line, Error *error)
{
    if (!flags->ranks_model)
        ranks_alone();
    else if (!bench_ranks(flags, error))
        return false;
    for (int i = 0; i < line->argument_count; i++)
        if (!architecture_find(line->arguments[i], error))
            return false;
    compute_threads_settle(flags->threads);
    const int count = line->argument_count ? line->argument_count : architecture_count();
    for (int i = 0; i < count; i++)
        if (!bench_arch(flags, line->argument_count ? architecture_find(line->arguments[i], error) : architecture_at(i), error))
            return false;
    return output_flush(error);
}

int main(int argc, char **argv)
{
    BenchFlags flags = { 0 };
    OptionLine line;
    Error error = { 0 };
    compute_threads_bound_wait(argv);
    ranks_expect();
    options_start(&table, argc, argv, &flags, &line);
    const int code = run(&flags, &line, &error) ? EXIT_ok : (int)error.code;
    ranks_leave(flags.ranks);
    options_free(&line);
    if (code != EXIT_ok)
        error_print(&error);
    ranks_close(code);
    return code;
}
