/* host.h - which machine this is. */

#ifndef CONVZOO_HOST_H
#define CONVZOO_HOST_H

#include <stddef.h>

/* This machine's name, cut to what fits into `size` bytes; "an unnamed machine" if it has none. */
void host_name(char *name, size_t size);

#endif
