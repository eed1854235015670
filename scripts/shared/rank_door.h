/* rank_door.h - how the ranks of a job find rank 0: a port that is open until all have come in.
 *
 * The address is one line of text for the other ranks: version, token, port, and every address of rank 0's machine. A rank tries
 * one after the other, and knocks with the token; rank 0 answers with the token, as another program at that port would not; the
 * rank joins over this connection. Who does not know the token is ignored. */

#ifndef CONVZOO_RANK_DOOR_H
#define CONVZOO_RANK_DOOR_H

#include "errors.h"
#include "rank_link.h"

enum { RANK_ADDRESS = 1024, RANK_TOKEN = 33, RANK_HOST = 65 };

typedef struct RankDoor {
    int  socket;
    char token[RANK_TOKEN];
} RankDoor;

/* Rank 0: opens a port of the system's choice. False and a line if that is refused, or if so many connections are. */
bool rank_door_open(RankDoor *door, int count, char address[RANK_ADDRESS], Error *error);
void rank_door_close(RankDoor *door);

/* Rank 0: waits until ranks 1 to count - 1 have joined: links[rank], hosts[rank]. False and a line with the first that is missing
 * after so many seconds, or that has gone again. */
bool rank_door_gather(RankDoor *door, int count, RankLink *links, char (*hosts)[RANK_HOST], double seconds, Error *error);

/* The others: joins rank 0, trying its addresses for so many seconds. */
bool rank_door_enter(const char *address, int rank, const char *host, double seconds, RankLink *link, Error *error);

/* Waits for one message until then (rank_link_clock); false: it has not come. */
bool rank_door_await(RankLink *link, RankMessage *message, double until);

#endif
