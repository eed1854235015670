/* stop.c - see stop.h. */

#include "stop.h"

#include "errors.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { STOP_ANSWERS = 2 };

static volatile sig_atomic_t stop_number, stop_count, stop_over;
static struct { char text[256]; int length; } answers[STOP_ANSWERS];      /* made before: a signal's handler cannot print */

static void stop_note(int number)
{
    const int before = errno;
    const int count = stop_count;
    if (count < STOP_ANSWERS) {
        stop_count = count + 1;
        stop_number = stop_number ? stop_number : number;
        if (!stop_over)
            (void)!write(STDERR_FILENO, answers[count].text, (size_t)answers[count].length);
    } else {
        signal(number, SIG_DFL);
        raise(number);      /* as soon as this returns */
    }
    errno = before;
}

static void prepare_answers(bool quiet, bool saves)
{
    static const char *const texts[2][STOP_ANSWERS] = {
        { "stopping: this step is finished first", "still at this step: a third Ctrl-C or signal ends it at once" },
        { "stopping: this step is finished first, then the run is saved",
          "still saving: a third Ctrl-C or signal ends the run at once, unsaved" },
    };
    const char *clear = isatty(STDERR_FILENO) ? "\r\033[J" : "";      /* what progress.c drew, and what the terminal shows of Ctrl-C */
    for (int i = 0; i < STOP_ANSWERS; i++)
        answers[i].length = quiet ? 0 : snprintf(answers[i].text, sizeof answers[i].text, "%s%.64s: %s\n", clear, program_name(), texts[saves][i]);
}

const volatile sig_atomic_t *stop_watch(bool quiet, bool saves)
{
    static const int stops[] = { SIGINT, SIGTERM, SIGHUP };
    prepare_answers(quiet, saves);
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
        struct sigaction before, action = { .sa_handler = stop_note, .sa_flags = SA_RESTART };
        if (sigaction(stops[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(stops[i], &action, NULL);
    }
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    return &stop_number;
}

void stop_end(void)
{
    stop_over = 1;
}
