/* plots.c - see plots.h. */

#include "plots.h"

#include <math.h>
#include <stdlib.h>

#include "clock.h"
#include "run_chart.h"
#include "text.h"

static const double SHARE = 0.02;      /* of the run's time at most */

/* ---- a run ---- */

static bool draw(const Plots *plots, RunChartKind kind, const char *name, Error *error)
{
    const RunFolder *folder = plots->trainer->folder;
    Chart *chart = run_chart(folder->files[RUN_log], kind, error);
    char *path = text_format("%s/%s", folder->path, name);
    const bool saved = chart && chart_save(chart, path, error);
    free(path);
    chart_free(chart);
    return saved;
}

void plots_draw(Plots *plots)
{
    Error error;
    const double begin = seconds_now();
    if ((!draw(plots, RUN_CHART_learning, "curves.png", &error) || !draw(plots, RUN_CHART_speed, "rates.png", &error)) && !plots->told) {
        plots->told = true;
        trainer_note(plots->trainer, "warning: the pictures of --plots are not up to date: %s: the training goes on", error.text);
    }
    plots->drawn = seconds_now();
    plots->cost = plots->drawn - begin;
}

static void plots_note(void *context, const char *text)
{
    const TrainerReport *to = &((Plots *)context)->report;
    if (to->note)
        to->note(to->context, text);
}

static void plots_step(void *context, const TrainerStep *step)
{
    const TrainerReport *to = &((Plots *)context)->report;
    if (to->step)
        to->step(to->context, step);
}

static void plots_epoch(void *context, const TrainerEpoch *epoch)
{
    Plots *plots = context;
    if (plots->report.epoch)
        plots->report.epoch(plots->report.context, epoch);
    if (plots->trainer && plots->cost <= SHARE * (seconds_now() - plots->drawn))
        plots_draw(plots);
}

TrainerReport plots_report(Plots *plots, TrainerReport report)
{
    *plots = (Plots){ .report = report };
    return (TrainerReport){ .context = plots, .note = plots_note, .step = plots_step, .epoch = plots_epoch };
}

/* ---- a search for the rate ---- */

/* The first smoothed loss says how far up the picture goes: the last ones run away. */
bool plots_save_rates(const RatePoint *points, int count, float suggested, const char *path, Error *error)
{
    double rates[RATE_POINTS], losses[RATE_POINTS], smooth[RATE_POINTS], at = 0;
    const double most = count ? 1.5 * points[0].smooth : 1;
    for (int i = 0; i < count; i++) {
        rates[i] = (double)points[i].lr;
        losses[i] = points[i].loss <= most ? points[i].loss : NAN;
        smooth[i] = points[i].smooth <= most ? points[i].smooth : NAN;
        at = points[i].lr <= suggested ? smooth[i] : at;
    }
    char label[64];
    snprintf(label, sizeof label, "--lr %.2g", (double)suggested);
    Chart *chart = chart_new("The loss while the learning rate rises");
    chart_panel(chart, (ChartPanel){ .x_label = "learning rate", .y_label = "loss", .x_log = true });
    chart_line(chart, (ChartSeries){ .name = "of the step", .count = count, .x = rates, .y = losses, .colour = 2 });
    chart_line(chart, (ChartSeries){ .name = "smoothed", .count = count, .x = rates, .y = smooth, .colour = 1 });
    if (suggested > 0.0f && isfinite(at))
        chart_mark(chart, (double)suggested, at, label);
    const bool saved = chart_save(chart, path, error);
    chart_free(chart);
    return saved;
}
