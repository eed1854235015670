/* folder_parts.h - which folders are the train, val and test parts of a folder of images, and what lies in all of them. */

#ifndef CONVZOO_FOLDER_PARTS_H
#define CONVZOO_FOLDER_PARTS_H

#include "disk.h"
#include "file_names.h"

typedef struct FolderParts {
    char *names[SPLITS];        /* as found: "train", "Valid", ...; NULL where there is none */
    char *again[SPLITS];        /* a second folder for the same part */
    Entry link;                 /* a part that is a link which is not followed; name NULL: none */
} FolderParts;

/* All NULL where the folders are the classes themselves: where one with a part's name holds images itself and stands beside
 * other folders that do ("train" beside "bus"). */
FolderParts folder_parts_read(int root);
void        folder_parts_free(FolderParts *parts);

bool folder_parts_any(const FolderParts *parts);
/* False and a line that names both if two folders are the same part, or one of a link that is not followed: other images must not stand in for its. */
bool folder_parts_ok(const FolderParts *parts, const char *path, Error *error);

/* Whether a folder holds files that are named like images, itself. */
bool folder_holds_images(int root, const char *folder);

/* The data set of which this folder is one part, where it has others ("photos" for "photos/train" beside "photos/val"); NULL: it is
 * no such part. The caller frees it. */
char *folder_part_of(const char *path);

/* A whole data set, all parts together. */
typedef struct FolderSurvey {
    uint32_t images;
    NameList files, folders;    /* left out */
} FolderSurvey;

/* Passes over what cannot be listed: opening a part tells. */
FolderSurvey folder_survey(int root, const FolderParts *parts);

#endif
