/* own_folder.c - see own_folder.h. */

#include "own_folder.h"

#include "text.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

char *own_folder(Error *error)
{
    char path[PATH_MAX];
    const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length < 0) {
        error_set(error, EXIT_input, "cannot find the programs: /proc/self/exe: %s: /proc must be mounted", strerror(errno));
        return NULL;
    }
    path[length] = '\0';
    *strrchr(path, '/') = '\0';
    return text_copy(path);
}
