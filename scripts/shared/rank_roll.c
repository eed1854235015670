/* rank_roll.c - see rank_roll.h. */

#include "rank_roll.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void note_failure(RankRoll *roll, int rank, const RankMessage *message, double now)
{
    for (int i = 0; i < roll->count; i++)
        if (roll->members[i].failed)
            return;      /* what others say after the first often follows from it */
    roll->members[rank].failed = true;
    roll->members[rank].failed_at = now;
    roll->failure = (RankVerdict){ .rank = rank, .code = message->value ? (ExitCode)message->value : EXIT_peer };
    snprintf(roll->failure.reason, sizeof roll->failure.reason, "%s", message->text);
}

void rank_roll_hear(RankRoll *roll, int rank, const RankMessage *message, double now)
{
    RankMember *member = &roll->members[rank];
    member->heard = now;
    if (message->kind == RANK_MESSAGE_leave)
        member->watched = false;
    if (message->kind == RANK_MESSAGE_fail)
        note_failure(roll, rank, message, now);
    if (message->kind != RANK_MESSAGE_beat)
        return;
    const RankState state = (RankState)message->value;
    if (member->progress != message->progress || member->state != state)
        member->moved = now;
    member->progress = message->progress;
    member->state = state;
}

void rank_roll_forgive(RankRoll *roll, double now)
{
    for (int rank = 0; rank < roll->count; rank++)
        roll->members[rank].heard = roll->members[rank].moved = now;
}

static bool __attribute__((format(printf, 3, 4))) blame(RankVerdict *verdict, int rank, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    *verdict = (RankVerdict){ .rank = rank, .code = EXIT_peer, .lost = true };
    vsnprintf(verdict->reason, sizeof verdict->reason, format, arguments);
    va_end(arguments);
    return true;
}

/* One that works and does not get on; or all wait for each other, and then the one that came least far is named. Only the time
 * counts in which it gave signs of life: who is stopped does not hang. */
static bool judge_progress(const RankRoll *roll, RankVerdict *verdict)
{
    bool all_wait = true;
    int last = -1;
    for (int rank = 0; rank < roll->count; rank++) {
        const RankMember *member = &roll->members[rank];
        if (!member->watched)
            continue;
        const bool still = member->heard - member->moved > roll->hang_seconds;
        if (still && member->state == RANK_works)
            return blame(verdict, rank, "hangs (it has not got on for %.3g s)", roll->hang_seconds);
        all_wait = all_wait && still && member->state == RANK_waits;
        if (last < 0 || member->progress < roll->members[last].progress)
            last = rank;
    }
    return last >= 0 && all_wait && blame(verdict, last, "hangs (all ranks have waited for each other for %.3g s, and it has come "
                                          "least far)", roll->hang_seconds);
}

bool rank_roll_judge(const RankRoll *roll, double now, RankVerdict *verdict)
{
    for (int rank = 0; rank < roll->count; rank++)
        if (roll->members[rank].watched && roll->members[rank].closed)
            return blame(verdict, rank, "was lost (its connection closed)");
    for (int rank = 0; rank < roll->count; rank++)
        if (roll->members[rank].watched && now - roll->members[rank].heard > roll->silent_seconds)
            return blame(verdict, rank, "was lost (no sign of life for %.3g s: stopped, or its network is down)",
                         roll->silent_seconds);
    *verdict = roll->failure;
    const RankMember *failed = &roll->members[verdict->rank];
    if (failed->failed && (verdict->code != EXIT_peer || now - failed->failed_at >= roll->grace_seconds))
        return true;
    return roll->hang_seconds > 0.0 && judge_progress(roll, verdict);
}

int rank_roll_deputy(const RankRoll *roll)
{
    int lowest = 0;
    for (int rank = roll->count - 1; rank > 0; rank--)
        if (roll->members[rank].watched)
            lowest = rank;
    for (int rank = 1; rank < roll->count; rank++)
        if (roll->members[rank].watched && strcmp(roll->hosts[rank], roll->hosts[0]) != 0)
            return rank;
    return lowest;
}
