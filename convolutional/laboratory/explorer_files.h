/* explorer_files.h - what laboratory/explorer/ holds, as it was when the program was built (embed.cmake). */

#ifndef CONVZOO_EXPLORER_FILES_H
#define CONVZOO_EXPLORER_FILES_H

#include <stddef.h>

typedef struct ExplorerFile {
    const char          *name;      /* "page.html" */
    const unsigned char *bytes;     /* and a NUL */
    size_t               count;     /* without it */
} ExplorerFile;

extern const ExplorerFile explorer_files[];
extern const int          explorer_file_count;

#endif
