/* rank_link.c - see rank_link.h.
 *
 * A message is a header of 24 bytes, numbers with the highest byte first, and its text without a NUL:
 *
 *    0  4  "CZ", and the version of this form
 *    4  1  kind
 *    6  2  bytes of text
 *    8  4  rank
 *   12  4  value
 *   16  8  progress */

#include "rank_link.h"

#include <endian.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAGIC = 0x435A0001 };

double rank_link_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void rank_link_open(RankLink *link, int socket)
{
    link->socket = socket;
    link->filled = 0;
    link->stuck = false;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));      /* without it messages are only later */
}

void rank_link_close(RankLink *link)
{
    if (link->socket >= 0)
        close(link->socket);
    link->socket = -1;
}

static size_t encode(const RankMessage *message, uint8_t *bytes)
{
    const size_t length = strnlen(message->text, RANK_TEXT - 1);
    const uint32_t magic = htobe32(MAGIC), rank = htobe32(message->rank), value = htobe32(message->value);
    const uint16_t text_bytes = htobe16((uint16_t)length);
    const uint64_t progress = htobe64(message->progress);
    memcpy(bytes, &magic, 4);
    bytes[4] = (uint8_t)message->kind;
    bytes[5] = 0;
    memcpy(bytes + 6, &text_bytes, 2);
    memcpy(bytes + 8, &rank, 4);
    memcpy(bytes + 12, &value, 4);
    memcpy(bytes + 16, &progress, 8);
    memcpy(bytes + RANK_HEADER, message->text, length);
    return RANK_HEADER + length;
}

/* False if the header is none. */
static bool decode_header(const uint8_t *bytes, RankMessage *message, size_t *length)
{
    uint32_t magic, rank, value;
    uint16_t text_bytes;
    uint64_t progress;
    memcpy(&magic, bytes, 4);
    memcpy(&text_bytes, bytes + 6, 2);
    memcpy(&rank, bytes + 8, 4);
    memcpy(&value, bytes + 12, 4);
    memcpy(&progress, bytes + 16, 8);
    message->kind = (RankMessageKind)bytes[4];
    message->rank = be32toh(rank);
    message->value = be32toh(value);
    message->progress = be64toh(progress);
    *length = be16toh(text_bytes);
    return be32toh(magic) == MAGIC && bytes[4] >= RANK_MESSAGE_knock && bytes[4] < RANK_MESSAGES && *length < RANK_TEXT;
}

void rank_link_send(RankLink *link, const RankMessage *message)
{
    uint8_t bytes[RANK_HEADER + RANK_TEXT];
    const size_t size = encode(message, bytes);
    if (link->socket < 0 || link->stuck)
        return;
    ssize_t sent;
    do
        sent = send(link->socket, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    link->stuck = sent > 0 && (size_t)sent < size;
}

RankLinkState rank_link_receive(RankLink *link, RankMessage *message)
{
    for (;;) {
        size_t length = 0;
        if (link->filled >= RANK_HEADER && !decode_header(link->in, message, &length))
            return RANK_LINK_closed;
        const size_t size = RANK_HEADER + length;
        if (link->filled == size) {
            memcpy(message->text, link->in + RANK_HEADER, length);
            message->text[length] = '\0';
            link->filled = 0;
            return RANK_LINK_message;
        }
        const ssize_t got = recv(link->socket, link->in + link->filled, size - link->filled, MSG_DONTWAIT);
        if (got > 0)
            link->filled += (size_t)got;
        else if (got == 0 || (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK))
            return RANK_LINK_closed;
        else if (errno != EINTR)
            return RANK_LINK_nothing;
    }
}
