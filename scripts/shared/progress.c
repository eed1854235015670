/* progress.c - see progress.h. */

#include "progress.h"

#include "bar.h"
#include "clock.h"
#include "common_options.h"
#include "terminal.h"

#include <string.h>
#include <unistd.h>

static const double REDRAW_SECONDS = 0.1;

Progress progress_new(const char *name, bool quiet, uint64_t interval)
{
    const bool none = quiet || !strcmp(name, "none");
    Progress progress = { .kind = PROGRESS_lines, .quiet = none, .interval = interval };
    if (none)
        progress.kind = PROGRESS_none;
    else if (!strcmp(name, "bar") || (!strcmp(name, "auto") && isatty(STDERR_FILENO)))
        progress.kind = PROGRESS_bar;
    return progress;
}

void progress_clear(Progress *progress)
{
    if (progress->drawn)
        fputs("\r\033[K", stderr);
    progress->drawn = false;
}

static void progress_note(void *context, const char *text)
{
    Progress *progress = context;
    if (progress->quiet && strncmp(text, "warning", 7))
        return;
    progress_clear(progress);
    note_print(NULL, text);
}

static void draw_bar(Progress *progress, const TrainerStep *step)
{
    const double now = seconds_now();
    if (now - progress->shown < REDRAW_SECONDS && step->batch < step->batches)
        return;
    char line[256];
    bar_write(step, terminal_columns(STDERR_FILENO), line, sizeof line);
    fprintf(stderr, "\r\033[K%s", line);
    progress->shown = now;
    progress->drawn = true;
}

static void progress_step(void *context, const TrainerStep *step)
{
    Progress *progress = context;
    char left[32];
    if (progress->kind == PROGRESS_bar)
        draw_bar(progress, step);
    else if (progress->kind == PROGRESS_lines && step->step % progress->interval == 0)
        fprintf(stderr, "epoch %u/%u  step %llu/%llu  loss %.4f  top1 %.2f%%  lr %.3g  grad %.3g  %.0f img/s  %s left\n",
                step->epoch + 1, step->epochs, (unsigned long long)step->step, (unsigned long long)step->steps, step->loss,
                100.0 * step->top1, (double)step->lr, step->gradient_norm, step->images_per_second,
                bar_duration(step->seconds_left, left, sizeof left));
}

static void progress_epoch(void *context, const TrainerEpoch *epoch)
{
    Progress *progress = context;
    if (progress->quiet)
        return;
    progress_clear(progress);
    char line[256];
    snprintf(line, sizeof line, "epoch %u/%u  train loss %.4f top1 %.2f%%  val loss %.4f top1 %.2f%%%s  lr %.3g  %.0f img/s  %.1f + %.1f s",
             epoch->epoch + 1, epoch->epochs, epoch->train_loss, 100.0 * epoch->train_top1, epoch->val_loss,
             100.0 * epoch->val_top1, epoch->best ? " *" : "", (double)epoch->lr, epoch->images_per_second, epoch->seconds,
             epoch->val_seconds);
    terminal_print(stderr, line, terminal_columns(STDERR_FILENO));
}

TrainerReport progress_report(Progress *progress)
{
    return (TrainerReport){ .context = progress, .note = progress_note, .step = progress_step, .epoch = progress_epoch };
}
