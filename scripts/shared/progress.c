/* progress.c - see progress.h. */

#include "progress.h"

#include "bar.h"
#include "clock.h"
#include "common_options.h"
#include "terminal.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double REDRAW_SECONDS = 0.1;

/* The cursor stands where the drawn lines begin: whoever prints next clears from there on. */
#define CLEAR "\r\033[J"

/* A line that is too long is cut, as when the terminal became narrower while a block was on its way to it: a wrapped one would leave lines above the cursor. */
#define CUT  "\033[?7l"
#define WRAP "\033[?7h"

static volatile sig_atomic_t on_screen, continued;

/* ---- suspended and resumed ---- */

static void suspend(int number)
{
    const int before = errno;
    struct sigaction mine, usual = { .sa_handler = SIG_DFL };
    sigset_t one, old;
    if (on_screen)
        (void)!write(STDERR_FILENO, CLEAR, sizeof CLEAR - 1);
    on_screen = 0;
    sigemptyset(&one);
    sigaddset(&one, number);
    sigaction(number, &usual, &mine);
    raise(number);
    pthread_sigmask(SIG_UNBLOCK, &one, &old);      /* it stops here */
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    sigaction(number, &mine, NULL);
    continued = 1;
    errno = before;
}

static void watch_suspension(void)
{
    struct sigaction before, action = { .sa_handler = suspend, .sa_flags = SA_RESTART };
    if (sigaction(SIGTSTP, NULL, &before) == 0 && before.sa_handler == SIG_DFL)
        sigaction(SIGTSTP, &action, NULL);
}

/* In the background, the screen is another program's. */
static bool is_in_front(void)
{
    const pid_t front = tcgetpgrp(STDERR_FILENO);
    return front < 0 || front == getpgrp();
}

/* ---- drawing ---- */

static bool has_unicode(void)
{
    static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *locale = getenv(names[i]);
        if (locale && *locale)
            return strstr(locale, "UTF-8") || strstr(locale, "utf8") || strstr(locale, "UTF8") || strstr(locale, "utf-8");
    }
    return false;
}

Progress progress_new(const char *name, bool quiet, uint64_t interval)
{
    const bool none = quiet || !strcmp(name, "none"), terminal = isatty(STDERR_FILENO);
    Progress progress = { .kind = PROGRESS_lines, .quiet = none, .interval = interval, .unicode = has_unicode() };
    if (none)
        progress.kind = PROGRESS_none;
    else if (terminal && !strcmp(name, "bar"))
        progress.kind = PROGRESS_bar;
    else if (terminal && strcmp(name, "lines"))
        progress.kind = PROGRESS_block;
    if (progress.kind == PROGRESS_block || progress.kind == PROGRESS_bar)
        watch_suspension();
    return progress;
}

void progress_clear(Progress *progress)
{
    (void)progress;
    if (on_screen)
        fputs(CLEAR, stderr);
    on_screen = 0;
}

/* All in one piece, so that nothing is seen half drawn. */
static void draw(Progress *progress, const TrainerStep *step)
{
    char lines[BLOCK_LINES][BLOCK_LINE], text[BLOCK_LINES * BLOCK_LINE + 64];
    const double now = seconds_now();
    const int columns = terminal_columns(STDERR_FILENO);
    if ((now - progress->shown < REDRAW_SECONDS && step->batch < step->batches && !continued) || !is_in_front())
        return;
    size_t at = (size_t)snprintf(text, sizeof text, CLEAR CUT);
    if (progress->kind == PROGRESS_block && (columns == 0 || columns >= BLOCK_LEAST_COLUMNS)) {
        block_write(step, &progress->curve, columns ? columns : 80, progress->unicode, lines);
        for (int i = 0; i < BLOCK_LINES; i++)
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%s", i ? "\n" : "", lines[i]);
        at += (size_t)snprintf(text + at, sizeof text - at, "\r\033[%dA" WRAP, BLOCK_LINES - 1);
    } else {
        bar_write(step, columns, lines[0], sizeof lines[0]);
        at += (size_t)snprintf(text + at, sizeof text - at, "%s\r" WRAP, lines[0]);
    }
    on_screen = 1;
    continued = 0;
    fwrite(text, 1, at, stderr);
    progress->shown = now;
}

static void progress_note(void *context, const char *text)
{
    Progress *progress = context;
    if (progress->quiet && strncmp(text, "warning", 7))
        return;
    progress_clear(progress);
    note_print(NULL, text);
}

static void progress_step(void *context, const TrainerStep *step)
{
    Progress *progress = context;
    char left[32];
    curve_add(&progress->curve, step->step_loss);
    if (progress->kind == PROGRESS_block || progress->kind == PROGRESS_bar)
        draw(progress, step);
    else if (progress->kind == PROGRESS_lines && step->step % progress->interval == 0)
        fprintf(stderr, "epoch %u/%u  step %llu/%llu  loss %.4f  top1 %.2f%%  lr %.3g  grad %.3g  %.0f img/s  %s left\n",
                step->epoch + 1, step->epochs, (unsigned long long)step->step, (unsigned long long)step->steps, step->loss,
                100.0 * step->top1, (double)step->lr, step->gradient_norm, step->images_per_second,
                bar_duration(step->seconds_left, left, sizeof left));
}

/* A validation's loss may be no number where training's still is one. */
static const char *loss_text(double loss, char *text, size_t size)
{
    snprintf(text, size, "%.4f", loss);
    return isnan(loss) ? "NaN" : isinf(loss) ? "infinite" : text;
}

static void progress_epoch(void *context, const TrainerEpoch *epoch)
{
    Progress *progress = context;
    if (progress->quiet)
        return;
    progress_clear(progress);
    char line[256], val_loss[32];
    snprintf(line, sizeof line, "epoch %u/%u  train loss %.4f top1 %.2f%%  val loss %s top1 %.2f%%%s  lr %.3g  %.0f img/s  %.1f + %.1f s",
             epoch->epoch + 1, epoch->epochs, epoch->train_loss, 100.0 * epoch->train_top1,
             loss_text(epoch->val_loss, val_loss, sizeof val_loss), 100.0 * epoch->val_top1, epoch->best ? " *" : "", (double)epoch->lr, epoch->images_per_second, epoch->seconds,
             epoch->val_seconds);
    terminal_print(stderr, line, terminal_columns(STDERR_FILENO));
}

TrainerReport progress_report(Progress *progress)
{
    return (TrainerReport){ .context = progress, .note = progress_note, .step = progress_step, .epoch = progress_epoch };
}
