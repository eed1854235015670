/* rank_link.h - messages between two ranks over one TCP connection. Nothing here waits. */

#ifndef CONVZOO_RANK_LINK_H
#define CONVZOO_RANK_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RANK_TEXT = 1024, RANK_HEADER = 24 };

/* In brackets: who sends it, and what else it holds. */
typedef enum {
    RANK_MESSAGE_knock = 1,      /* to rank 0: may I come in? (rank; text: the token) */
    RANK_MESSAGE_welcome,        /* from rank 0, to those who know the token (text: the token) */
    RANK_MESSAGE_join,           /* to rank 0: this connection is the one (rank; text: the host's name) */
    RANK_MESSAGE_start,          /* from rank 0: all have come (text: its host's name) */
    RANK_MESSAGE_beat,           /* both ways: alive (progress; value: a RankState to rank 0, the deputy from it) */
    RANK_MESSAGE_leave,          /* both ways: from here on a closed connection is no loss */
    RANK_MESSAGE_fail,           /* to rank 0: all must end (value: the exit code; text: the reason) */
    RANK_MESSAGE_end,            /* from rank 0: end now (value: the exit code) */
    RANK_MESSAGES
} RankMessageKind;

typedef struct RankMessage {
    RankMessageKind kind;
    uint32_t        rank, value;
    uint64_t        progress;
    char            text[RANK_TEXT];
} RankMessage;

typedef struct RankLink {
    int     socket;      /* -1: none */
    size_t  filled;      /* bytes of a message that has come in part */
    bool    stuck;       /* a message went out in part: whatever followed would not be understood */
    uint8_t in[RANK_HEADER + RANK_TEXT];
} RankLink;

typedef enum { RANK_LINK_message, RANK_LINK_nothing, RANK_LINK_closed } RankLinkState;

/* Seconds on a clock that goes on while the machine sleeps. */
double rank_link_clock(void);

/* Takes over a connected socket, which does not block. */
void rank_link_open(RankLink *link, int socket);
void rank_link_close(RankLink *link);

/* What the connection has no room for is dropped: who does not read it will be noticed by its silence. A broken connection is
 * told by receiving alone, so that what the other side said last is read first. */
void rank_link_send(RankLink *link, const RankMessage *message);

/* The next message; closed: the other side has closed, or sends what is no message. */
RankLinkState rank_link_receive(RankLink *link, RankMessage *message);

#endif
