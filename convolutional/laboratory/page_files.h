/* page_files.h - what laboratory/explorer/ and laboratory/report/ hold, as it was when the program was built (embed.cmake). */

#ifndef CONVZOO_PAGE_FILES_H
#define CONVZOO_PAGE_FILES_H

#include <stddef.h>

typedef struct PageFile {
    const char          *name;      /* "page.html" */
    const unsigned char *bytes;     /* and a NUL */
    size_t               count;     /* without it */
} PageFile;

extern const PageFile page_files[];
extern const int      page_file_count;

#endif
