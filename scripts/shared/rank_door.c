/* rank_door.c - see rank_door.h. */

#define _GNU_SOURCE      /* accept4 */

#include "rank_door.h"

#include "rank_port.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    VERSION = 1,
    VISITORS = 64,      /* connections whose ranks are not known yet; further ones wait */
};

static const double VISITOR_SECONDS = 2.0;      /* a visitor that says nothing for so long makes room for another */

/* ---- rank 0: the address ---- */

static bool make_token(char token[RANK_TOKEN])
{
    uint8_t bytes[(RANK_TOKEN - 1) / 2];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return false;
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(token + 2 * i, 3, "%02x", bytes[i]);
    return true;
}

bool rank_door_open(RankDoor *door, int count, char address[RANK_ADDRESS], Error *error)
{
    uint16_t port;
    char addresses[RANK_PORT_ADDRESSES];
    door->socket = -1;
    if (!rank_port_allow_files(count + VISITORS, error))
        return false;
    if (!make_token(door->token) || (door->socket = rank_port_listen(&port)) < 0 || !rank_port_addresses(addresses)) {
        error_set(error, EXIT_peer, "ranks: rank 0 cannot open a port: %s: is there a network?", strerror(errno));
        rank_door_close(door);
        return false;
    }
    snprintf(address, RANK_ADDRESS, "%d %s %u%s", VERSION, door->token, port, addresses);
    return true;
}

void rank_door_close(RankDoor *door)
{
    if (door->socket >= 0)
        close(door->socket);
    door->socket = -1;
}

/* ---- rank 0: who comes in ---- */

typedef struct Visitor {
    RankLink link;
    bool     welcome;      /* it knows the token */
    double   since;
} Visitor;

typedef struct Hall {
    const RankDoor *door;
    int             count, missing;
    RankLink       *links;
    char          (*hosts)[RANK_HOST];
    Visitor         visitors[VISITORS];
} Hall;

static void hall_let_in(Hall *hall)
{
    for (int i = 0; i < VISITORS; i++) {
        Visitor *visitor = &hall->visitors[i];
        if (visitor->link.socket >= 0)
            continue;
        const int connection = accept4(hall->door->socket, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (connection < 0)
            return;
        rank_link_open(&visitor->link, connection);
        visitor->welcome = false;
        visitor->since = rank_link_clock();
    }
}

/* One message of a visitor. False: it is to go. */
static bool hall_answer(Hall *hall, Visitor *visitor, const RankMessage *message)
{
    if (message->kind == RANK_MESSAGE_knock && strcmp(message->text, hall->door->token) == 0) {
        RankMessage welcome = { .kind = RANK_MESSAGE_welcome };
        snprintf(welcome.text, sizeof welcome.text, "%s", hall->door->token);
        rank_link_send(&visitor->link, &welcome);
        return visitor->welcome = true;
    }
    if (message->kind != RANK_MESSAGE_join || !visitor->welcome || message->rank < 1 || message->rank >= (uint32_t)hall->count ||
        hall->links[message->rank].socket >= 0)
        return false;
    hall->links[message->rank] = visitor->link;
    snprintf(hall->hosts[message->rank], RANK_HOST, "%.*s", RANK_HOST - 1, message->text);
    visitor->link.socket = -1;
    hall->missing--;
    return true;
}

static void hall_attend(Hall *hall, Visitor *visitor)
{
    RankMessage message;
    while (visitor->link.socket >= 0) {
        const RankLinkState state = rank_link_receive(&visitor->link, &message);
        if (state == RANK_LINK_nothing) {
            if (rank_link_clock() - visitor->since > VISITOR_SECONDS)
                rank_link_close(&visitor->link);
            return;
        }
        if (state == RANK_LINK_closed || !hall_answer(hall, visitor, &message))
            rank_link_close(&visitor->link);
    }
}

/* One look at the door, the visitors and those who have joined, who have nothing to say yet. False: one of these is gone. */
static bool hall_look(Hall *hall, struct pollfd *polled, double until, Error *error)
{
    bool room = false;
    for (int i = 0; i < VISITORS; i++) {
        polled[i] = (struct pollfd){ hall->visitors[i].link.socket, POLLIN, 0 };
        room = room || hall->visitors[i].link.socket < 0;
    }
    for (int rank = 1; rank < hall->count; rank++)
        polled[VISITORS + rank] = (struct pollfd){ hall->links[rank].socket, POLLIN, 0 };
    polled[VISITORS] = (struct pollfd){ room ? hall->door->socket : -1, POLLIN, 0 };
    const int wait = rank_port_milliseconds(until);
    poll(polled, (nfds_t)(VISITORS + hall->count), wait < 200 ? wait : 200);      /* silent visitors are to go in time */
    for (int rank = 1; rank < hall->count; rank++)
        if (hall->links[rank].socket >= 0 && polled[VISITORS + rank].revents)
            return error_set(error, EXIT_peer, "rank %d on %s: was lost before the start: see what it has printed", rank,
                             hall->hosts[rank]);
    for (int i = 0; i < VISITORS; i++)
        hall_attend(hall, &hall->visitors[i]);
    if (polled[VISITORS].revents)
        hall_let_in(hall);
    return true;
}

bool rank_door_gather(RankDoor *door, int count, RankLink *links, char (*hosts)[RANK_HOST], double seconds, Error *error)
{
    const double until = rank_link_clock() + seconds;
    Hall *hall = allocate(1, sizeof *hall, "the ranks' connections");
    struct pollfd *polled = allocate((size_t)(VISITORS + count), sizeof *polled, "the ranks' connections");
    *hall = (Hall){ .door = door, .count = count, .missing = count - 1, .links = links, .hosts = hosts };
    for (int i = 0; i < VISITORS; i++)
        hall->visitors[i].link.socket = -1;
    bool good = true;
    while (good && hall->missing > 0) {
        good = hall_look(hall, polled, until, error);
        if (good && hall->missing > 0 && rank_link_clock() >= until) {
            int rank = 1;
            while (links[rank].socket >= 0)
                rank++;
            good = error_set(error, EXIT_peer, "rank %d: did not connect to rank 0 within %g s (%d of %d ranks are missing): "
                             "let the machines connect to each other's ports (firewall)", rank, seconds, hall->missing, count);
        }
    }
    for (int i = 0; i < VISITORS; i++)
        rank_link_close(&hall->visitors[i].link);
    free(polled);
    free(hall);
    return good;
}

/* ---- the others ---- */

bool rank_door_await(RankLink *link, RankMessage *message, double until)
{
    for (;;) {
        const RankLinkState state = rank_link_receive(link, message);
        if (state != RANK_LINK_nothing)
            return state == RANK_LINK_message;
        if (rank_link_clock() >= until)
            return false;
        poll(&(struct pollfd){ link->socket, POLLIN, 0 }, 1, rank_port_milliseconds(until));
    }
}

/* One address. False and what went wrong. */
static bool enter_at(const char *host, const char *port, const RankMessage *knock, const RankMessage *join, double until,
                     RankLink *link, const char **why)
{
    RankMessage answer;
    const int connection = rank_port_connect(host, port, until);
    if (connection < 0) {
        *why = strerror(errno);
        return false;
    }
    rank_link_open(link, connection);
    rank_link_send(link, knock);
    if (rank_door_await(link, &answer, until) && answer.kind == RANK_MESSAGE_welcome && strcmp(answer.text, knock->text) == 0) {
        rank_link_send(link, join);
        return true;
    }
    *why = "no answer from rank 0";
    rank_link_close(link);
    return false;
}

bool rank_door_enter(const char *address, int rank, const char *host, double seconds, RankLink *link, Error *error)
{
    const double until = rank_link_clock() + seconds;
    RankMessage knock = { .kind = RANK_MESSAGE_knock, .rank = (uint32_t)rank };
    RankMessage join = { .kind = RANK_MESSAGE_join, .rank = (uint32_t)rank };
    char port[8];
    int version, read;
    const char *why = "it has no address";
    if (sscanf(address, "%d %32s %7s%n", &version, knock.text, port, &read) != 3 || version != VERSION)
        return error_set(error, EXIT_peer, "rank %d: rank 0 is another version of the program ('%.40s'): install the same on all "
                         "machines", rank, address);
    snprintf(join.text, sizeof join.text, "%s", host);
    for (double patience = 1.0; rank_link_clock() < until; patience *= 2.0) {      /* on a slow network a try takes longer */
        char addresses[RANK_ADDRESS], *rest = addresses;
        snprintf(addresses, sizeof addresses, "%s", address + read);
        for (const char *one; (one = strsep(&rest, " ")) && rank_link_clock() < until;) {
            const double now = rank_link_clock();
            if (*one && enter_at(one, port, &knock, &join, now + patience < until ? now + patience : until, link, &why))
                return true;
        }
        usleep(50 * 1000);
    }
    return error_set(error, EXIT_peer, "rank %d on %s: cannot connect to rank 0 (port %s of%s): %s: let the machines connect to "
                     "each other's ports (firewall)", rank, host, port, address + read, why);
}
