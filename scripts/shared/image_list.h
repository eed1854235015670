/* image_list.h - the image files that a command line names: files as given, folders searched. */

#ifndef CONVZOO_IMAGE_LIST_H
#define CONVZOO_IMAGE_LIST_H

#include "errors.h"
#include "file_names.h"
#include "list.h"

typedef struct ImageList {
    List     paths;                       /* of char *, owned */
    NameList left_out, links, again;      /* found in folders and not taken: other files; links that are not followed; folders that were searched before */
} ImageList;

/* A file or pipe is taken whatever its name is ("-": standard input); of a folder, and those below, the files that are named
 * like images, in the order of their bytes, without litter (file_names.h). As in a data set, links are followed within the folder
 * that is given. Of one path each folder is searched once. Where there is no such path and it has one of * ? [, it is a pattern for paths, as in a shell;
 * another path that does not exist is taken like a damaged image: whoever loads it tells. False and one line if nothing has the pattern, or a
 * folder holds no image. */
bool image_list_add(ImageList *list, const char *path, Error *error);

/* Adds what a text file ("-": standard input) names, a path a line; empty lines are passed over. False and one line if the text cannot be
 * read, names nothing, or a folder holds no image. */
bool image_list_read(ImageList *list, const char *path, Error *error);

/* A line for each kind of what was left out. */
void image_list_notes(const ImageList *list, void (*note)(void *context, const char *text), void *context);
void image_list_clear(ImageList *list);

#endif
