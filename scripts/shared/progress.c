/* progress.c - see progress.h. */

#include "progress.h"

#include "clock.h"

#include <string.h>
#include <unistd.h>

enum { BAR_WIDTH = 24 };
static const double REDRAW_SECONDS = 0.1;

Progress progress_new(const char *name, bool quiet, uint64_t interval)
{
    Progress progress = { .kind = PROGRESS_lines, .quiet = quiet, .interval = interval };
    if (quiet || !strcmp(name, "none"))
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
    fprintf(stderr, "%s: %s\n", program_name(), text);
}

/* "1:02:03", "2:03" */
static const char *duration(double seconds, char *text, size_t size)
{
    const long all = seconds < 0.0 ? 0 : seconds > 3.6e9 ? 3600000000L : (long)(seconds + 0.5);
    if (all >= 3600)
        snprintf(text, size, "%ld:%02ld:%02ld", all / 3600, all / 60 % 60, all % 60);
    else
        snprintf(text, size, "%ld:%02ld", all / 60, all % 60);
    return text;
}

static void draw_bar(Progress *progress, const TrainerStep *step)
{
    const double now = seconds_now();
    if (now - progress->shown < REDRAW_SECONDS && step->batch < step->batches)
        return;
    char bar[BAR_WIDTH + 1], left[32];
    const uint32_t filled = step->batches ? BAR_WIDTH * step->batch / step->batches : 0;
    for (uint32_t i = 0; i < BAR_WIDTH; i++)
        bar[i] = i < filled ? '#' : '.';
    bar[BAR_WIDTH] = '\0';
    fprintf(stderr, "\r\033[Kepoch %u/%u [%s] %u/%u  loss %.4f  top1 %.2f%%  %.0f img/s  %s left", step->epoch + 1, step->epochs,
            bar, step->batch, step->batches, step->loss, 100.0 * step->top1, step->images_per_second,
            duration(step->seconds_left, left, sizeof left));
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
                duration(step->seconds_left, left, sizeof left));
}

static void progress_epoch(void *context, const TrainerEpoch *epoch)
{
    Progress *progress = context;
    if (progress->quiet)
        return;
    progress_clear(progress);
    fprintf(stderr, "epoch %u/%u  train loss %.4f top1 %.2f%%  val loss %.4f top1 %.2f%%%s  lr %.3g  %.0f img/s  %.1f + %.1f s\n",
            epoch->epoch + 1, epoch->epochs, epoch->train_loss, 100.0 * epoch->train_top1, epoch->val_loss,
            100.0 * epoch->val_top1, epoch->best ? " *" : "", (double)epoch->lr, epoch->images_per_second, epoch->seconds,
            epoch->val_seconds);
}

TrainerReport progress_report(Progress *progress)
{
    return (TrainerReport){ .context = progress, .note = progress_note, .step = progress_step, .epoch = progress_epoch };
}
