/* rank_port.h - what the system gives for connections between machines. */

#ifndef CONVZOO_RANK_PORT_H
#define CONVZOO_RANK_PORT_H

#include "errors.h"

#include <stdint.h>

enum { RANK_PORT_ADDRESSES = 900 };

/* Raises this process's limit of open files where it is too low for so many connections; a line where it must not. */
bool rank_port_allow_files(int connections, Error *error);

/* A listening socket for all addresses of this machine, at a port of the system's choice; -1 and errno. */
int rank_port_listen(uint16_t *port);

/* This machine's addresses as far as they fit, a blank before each. Those that lead back to it come first: of ranks on one machine
 * the first try is answered. False and errno. */
bool rank_port_addresses(char text[RANK_PORT_ADDRESSES]);

/* A socket connected to host and port, both in figures, before that moment (rank_link_clock); -1 and errno. */
int rank_port_connect(const char *host, const char *port, double until);

/* What is left until that moment, for poll: 0 to a minute. */
int rank_port_milliseconds(double until);

#endif
