/* image_list.c - see image_list.h. */

#include "image_list.h"

#include "image.h"
#include "text.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void append(ImageList *list, const char *path)
{
    if (list->count == list->room) {
        const size_t room = list->room ? 2 * list->room : 64;
        char **paths = allocate(room, sizeof *paths, "a list of images");
        if (list->count)
            memcpy(paths, list->paths, list->count * sizeof *paths);
        free(list->paths);
        list->paths = paths;
        list->room = room;
    }
    list->paths[list->count++] = text_copy(path);
}

static int by_bytes(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool unreadable(const char *path, int number, Error *error)
{
    return error_set(error, EXIT_input, "cannot read: %s: %s: correct the path or its permissions", path, strerror(number));
}

/* Every image below; a part that cannot be read is an error, so that none is left out without a word. */
static bool add_folder(ImageList *list, const char *path, Error *error)
{
    char *root = text_copy(path);
    const size_t before = list->count;
    bool whole = true;
    FTS *tree = fts_open((char *[]){ root, NULL }, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_bytes);
    if (!tree)
        whole = unreadable(path, errno, error);
    while (whole) {
        errno = 0;
        FTSENT *entry = fts_read(tree);
        if (!entry) {
            whole = errno == 0 || unreadable(path, errno, error);
            break;
        }
        if (entry->fts_level > 0 && entry->fts_name[0] == '.')
            fts_set(tree, entry, FTS_SKIP);
        else if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS)
            whole = unreadable(entry->fts_path, entry->fts_errno, error);
        else if (entry->fts_info == FTS_F && image_name(entry->fts_name) == NAME_image)
            append(list, entry->fts_path);
    }
    if (tree)
        fts_close(tree);
    free(root);
    if (!whole)
        return false;
    return list->count > before ||
           error_set(error, EXIT_input, "no image: %s: the folder holds none that can be read: name another", path);
}

bool image_list_add(ImageList *list, const char *path, Error *error)
{
    struct stat about;
    if (stat(path, &about) != 0)
        return unreadable(path, errno, error);
    if (S_ISDIR(about.st_mode))
        return add_folder(list, path, error);
    append(list, path);
    return true;
}

void image_list_clear(ImageList *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->paths[i]);
    free(list->paths);
    *list = (ImageList){ 0 };
}
