/* rank_guard.c - see rank_guard.h. */

#include "rank_guard.h"

#include "text.h"

#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 4000 };      /* a pipe takes a line of so many bytes in one piece */

static const double FAREWELL_SECONDS = 0.5;      /* for the others to read the last message before the connection closes */

static bool is_head(const RankWatch *watch)
{
    return watch->options.rank == 0;
}

static void seconds_pass(double seconds)
{
    const time_t whole = (time_t)seconds;
    nanosleep(&(struct timespec){ .tv_sec = whole, .tv_nsec = (long)(1e9 * (seconds - (double)whole)) }, NULL);
}

void rank_guard_ask(RankWatch *watch, Asked what)
{
    atomic_store(&watch->asked, what);
    eventfd_write(watch->wake, 1);
}

/* ---- the end ---- */

/* Closes every connection but one, once the other side has read what was sent. */
static void watch_farewell(RankWatch *watch, int but)
{
    const double until = rank_link_clock() + FAREWELL_SECONDS;
    RankMessage ignored;
    for (int i = 0; i < watch->roll.count; i++)
        if (watch->links[i].socket >= 0)
            shutdown(watch->links[i].socket, SHUT_WR);
    for (bool open = true; open && rank_link_clock() < until;) {
        open = false;
        for (int i = 0; i < watch->roll.count; i++) {
            RankLink *link = &watch->links[i];
            RankLinkState state = RANK_LINK_nothing;
            while (link->socket >= 0 && (state = rank_link_receive(link, &ignored)) == RANK_LINK_message)
                ;
            if (link->socket >= 0 && state == RANK_LINK_closed)
                rank_link_close(link);
            open = open || (link->socket >= 0 && i != but);
            watch->polled[i] = (struct pollfd){ link->socket, POLLIN, 0 };
        }
        if (open)
            poll(watch->polled, (nfds_t)watch->roll.count, 20);
    }
}

/* One write, of which a reader who does not read keeps nobody. */
static void watch_print(RankWatch *watch, const RankVerdict *verdict)
{
    char raw[LINE], line[LINE + 1], step[32] = "";
    const uint64_t steps = atomic_load(&watch->steps);
    const bool own = verdict->rank == watch->options.rank;
    if (steps)
        snprintf(step, sizeof step, " at step %llu", (unsigned long long)(steps - 1));
    pthread_mutex_lock(&watch->advice_lock);
    snprintf(raw, sizeof raw, "%s: rank %d on %s: %s%s%s%s", program_name(), verdict->rank,
             own ? watch->host : watch->roll.hosts[verdict->rank], verdict->reason, verdict->lost ? step : "",
             verdict->lost ? ": " : "", verdict->lost ? watch->advice : "");
    pthread_mutex_unlock(&watch->advice_lock);
    text_printable(raw, line, LINE);
    strcat(line, "\n");
    if (poll(&(struct pollfd){ STDERR_FILENO, POLLOUT, 0 }, 1, 100) > 0)
        (void)!write(STDERR_FILENO, line, strlen(line));
}

/* The line comes first: mpirun may kill all that are left as soon as it sees one end. */
static _Noreturn void watch_end(RankWatch *watch, const RankVerdict *verdict, bool aloud)
{
    const RankMessage end = { .kind = RANK_MESSAGE_end, .value = (uint32_t)verdict->code };
    if (watch->options.ending)
        watch->options.ending(watch->options.context);
    if (aloud)
        watch_print(watch, verdict);
    if (is_head(watch)) {
        for (int i = 0; i < watch->roll.count; i++)
            rank_link_send(&watch->links[i], &end);
        watch_farewell(watch, verdict->rank);
    }
    _exit((int)verdict->code);
}

static _Noreturn void watch_end_quietly(RankWatch *watch, ExitCode code)
{
    watch_end(watch, &(RankVerdict){ .rank = watch->options.rank, .code = code }, false);
}

/* ---- the thread ---- */

static void watch_hear(RankWatch *watch, int rank, const RankMessage *message)
{
    if (message->kind == RANK_MESSAGE_end && !is_head(watch))
        watch_end_quietly(watch, (ExitCode)message->value);
    if (message->kind == RANK_MESSAGE_beat && !is_head(watch))
        watch->deputy = (int)message->value;
    rank_roll_hear(&watch->roll, rank, message, rank_link_clock());
    if (message->kind == RANK_MESSAGE_leave)
        rank_link_close(&watch->links[rank]);
}

/* Waits so long at most, then takes all that has come. */
static void watch_look(RankWatch *watch, double seconds)
{
    const int count = watch->roll.count;
    RankMessage message;
    for (int i = 0; i < count; i++)
        watch->polled[i] = (struct pollfd){ watch->links[i].socket, POLLIN, 0 };
    watch->polled[count] = (struct pollfd){ watch->wake, POLLIN, 0 };
    if (poll(watch->polled, (nfds_t)count + 1, (int)(1000.0 * seconds)) <= 0)
        return;
    if (watch->polled[count].revents)
        eventfd_read(watch->wake, &(eventfd_t){ 0 });
    for (int i = 0; i < count; i++) {
        RankLinkState state = RANK_LINK_message;
        while (watch->polled[i].revents && watch->links[i].socket >= 0 && state == RANK_LINK_message)
            if ((state = rank_link_receive(&watch->links[i], &message)) == RANK_LINK_message)
                watch_hear(watch, i, &message);
        if (state == RANK_LINK_closed) {
            watch->roll.members[i].closed = true;
            rank_link_close(&watch->links[i]);
        }
    }
}

/* This process was stopped, or its machine slept: it has sent no beat for so long that others may have given it up, or they slept as well. */
static void watch_wake_up(RankWatch *watch)
{
    watch_look(watch, 0.0);
    for (int i = 0; i < watch->roll.count; i++)
        if (watch->roll.members[i].watched && watch->roll.members[i].closed)
            watch_end_quietly(watch, EXIT_peer);
    rank_roll_forgive(&watch->roll, rank_link_clock());
}

static void watch_notice_sleep(RankWatch *watch, double now)
{
    if (now - watch->beaten > watch->options.silent_seconds - watch->options.beat_seconds)
        watch_wake_up(watch);
}

static void watch_beat(RankWatch *watch)
{
    RankMessage beat = { .kind = RANK_MESSAGE_beat, .rank = (uint32_t)watch->options.rank,
                         .progress = atomic_load_explicit(&watch->progress, memory_order_relaxed) };
    const double now = rank_link_clock();
    watch_notice_sleep(watch, now);      /* with the time that the next look is measured from: a stop before it is seen here, one behind it there */
    bool due = now - watch->beaten >= watch->options.beat_seconds;
    beat.value = (uint32_t)atomic_load_explicit(&watch->state, memory_order_relaxed);
    if (is_head(watch)) {
        const int deputy = rank_roll_deputy(&watch->roll);
        rank_roll_hear(&watch->roll, 0, &beat, now);      /* rank 0 watches itself for a hang */
        due = due || deputy != watch->deputy;
        watch->deputy = deputy;
        beat.value = (uint32_t)deputy;
    }
    if (!due)
        return;
    for (int i = 0; i < watch->roll.count; i++)
        rank_link_send(&watch->links[i], &beat);
    watch->beaten = now;
}

/* Tells rank 0 that this rank cannot go on: it ends all. Where rank 0 has left there is nobody to tell. */
static void watch_fail(RankWatch *watch)
{
    if (!is_head(watch) && !watch->roll.members[0].watched) {
        RankVerdict own = { .rank = watch->options.rank, .code = (ExitCode)watch->failure.value };
        memcpy(own.reason, watch->failure.text, sizeof own.reason);
        watch_end(watch, &own, true);
    }
    if (is_head(watch) && !watch->told)
        rank_roll_hear(&watch->roll, 0, &watch->failure, rank_link_clock());
    else if (!watch->told)
        rank_link_send(&watch->links[0], &watch->failure);
    watch->told = true;
}

/* One rank speaks. Where that is not rank 0, the others give it time to notice the loss as well: mpirun may kill it as soon as one
 * of them ends. */
static _Noreturn void watch_condemn(RankWatch *watch, const RankVerdict *verdict)
{
    const bool speaks = is_head(watch) || watch->deputy == watch->options.rank;
    if (!speaks)
        seconds_pass(watch->options.beat_seconds);
    watch_end(watch, verdict, speaks);
}

void *rank_guard_run(void *argument)
{
    RankWatch *watch = argument;
    const RankWatchOptions *options = &watch->options;
    const double nap = 10e-6 * watch->roll.count;      /* of thousands of messages many are taken at once */
    RankVerdict verdict;
    const double begin = rank_link_clock();
    watch->beaten = begin - options->beat_seconds;
    rank_roll_forgive(&watch->roll, begin);
    for (;;) {
        seconds_pass(nap);
        watch_look(watch, options->beat_seconds / 4.0);
        const double now = rank_link_clock();
        watch_notice_sleep(watch, now);
        const int asked = atomic_load(&watch->asked);
        if (asked == ASKED_leave)
            break;
        if (asked == ASKED_fail)
            watch_fail(watch);
        watch_beat(watch);
        if (rank_roll_judge(&watch->roll, now, &verdict))
            watch_condemn(watch, &verdict);
    }
    for (int i = 0; i < watch->roll.count; i++)
        rank_link_send(&watch->links[i], &(RankMessage){ .kind = RANK_MESSAGE_leave });
    watch_farewell(watch, -1);
    return NULL;
}
