/* figures.c - what evaluate always tells of a checkpoint: lines, a row of CSV, or a JSON object. */

#include "measured.h"

#include <math.h>
#include <stdio.h>

#include "common_options.h"

/* key, value; NAN where there is none. */
typedef struct Figure {
    const char *key;
    double      value;
} Figure;

enum { FIGURES_MOST = 32 };

static int figures_of(const Measured *m, Figure figures[FIGURES_MOST])
{
    const LossSum *sum = &m->sum;
    const double count = sum->count, kept = m->info->temperature, below = m->info->reject_below;
    const Interval top1 = metrics_interval(sum->top1, sum->count), top5 = metrics_interval(sum->top5, sum->count);
    const Calibration plain = calibration_measure(&m->outputs, 0);
    const Calibration calibrated = kept > 0 ? calibration_measure(&m->outputs, kept) : (Calibration){ .error = NAN, .loss = NAN };
    const Rejection reject = below > 0 ? calibration_reject(&m->outputs, kept, below) : (Rejection){ NAN, NAN, NAN };
    const Figure all[] = {
        { "count", count }, { "loss", sum->loss / count }, { "top1", sum->top1 / count }, { "top5", sum->top5 / count },
        { "images_per_second", round(10 * count / m->seconds) / 10 },
        { "top1_from", top1.from }, { "top1_to", top1.to }, { "top5_from", top5.from }, { "top5_to", top5.to },
        { "precision", m->metrics->precision }, { "recall", m->metrics->recall }, { "f1", m->metrics->f1 },
        { "calibration_error", plain.error }, { "worst_bin_error", plain.worst },
        { "temperature", kept > 0 ? kept : NAN }, { "calibrated_loss", calibrated.loss }, { "calibrated_error", calibrated.error },
        { "reject_below", reject.below }, { "answered", reject.coverage }, { "answered_right", reject.precision },
    };
    const int figures_count = sizeof all / sizeof *all;
    for (int i = 0; i < figures_count; i++)
        figures[i] = all[i];
    return figures_count;
}

static void print_text(const Measured *m)
{
    const LossSum *sum = &m->sum;
    const double count = sum->count;
    const Interval top1 = metrics_interval(sum->top1, sum->count), top5 = metrics_interval(sum->top5, sum->count);
    const Calibration plain = calibration_measure(&m->outputs, 0);
    print_printable(m->path);
    printf("  %s %s  %s: loss %.4f  top1 %.2f%%  top5 %.2f%%  of %u images  %.0f img/s\n", m->info->arch, m->info->act,
           split_name(m->data->split), sum->loss / count, 100 * sum->top1 / count, 100 * sum->top5 / count, sum->count, count / m->seconds);
    printf("  95%% intervals: top1 %.2f%% to %.2f%%, top5 %.2f%% to %.2f%%\n", 100 * top1.from, 100 * top1.to, 100 * top5.from, 100 * top5.to);
    printf("  mean over the classes: precision %.2f%%  recall %.2f%%  f1 %.2f%%\n", 100 * m->metrics->precision, 100 * m->metrics->recall,
           100 * m->metrics->f1);
    printf("  expected calibration error %.2f%%", 100 * plain.error);
    if (m->info->temperature > 0) {
        const Calibration calibrated = calibration_measure(&m->outputs, m->info->temperature);
        printf("; with the checkpoint's temperature, %.3f: %.2f%%, loss %.4f", m->info->temperature, 100 * calibrated.error, calibrated.loss);
    }
    putchar('\n');
    if (m->info->reject_below > 0) {
        const Rejection reject = calibration_reject(&m->outputs, m->info->temperature, m->info->reject_below);
        printf("  answers where it is at least %.2f%% sure: %.2f%% of the images, %.2f%% of them right\n", 100 * reject.below, 100 * reject.coverage,
               100 * reject.precision);
    }
}

static void print_number(double value, const char *none)
{
    if (isfinite(value))
        printf("%.9g", value);
    else
        fputs(none, stdout);
}

static void print_csv(const Measured *m)
{
    Figure figures[FIGURES_MOST];
    const int count = figures_of(m, figures);
    printf("checkpoint,arch,act,split,tta");
    for (int i = 0; i < count; i++)
        printf(",%s", figures[i].key);
    putchar('\n');
    const char *const texts[] = { m->path, m->info->arch, m->info->act, split_name(m->data->split), view_set_name(m->views) };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        fputs(i ? "," : "", stdout);
        print_csv_text(texts[i]);
    }
    for (int i = 0; i < count; i++) {
        putchar(',');
        print_number(figures[i].value, "");
    }
    putchar('\n');
}

static void print_json(const Measured *m)
{
    Figure figures[FIGURES_MOST];
    const int count = figures_of(m, figures);
    const char *const texts[][2] = {
        { "checkpoint", m->path }, { "arch", m->info->arch }, { "act", m->info->act }, { "split", split_name(m->data->split) },
        { "tta", view_set_name(m->views) },
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        printf("%s\"%s\": ", i ? ", " : "{", texts[i][0]);
        print_json_string(texts[i][1]);
    }
    for (int i = 0; i < count; i++) {
        printf(", \"%s\": ", figures[i].key);
        print_number(figures[i].value, "null");
    }
}

void figures_begin(const Measured *measured, ResultsFormat format)
{
    if (format == RESULTS_text)
        print_text(measured);
    else if (format == RESULTS_csv)
        print_csv(measured);
    else
        print_json(measured);
}

void figures_end(ResultsFormat format)
{
    if (format == RESULTS_json)
        printf("}\n");
}
