/* image_list.c - see image_list.h. */

#include "image_list.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
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
    list->paths[list->count] = strdup(path);
    CHECK(list->paths[list->count], "out of memory for %zu paths", list->count);
    list->count++;
}

static bool named_like_image(const char *name)
{
    static const char *const endings[] = { ".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tga", ".pnm", ".ppm", ".pgm" };
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (!strcasecmp(dot, endings[i]))
            return true;
    return false;
}

static int by_bytes(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool add_folder(ImageList *list, const char *path, Error *error)
{
    char *root = strdup(path);
    CHECK(root, "out of memory for a path");
    const size_t before = list->count;
    FTS *tree = fts_open((char *[]){ root, NULL }, FTS_PHYSICAL | FTS_NOCHDIR, by_bytes);
    for (FTSENT *entry; tree && (entry = fts_read(tree)) != NULL;) {
        if (entry->fts_level > 0 && entry->fts_name[0] == '.')
            fts_set(tree, entry, FTS_SKIP);
        else if (entry->fts_info == FTS_F && named_like_image(entry->fts_name))
            append(list, entry->fts_path);
    }
    if (tree)
        fts_close(tree);
    free(root);
    return list->count > before || error_set(error, EXIT_input, "no image: %s: the folder holds no .png, .jpg, .bmp, .gif, .tga or .ppm file", path);
}

bool image_list_add(ImageList *list, const char *path, Error *error)
{
    struct stat about;
    if (stat(path, &about) != 0)
        return error_set(error, EXIT_input, "cannot open: %s: %s", path, strerror(errno));
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
