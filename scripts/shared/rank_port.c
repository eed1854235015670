/* rank_port.c - see rank_port.h. */

#include "rank_port.h"

#include "rank_link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { OTHER_FILES = 256 };      /* that a program has open beside its connections */

int rank_port_milliseconds(double then)
{
    const double left = 1000.0 * (then - rank_link_clock());
    return left <= 0.0 ? 0 : left > 60000.0 ? 60000 : (int)left + 1;
}

bool rank_port_allow_files(int connections, Error *error)
{
    struct rlimit limit;
    const rlim_t needed = (rlim_t)connections + OTHER_FILES;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed)
        return true;
    if (limit.rlim_max >= needed) {
        limit.rlim_cur = needed;
        if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
            return true;
    }
    return error_set(error, EXIT_peer, "ranks: rank 0 needs %llu open files, one a rank, and the limit is %llu: raise it "
                     "(ulimit -Hn)", (unsigned long long)needed, (unsigned long long)limit.rlim_max);
}

/* At any port, which is then in the address. */
static int listen_at(struct sockaddr *address, socklen_t size)
{
    const bool six = address->sa_family == AF_INET6;
    const int listener = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0)
        return -1;
    if ((!six || setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &(int){ 0 }, sizeof(int)) == 0) &&
        bind(listener, address, size) == 0 && listen(listener, SOMAXCONN) == 0 && getsockname(listener, address, &size) == 0)
        return listener;
    const int why = errno;
    close(listener);
    errno = why;
    return -1;
}

/* IPv6, which takes IPv4's connections as well; IPv4 alone where there is no other. */
int rank_port_listen(uint16_t *port)
{
    struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_ANY_INIT };
    struct sockaddr_in four = { .sin_family = AF_INET };
    int listener = listen_at((struct sockaddr *)&six, sizeof six);
    *port = ntohs(six.sin6_port);
    if (listener < 0) {
        listener = listen_at((struct sockaddr *)&four, sizeof four);
        *port = ntohs(four.sin_port);
    }
    return listener;
}

/* Adds what fits of the machine's addresses of one kind. Those of one cable alone (link-local) mean nothing elsewhere. */
static void add_addresses(const struct ifaddrs *interfaces, bool loopback, int family, char *text)
{
    for (const struct ifaddrs *i = interfaces; i; i = i->ifa_next) {
        char numeric[INET6_ADDRSTRLEN];
        const bool leads_back = i->ifa_flags & IFF_LOOPBACK;
        if (!i->ifa_addr || i->ifa_addr->sa_family != family || !(i->ifa_flags & IFF_UP) || leads_back != loopback)
            continue;
        const struct in6_addr *six = &((const struct sockaddr_in6 *)(const void *)i->ifa_addr)->sin6_addr;
        const struct in_addr *four = &((const struct sockaddr_in *)(const void *)i->ifa_addr)->sin_addr;
        if (family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(six))
            continue;
        inet_ntop(family, family == AF_INET6 ? (const void *)six : (const void *)four, numeric, sizeof numeric);
        const size_t at = strlen(text);
        if (at + 1 + strlen(numeric) < RANK_PORT_ADDRESSES)
            snprintf(text + at, RANK_PORT_ADDRESSES - at, " %s", numeric);
    }
}

bool rank_port_addresses(char text[RANK_PORT_ADDRESSES])
{
    struct ifaddrs *interfaces;
    text[0] = '\0';
    if (getifaddrs(&interfaces) != 0)
        return false;
    add_addresses(interfaces, true, AF_INET, text);
    add_addresses(interfaces, true, AF_INET6, text);
    add_addresses(interfaces, false, AF_INET, text);
    add_addresses(interfaces, false, AF_INET6, text);
    freeifaddrs(interfaces);
    return true;
}

int rank_port_connect(const char *host, const char *port, double until)
{
    const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found;
    if (getaddrinfo(host, port, &hints, &found) != 0) {
        errno = EINVAL;
        return -1;
    }
    int why = 0;
    const int connection = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connection < 0 || connect(connection, found->ai_addr, found->ai_addrlen) != 0)
        why = errno;
    freeaddrinfo(found);
    if (why == EINPROGRESS || why == EINTR) {
        struct pollfd polled = { connection, POLLOUT, 0 };
        int ready;
        do
            ready = poll(&polled, 1, rank_port_milliseconds(until));
        while (ready < 0 && errno == EINTR);
        if (ready <= 0)
            why = ETIMEDOUT;
        else if (getsockopt(connection, SOL_SOCKET, SO_ERROR, &why, &(socklen_t){ sizeof why }) != 0)
            why = errno;
    }
    if (why && connection >= 0)
        close(connection);
    errno = why;
    return why ? -1 : connection;
}
