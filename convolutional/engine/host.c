/* host.c - see host.h. */

#include "host.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

void host_name(char *name, size_t size)
{
    memset(name, 0, size);
    if (gethostname(name, size - 1) != 0 || !*name)      /* a name that is cut need not end */
        snprintf(name, size, "an unnamed machine");
}
