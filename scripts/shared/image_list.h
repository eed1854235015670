/* image_list.h - the image files that a command line names: files as given, folders searched. */

#ifndef CONVZOO_IMAGE_LIST_H
#define CONVZOO_IMAGE_LIST_H

#include <stddef.h>

#include "errors.h"

typedef struct ImageList {
    char **paths;
    size_t count, room;
} ImageList;

/* A file is taken whatever its name is; of a folder, and those below, the files that are named like images, in the order
 * of their bytes, without hidden ones and symbolic links. False and one line if there is no such path, or a folder holds none. */
bool image_list_add(ImageList *list, const char *path, Error *error);
void image_list_clear(ImageList *list);

#endif
