/* image_list.c - see image_list.h. */

#include "image_list.h"

#include "disk.h"
#include "image.h"
#include "text.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEEPEST = 64 };

typedef struct Place {
    dev_t device;
    ino_t number;
} Place;

/* Folders that link to one another are searched once each. */
typedef struct Search {
    ImageList  *list;
    int         root;
    const char *path;           /* the root's, as given */
    List        places;         /* of the folders that have been begun; owned */
} Search;

static void append(ImageList *list, const char *path)
{
    list_add(&list->paths, text_copy(path));
}

static bool unreadable(const char *path, int number, Error *error)
{
    return error_set(error, EXIT_input, "cannot read: %s: %s: correct the path or its permissions", path, strerror(number));
}

static bool search_folder(Search *search, const char *folder, int depth, Error *error);

/* `inner` leads from the root to the entry, `shown` is its path for a person. */
static bool search_entry(Search *search, const Entry *entry, const char *inner, const char *shown, int depth, Error *error)
{
    if (entry->type == ENTRY_folder)
        return search_folder(search, inner, depth + 1, error);
    if (entry->type == ENTRY_link)
        name_list_add(&search->list->links, shown);
    else if (entry->type == ENTRY_file && image_name(entry->name) == NAME_image)
        append(search->list, shown);
    else
        name_list_add(&search->list->left_out, shown);
    return true;
}

/* Whether the folder is new; from now on it is not. */
static bool begin_place(Search *search, Place place)
{
    for (int i = 0; i < search->places.count; i++) {
        const Place *begun = search->places.items[i];
        if (begun->device == place.device && begun->number == place.number)
            return false;
    }
    Place *own = list_add(&search->places, allocate(1, sizeof *own, "a list of folders"));
    *own = place;
    return true;
}

/* Every image below; a folder that cannot be read is an error, so that none is left out without a word. */
static bool search_folder(Search *search, const char *folder, int depth, Error *error)
{
    struct stat about;
    Listing listing;
    char *path = strcmp(folder, ".") ? path_join(search->path, folder) : text_copy(search->path);
    bool whole = fstatat(search->root, folder, &about, 0) == 0 || unreadable(path, errno, error);
    const bool known = whole && (depth > DEEPEST || !begin_place(search, (Place){ about.st_dev, about.st_ino }));
    if (known)
        name_list_add(&search->list->again, path);
    if (!whole || known || !listing_read(search->root, folder, path, &listing, error)) {
        free(path);
        return whole && known;
    }
    for (size_t i = 0; i < listing.count && whole; i++) {
        char *inner = path_join(strcmp(folder, ".") ? folder : "", listing.entries[i].name);
        char *shown = path_join(path, listing.entries[i].name);
        whole = search_entry(search, &listing.entries[i], inner, shown, depth, error);
        free(inner);
        free(shown);
    }
    listing_free(&listing);
    free(path);
    return whole;
}

static bool add_folder(ImageList *list, const char *path, Error *error)
{
    const int before = list->paths.count;
    const size_t links = list->links.count;
    Search search = { .list = list, .root = disk_folder(path, error), .path = path };
    if (search.root < 0)
        return false;
    const bool whole = search_folder(&search, ".", 0, error);
    close(search.root);
    list_clear(&search.places, free);
    if (!whole)
        return false;
    if (list->paths.count == before && list->links.count > links)
        return error_set(error, EXIT_input, "no image: %s: symbolic links that lead out of the folder or nowhere are not followed "
                         "(%s%s): give the folder they lead to, or name the images", path, list->links.first,
                         name_list_more(&list->links));
    return list->paths.count > before ||
           error_set(error, EXIT_input, "no image: %s: the folder holds none that can be read: name another", path);
}

/* A path that is there, and what became of it. */
static bool add_found(ImageList *list, const char *path, const struct stat *about, Error *error)
{
    if (S_ISDIR(about->st_mode))
        return add_folder(list, path, error);
    append(list, path);
    return true;
}

/* The shell did not take the pattern: it was quoted, or there is no shell. What it finds is no pattern again: a link to nowhere may be
 * named like one. */
static bool add_pattern(ImageList *list, const char *pattern, Error *error)
{
    glob_t found;
    const int status = glob(pattern, 0, NULL, &found);
    if (status != 0)
        return status == GLOB_NOMATCH ? error_set(error, EXIT_input, "no file: %s: nothing has such a name: correct the pattern", pattern)
                                      : error_set(error, EXIT_input, "cannot read: %s: the folders could not be searched: name the files", pattern);
    bool whole = true;
    struct stat about;
    for (size_t i = 0; whole && i < found.gl_pathc; i++)
        whole = stat(found.gl_pathv[i], &about) == 0 ? add_found(list, found.gl_pathv[i], &about, error)
                                                     : unreadable(found.gl_pathv[i], errno, error);
    globfree(&found);
    return whole;
}

bool image_list_add(ImageList *list, const char *path, Error *error)
{
    struct stat about = { 0 };
    if (disk_is_standard_input(path) || stat(path, &about) == 0)
        return add_found(list, path, &about, error);
    if (errno == ENOENT && strpbrk(path, "*?["))
        return add_pattern(list, path, error);
    append(list, path);      /* what is wrong with it is told when it is read, and the others are read all the same */
    return true;
}

static bool add_lines(ImageList *list, FILE *stream, const char *shown, Error *error)
{
    struct stat about;
    char *line = NULL;
    size_t room = 0;
    const int before = list->paths.count;
    bool whole = true;
    bool first = true;
    for (ssize_t length; whole && (length = getline(&line, &room, stream)) >= 0; first = false) {
        if (first && !strncmp(line, "\xEF\xBB\xBF", 3)) {      /* a mark that some editors begin texts with */
            memmove(line, line + 3, (size_t)length - 2);
            length -= 3;
        }
        if (strlen(line) != (size_t)length)
            whole = error_set(error, EXIT_input, "no list of names: %s: it has bytes of 0: give a text with a path a line", shown);
        line[strcspn(line, "\r\n")] = '\0';
        if (whole && *line && stat(line, &about) == 0 && S_ISDIR(about.st_mode))
            whole = add_folder(list, line, error);
        else if (whole && *line)
            append(list, line);
    }
    if (whole && ferror(stream))
        whole = unreadable(shown, errno, error);
    free(line);
    return whole && (list->paths.count > before || error_set(error, EXIT_input, "no image: %s: the list is empty: put a path in each line", shown));
}

bool image_list_read(ImageList *list, const char *path, Error *error)
{
    if (!strcmp(path, "-"))
        return add_lines(list, stdin, "standard input", error);
    FILE *stream = fopen(path, "re");
    if (!stream)
        return unreadable(path, errno, error);
    const bool whole = add_lines(list, stream, path, error);
    fclose(stream);
    return whole;
}

void image_list_notes(const ImageList *list, void (*note)(void *context, const char *text), void *context)
{
    const struct {
        const NameList *names;
        const char     *one, *many;
    } rows[] = {
        { &list->left_out, "file that is not named like an image", "files that are not named like images" },
        { &list->links, "symbolic link that leads out of its folder or nowhere",
          "symbolic links that lead out of their folder or nowhere" },
        { &list->again, "folder that was searched already, or lies more than 64 folders deep",
          "folders that were searched already, or lie more than 64 folders deep" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].names->count == 0)
            continue;
        char *text = text_format("left out: %zu %s: %s%s", rows[i].names->count,
                                 rows[i].names->count == 1 ? rows[i].one : rows[i].many, rows[i].names->first,
                                 name_list_more(rows[i].names));
        note(context, text);
        free(text);
    }
}

void image_list_clear(ImageList *list)
{
    list_clear(&list->paths, free);
    *list = (ImageList){ 0 };
}
