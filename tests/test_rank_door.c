/* test_rank_door.c - how the ranks of a job come together, and who does not come in. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "errors.h"
#include "rank_watch.h"

static const double BOUND = 5.0;

/* What the processes of a job share. */
typedef struct Shared {
    char       address[RANK_ADDRESS];
    atomic_int listening;
} Shared;

static Shared *shared;

static void seconds_pass(double seconds)
{
    usleep((unsigned)(1e6 * seconds));
}

static RankWatchOptions options_of(int rank, int count, double seconds)
{
    return (RankWatchOptions){ .rank = rank, .count = count, .join_seconds = seconds };
}

/* A rank comes, starts and leaves; or prints why it could not. Rank 0's address is there when this returns. */
static pid_t start_rank(int rank, int count, double seconds, int output)
{
    Error error;
    const RankWatchOptions options = options_of(rank, count, seconds);
    if (rank == 0)
        memset(shared, 0, sizeof *shared);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(output, STDERR_FILENO);
        RankWatch *watch = rank == 0 ? rank_watch_listen(&options, shared->address, &error)
                                     : rank_watch_join(&options, shared->address, &error);
        atomic_store(&shared->listening, 1);
        const bool started = watch && rank_watch_start(watch, &error);
        if (!started)
            error_print(&error);
        rank_watch_leave(watch);
        _exit(started ? EXIT_ok : (int)error.code);
    }
    for (int i = 0; i < 6000 && !atomic_load(&shared->listening); i++)
        seconds_pass(0.005);
    assert_true(atomic_load(&shared->listening));
    return child;
}

static int wait_code(const char *name, pid_t child)
{
    int status;
    const double until = rank_link_clock() + BOUND;
    while (waitpid(child, &status, WNOHANG) != child) {
        if (rank_link_clock() > until) {
            kill(child, SIGKILL);
            waitpid(child, &status, 0);
            fail_msg("%s: it had not ended within %g s", name, BOUND);
        }
        seconds_pass(0.005);
    }
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int port_of(const char *address)
{
    int port;
    assert_int_equal(sscanf(address, "%*d %*s %d", &port), 1);
    return port;
}

static void call(RankLink *link, int port)
{
    const struct sockaddr_in there = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    *link = (RankLink){ .socket = -1 };
    const int connection = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(connection >= 0);
    assert_int_equal(connect(connection, (const struct sockaddr *)&there, sizeof there), 0);
    rank_link_open(link, connection);
}

/* True if rank 0 closes the connection, and has answered with so many messages. */
static bool is_refused(RankLink *link, int answers)
{
    RankMessage message;
    const double until = rank_link_clock() + BOUND;
    for (RankLinkState state; rank_link_clock() < until; seconds_pass(0.005)) {
        while ((state = rank_link_receive(link, &message)) == RANK_LINK_message)
            answers--;
        if (state == RANK_LINK_closed)
            return answers == 0;
    }
    return false;
}

static void check_stranger(const char *name, int port, const RankMessage *messages, int count, int answers)
{
    RankLink link;
    call(&link, port);
    for (int i = 0; i < count; i++)
        rank_link_send(&link, &messages[i]);
    if (!is_refused(&link, answers))
        fail_msg("a stranger was not refused: %s", name);
    rank_link_close(&link);
}

/* The job comes together in spite of them, also of more silent ones than rank 0 listens to. */
static void test_strangers(void **state)
{
    (void)state;
    enum { SILENT_ONES = 70 };
    static const char http[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", long_text[] = "CZ\0\1\1\0\4\0AAAAAAAAAAAAAAAA";
    pid_t children[2];
    RankLink link, silent[SILENT_ONES];
    RankMessage knock = { .kind = RANK_MESSAGE_knock, .rank = 1 };
    children[0] = start_rank(0, 2, 20.0, STDERR_FILENO);
    const int port = port_of(shared->address);
    assert_int_equal(sscanf(shared->address, "%*d %32s", knock.text), 1);
    const RankMessage unknown[] = { { .kind = RANK_MESSAGE_knock, .rank = 1, .text = "0123456789abcdef0123456789abcdef" } },
                      uninvited[] = { { .kind = RANK_MESSAGE_join, .rank = 1 } },
                      beat[] = { { .kind = RANK_MESSAGE_beat, .rank = 1 } },
                      second[] = { knock, { .kind = RANK_MESSAGE_join, .rank = 2 } },
                      head[] = { knock, { .kind = RANK_MESSAGE_join, .rank = 0 } };
    check_stranger("wrong token", port, unknown, 1, 0);
    check_stranger("joins without a token", port, uninvited, 1, 0);
    check_stranger("a beat", port, beat, 1, 0);
    check_stranger("rank 2 of 2", port, second, 2, 1);
    check_stranger("rank 0", port, head, 2, 1);
    check_stranger("nothing", port, NULL, 0, 0);
    call(&link, port);
    assert_int_equal(send(link.socket, http, sizeof http - 1, 0), sizeof http - 1);
    assert_true(is_refused(&link, 0));
    rank_link_close(&link);
    call(&link, port);
    assert_int_equal(send(link.socket, long_text, RANK_HEADER, 0), RANK_HEADER);
    assert_true(is_refused(&link, 0));
    rank_link_close(&link);
    for (int i = 0; i < SILENT_ONES; i++)
        call(&silent[i], port);
    children[1] = start_rank(1, 2, 20.0, STDERR_FILENO);
    for (int rank = 0; rank < 2; rank++)
        assert_int_equal(wait_code("in spite of strangers", children[rank]), 0);
    for (int i = 0; i < SILENT_ONES; i++)
        rank_link_close(&silent[i]);
}

static void check_no_entry(const char *address, double seconds, const char *text)
{
    Error error;
    const RankWatchOptions options = options_of(1, 2, seconds);
    const double begun = rank_link_clock();
    assert_null(rank_watch_join(&options, address, &error));
    if (error.code != EXIT_peer || !strstr(error.text, text))
        fail_msg("'%s' has no '%s'", error.text, text);
    assert_true(rank_link_clock() - begun < seconds + BOUND);
}

/* What rank 0 of so many prints when it has given up. */
static void check_incomplete(int count, double seconds, void (*meanwhile)(void), const char *text)
{
    int ends[2];
    char printed[2048] = "";
    assert_int_equal(pipe(ends), 0);
    const pid_t child = start_rank(0, count, seconds, ends[1]);
    close(ends[1]);
    if (meanwhile)
        meanwhile();
    assert_int_equal(wait_code(text, child), EXIT_peer);
    assert_true(read(ends[0], printed, sizeof printed - 1) > 0);
    close(ends[0]);
    if (!strstr(printed, text))
        fail_msg("'%s' has no '%s'", printed, text);
}

static void come_with_wrong_token(void)
{
    char address[RANK_ADDRESS];
    snprintf(address, sizeof address, "%s", shared->address);
    address[2] = address[2] == '0' ? '1' : '0';      /* the token's first digit */
    check_no_entry(address, 0.3, "no answer from rank 0");
}

static void come_and_go(void)
{
    Error error;
    const RankWatchOptions options = options_of(1, 3, 20.0);
    RankWatch *watch = rank_watch_join(&options, shared->address, &error);
    assert_non_null(watch);
    rank_watch_leave(watch);
}

static void test_incomplete(void **state)
{
    (void)state;
    char address[RANK_ADDRESS];
    struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&here, sizeof here), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&here, &(socklen_t){ sizeof here }), 0);
    snprintf(address, sizeof address, "1 0123456789abcdef0123456789abcdef %d 127.0.0.1", ntohs(here.sin_port));
    check_no_entry(address, 0.3, "no answer from rank 0");
    close(listener);
    check_no_entry(address, 0.3, "Connection refused");
    check_no_entry("1 0123456789abcdef0123456789abcdef 1 ", 0.1, "it has no address");
    check_no_entry("7 other words", 0.1, "rank 0 is another version of the program ('7 other words')");

    check_incomplete(3, 0.5, NULL, "rank 1: did not connect to rank 0 within 0.5 s (2 of 3 ranks are missing)");
    check_incomplete(2, 2.0, come_with_wrong_token, "rank 1: did not connect to rank 0 within 2 s (1 of 2 ranks are missing)");
    check_incomplete(3, 20.0, come_and_go, "was lost before the start");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_incomplete), cmocka_unit_test(test_strangers),
    };
    program_name_set("train");
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return shared == MAP_FAILED || cmocka_run_group_tests(tests, NULL, NULL);
}
