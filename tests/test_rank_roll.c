/* test_rank_roll.c - what a rank thinks of what it has heard of the others. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "rank_roll.h"

typedef struct RollCase {
    const char *name;
    RankMember  members[3];          /* moved: 0 */
    double      now;
    ExitCode    failure;             /* of the member that has failed */
    int         rank;                /* -1: nothing is the matter */
    const char *reason;
    int         deputy;
} RollCase;

static void test_roll(void **state)
{
    (void)state;
    char hosts[3][RANK_HOST] = { "a", "a", "b" };
#define ALIVE .watched = true
#define WAITS .watched = true, .heard = 3.1, .state = RANK_waits
    static const RollCase cases[] = {
        { "all is well",        { { ALIVE }, { ALIVE }, { ALIVE } }, 2.0, 0, -1, NULL, 2 },
        { "one has left",       { { ALIVE }, { ALIVE }, { .closed = true } }, 2.0, 0, -1, NULL, 1 },
        { "all have left",      { { ALIVE }, { 0 }, { 0 } }, 2.0, 0, -1, NULL, 0 },
        { "closed",             { { ALIVE }, { ALIVE }, { ALIVE, .closed = true } }, 0.0, 0, 2, "connection closed", 2 },
        { "silent",             { { ALIVE, .heard = 4.0 }, { ALIVE }, { ALIVE, .heard = 4.0 } }, 4.1, 0, 1, "no sign of life for 4 s", 2 },
        { "closed, another silent", { { ALIVE, .heard = 4.0 }, { ALIVE }, { ALIVE, .closed = true } }, 4.1, 0, 2, "connection closed", 2 },
        { "fails",              { { ALIVE }, { ALIVE, .failed = true, .failed_at = 1.0 }, { ALIVE } }, 1.0, EXIT_input, 1, "its reason", 2 },
        { "fails, maybe for another", { { ALIVE }, { ALIVE, .failed = true, .failed_at = 1.0 }, { ALIVE } }, 1.4, EXIT_peer, -1, NULL, 2 },
        { "fails for no other", { { ALIVE }, { ALIVE, .failed = true, .failed_at = 1.0 }, { ALIVE } }, 1.5, EXIT_peer, 1, "its reason", 2 },
        { "fails for another",  { { ALIVE }, { ALIVE, .failed = true, .failed_at = 1.0 }, { ALIVE, .closed = true } }, 1.4, EXIT_peer, 2,
          "connection closed", 2 },
        { "stands still",       { { WAITS }, { ALIVE, .heard = 3.1 }, { WAITS } }, 3.2, 0, 1, "has not got on for 3 s", 2 },
        { "not for long",       { { WAITS }, { ALIVE, .heard = 3.1, .moved = 0.2 }, { ALIVE } }, 3.2, 0, -1, NULL, 2 },
        { "not heard of",       { { WAITS }, { ALIVE, .heard = 2.9 }, { WAITS } }, 3.2, 0, -1, NULL, 2 },
        { "all wait",           { { WAITS, .progress = 9 }, { WAITS, .progress = 8 }, { WAITS, .progress = 9 } }, 3.2, 0, 1,
          "all ranks have waited for each other for 3 s", 2 },
        { "all wait for one",   { { ALIVE, .heard = 3.1, .state = RANK_apart, .progress = 9 }, { WAITS, .progress = 8 }, { WAITS, .progress = 9 } },
          3.2, 0, -1, NULL, 2 },
        { "all that are left wait", { { WAITS, .progress = 9 }, { WAITS, .progress = 9 }, { .progress = 5 } }, 3.2, 0, 0, "all ranks have waited", 1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const RollCase *c = &cases[i];
        RankMember members[3];
        RankVerdict verdict;
        memcpy(members, c->members, sizeof members);
        const RankRoll roll = { .count = 3, .silent_seconds = 4.0, .hang_seconds = 3.0, .grace_seconds = 0.5, .members = members, .hosts = hosts,
                                .failure = { .rank = 1, .code = c->failure, .reason = "its reason" } };
        const bool ended = rank_roll_judge(&roll, c->now, &verdict);
        if (ended != (c->rank >= 0) || (ended && (verdict.rank != c->rank || !strstr(verdict.reason, c->reason))))
            fail_msg("%s: rank %d: %s", c->name, ended ? verdict.rank : -1, ended ? verdict.reason : "nothing is the matter");
        if (rank_roll_deputy(&roll) != c->deputy)
            fail_msg("%s: the deputy is rank %d, expected %d", c->name, rank_roll_deputy(&roll), c->deputy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_roll) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
