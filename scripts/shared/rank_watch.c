/* rank_watch.c - see rank_watch.h; its thread is rank_guard.c. */

#include "rank_guard.h"

#include "host.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static RankWatch *watch_new(const RankWatchOptions *options)
{
    CHECK(options->rank >= 0 && options->rank < options->count, "rank %d of %d", options->rank, options->count);
    RankWatch *watch = allocate(1, sizeof *watch, "the watch over ranks");
    watch->options = *options;
#define USUAL(field, number) watch->options.field = options->field > 0.0 ? options->field : number
    USUAL(beat_seconds, 0.5);
    USUAL(silent_seconds, 4.0);
    USUAL(join_seconds, 30.0);
#undef USUAL
    CHECK(watch->options.silent_seconds > 2.0 * watch->options.beat_seconds, "a beat every %g s and silence of %g s",
          watch->options.beat_seconds, watch->options.silent_seconds);
    const int count = options->rank == 0 ? options->count : 1;
    watch->roll = (RankRoll){ .count = count, .silent_seconds = watch->options.silent_seconds,
                              .hang_seconds = options->rank == 0 ? options->hang_seconds : 0.0,
                              .grace_seconds = watch->options.beat_seconds,
                              .members = allocate((size_t)count, sizeof *watch->roll.members, "the watch over ranks"),
                              .hosts = allocate((size_t)count, sizeof *watch->roll.hosts, "the watch over ranks") };
    watch->links = allocate((size_t)count, sizeof *watch->links, "the ranks' connections");
    watch->polled = allocate((size_t)count + 1, sizeof *watch->polled, "the ranks' connections");
    for (int i = 0; i < count; i++)
        watch->links[i].socket = -1;
    watch->door.socket = watch->wake = -1;
    watch->deputy = 1;
    host_name(watch->host, sizeof watch->host);
    strcpy(watch->advice, "start again");
    pthread_mutex_init(&watch->advice_lock, NULL);
    return watch;
}

static void watch_free(RankWatch *watch)
{
    for (int i = 0; i < watch->roll.count; i++)
        rank_link_close(&watch->links[i]);
    rank_door_close(&watch->door);
    if (watch->wake >= 0)
        close(watch->wake);
    pthread_mutex_destroy(&watch->advice_lock);
    free(watch->roll.members);
    free(watch->roll.hosts);
    free(watch->links);
    free(watch->polled);
    free(watch);
}

RankWatch *rank_watch_listen(const RankWatchOptions *options, char address[RANK_ADDRESS], Error *error)
{
    RankWatch *watch = watch_new(options);
    if (rank_door_open(&watch->door, options->count, address, error))
        return watch;
    watch_free(watch);
    return NULL;
}

RankWatch *rank_watch_join(const RankWatchOptions *options, const char *address, Error *error)
{
    RankWatch *watch = watch_new(options);
    if (rank_door_enter(address, options->rank, watch->host, watch->options.join_seconds, &watch->links[0], error))
        return watch;
    watch_free(watch);
    return NULL;
}

/* Rank 0 tells all that they are complete; the others wait for that. */
static bool watch_assemble(RankWatch *watch, Error *error)
{
    const RankWatchOptions *options = &watch->options;
    RankMember *members = watch->roll.members;
    RankMessage start = { .kind = RANK_MESSAGE_start };
    if (options->rank > 0) {
        const double until = rank_link_clock() + options->join_seconds + 1.0;
        if (!rank_door_await(&watch->links[0], &start, until) || start.kind != RANK_MESSAGE_start)
            return error_set(error, EXIT_peer, "rank %d on %s: rank 0 did not start: see what it has printed", options->rank,
                             watch->host);
        snprintf(watch->roll.hosts[0], RANK_HOST, "%.*s", RANK_HOST - 1, start.text);
        members[0].watched = true;
        return true;
    }
    if (!rank_door_gather(&watch->door, options->count, watch->links, watch->roll.hosts, options->join_seconds, error))
        return false;
    rank_door_close(&watch->door);
    snprintf(start.text, sizeof start.text, "%s", watch->host);
    snprintf(watch->roll.hosts[0], RANK_HOST, "%s", watch->host);
    for (int rank = 0; rank < options->count; rank++) {
        members[rank].watched = true;
        rank_link_send(&watch->links[rank], &start);
    }
    return true;
}

bool rank_watch_start(RankWatch *watch, Error *error)
{
    sigset_t all, before;
    if (!watch)
        return true;
    if (!watch_assemble(watch, error))
        return false;
    sigfillset(&all);      /* signals are for the thread that trains */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    watch->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    watch->started = watch->wake >= 0 && pthread_create(&watch->thread, NULL, rank_guard_run, watch) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return watch->started || error_set(error, EXIT_memory, "rank %d on %s: no thread to watch the other ranks: end other "
                                       "programs", watch->options.rank, watch->host);
}

/* ---- what the main thread says ---- */

void rank_watch_progress(RankWatch *watch)
{
    if (!watch)
        return;
    const uint64_t before = atomic_load_explicit(&watch->progress, memory_order_relaxed);      /* one writer: it needs no lock */
    atomic_store_explicit(&watch->progress, before + 1, memory_order_relaxed);
}

void rank_watch_state(RankWatch *watch, RankState state)
{
    if (watch)
        atomic_store_explicit(&watch->state, (int)state, memory_order_relaxed);
    rank_watch_progress(watch);
}

void rank_watch_step(RankWatch *watch, uint64_t step)
{
    if (watch)
        atomic_store_explicit(&watch->steps, step + 1, memory_order_relaxed);
    rank_watch_progress(watch);
}

void rank_watch_advise(RankWatch *watch, const char *what_to_do)
{
    if (!watch)
        return;
    pthread_mutex_lock(&watch->advice_lock);
    snprintf(watch->advice, sizeof watch->advice, "%s", what_to_do);
    pthread_mutex_unlock(&watch->advice_lock);
}

void rank_watch_fail(RankWatch *watch, ExitCode code, const char *reason)
{
    int nothing = ASKED_nothing;
    CHECK(watch && watch->started && code != EXIT_ok, "code %d: %s", (int)code, reason);
    if (atomic_compare_exchange_strong(&watch->asked, &nothing, ASKED_soon)) {
        watch->failure = (RankMessage){ .kind = RANK_MESSAGE_fail, .value = (uint32_t)code };
        snprintf(watch->failure.text, sizeof watch->failure.text, "%s", reason);
        rank_guard_ask(watch, ASKED_fail);
    }
    for (;;)
        pause();      /* the thread ends the process */
}

void rank_watch_leave(RankWatch *watch)
{
    if (!watch)
        return;
    if (watch->started) {
        rank_guard_ask(watch, ASKED_leave);
        pthread_join(watch->thread, NULL);
    }
    watch_free(watch);
}
