/* place.c - where the data set is, when a person named a folder or a file near it; see formats.h. */

#include "formats.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk.h"
#include "file_names.h"
#include "folder_parts.h"
#include "text.h"

enum { DEEPEST = 2, MOST_FOLDERS = 200 };

/* How many folders in `folder` hold images. */
static size_t place_classes(int root, const char *folder)
{
    Listing listing;
    size_t count = 0;
    if (!listing_read(root, folder, "", &listing, NULL))
        return 0;
    for (size_t i = 0; i < listing.count; i++) {
        char *path = path_join(strcmp(folder, ".") ? folder : "", listing.entries[i].name);
        count += listing.entries[i].type == ENTRY_folder && folder_holds_images(root, path);
        free(path);
    }
    listing_free(&listing);
    return count;
}

static bool place_has_classes(int root)
{
    FolderParts parts = folder_parts_read(root);
    bool found = !folder_parts_any(&parts) && place_classes(root, ".") >= 2;
    for (int i = 0; i < SPLITS && !found; i++)
        found = parts.names[i] && place_classes(root, parts.names[i]) >= 2;
    folder_parts_free(&parts);
    return found;
}

bool place_holds_data(int root)
{
    for (int i = 0; i < FORMATS; i++)
        if (dataset_formats[i] != &format_folder && dataset_formats[i]->matches(root))
            return true;
    return place_has_classes(root);
}

static void search_below(int root, const char *path, int depth, int *left, NameList *found)
{
    Listing listing;
    if (!listing_read(root, ".", "", &listing, NULL))
        return;
    for (size_t i = 0; i < listing.count && *left > 0; i++) {
        if (listing.entries[i].type != ENTRY_folder)
            continue;
        --*left;
        char *inner = path_join(path, listing.entries[i].name);
        const int folder = disk_folder(inner, NULL);
        if (folder >= 0 && place_holds_data(folder))
            name_list_add(found, inner);
        else if (folder >= 0 && depth < DEEPEST)
            search_below(folder, inner, depth + 1, left, found);
        if (folder >= 0)
            close(folder);
        free(inner);
    }
    listing_free(&listing);
}

/* Whether the folders here hold folders themselves, as no class does. */
static bool place_is_deep(int root)
{
    Listing outer, inner;
    bool deep = false;
    if (!listing_read(root, ".", "", &outer, NULL))
        return false;
    for (size_t i = 0; i < outer.count && !deep; i++) {
        if (outer.entries[i].type != ENTRY_folder || !listing_read(root, outer.entries[i].name, "", &inner, NULL))
            continue;
        for (size_t k = 0; k < inner.count && !deep; k++)
            deep = inner.entries[k].type == ENTRY_folder;
        listing_free(&inner);
    }
    listing_free(&outer);
    return deep;
}

bool place_below(int root, const char *path, Error *error)
{
    NameList found = {0};
    int left = MOST_FOLDERS;
    search_below(root, path, 1, &left, &found);
    if (found.count == 0 && place_is_deep(root)) {
        error_set(error, EXIT_input, "no data set in %s nor in the folders below: expected data_batch_1.bin (CIFAR-10), train.bin "
                  "(CIFAR-100), *-ubyte (MNIST) or a folder of images for each class: give another folder", name_tail(path));
        return true;
    }
    if (found.count == 0)
        return false;
    error_set(error, EXIT_input, "the data set is in a folder further down: %s holds none itself: give %s%s%s", name_tail(path),
              found.count > 1 ? "one of these: " : "", found.first, name_list_more(&found));
    return true;
}

/* Two folders or more, all of which hold images: other folders are not taken for a data set. */
static bool place_is_classes(int root)
{
    Listing listing;
    size_t classes = 0;
    bool all = true;
    if (!listing_read(root, ".", "", &listing, NULL))
        return false;
    for (size_t i = 0; i < listing.count && all; i++)
        if (listing.entries[i].type == ENTRY_folder) {
            all = folder_holds_images(root, listing.entries[i].name);
            classes++;
        }
    listing_free(&listing);
    return all && classes >= 2;
}

/* The data set of which this folder is a class, without a part's folder; NULL if there is none. The caller frees it. */
static char *place_above(const char *path)
{
    Split split;
    char *above = realpath(path, NULL);
    if (!above)
        return NULL;
    dirname(above);
    int folder = disk_folder(above, NULL);
    bool found = folder >= 0 && place_is_classes(folder);
    char *name = text_copy(above);
    const bool part = name_is_part(basename(name), &split);
    free(name);
    if (folder >= 0)
        close(folder);
    if (found && part)
        dirname(above);
    if (found)
        return above;
    free(above);
    return NULL;
}

bool place_of_class(const char *path, size_t images, Error *error)
{
    char *above = place_above(path);
    if (!above)
        return false;
    error_set(error, EXIT_input, "this is one class of a data set: %s holds %zu images and no folders: give %s", name_tail(path),
              images, name_tail(above));
    free(above);
    return true;
}

bool place_of_file(const char *path, Error *error)
{
    static const char *const archives[] = { ".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst", ".7z", ".rar" };
    for (size_t i = 0; i < sizeof archives / sizeof *archives; i++)
        if (name_ends_with(path, archives[i]))
            return error_set(error, EXIT_input, "data is a file, not a folder: %s is an archive: unpack it and give the folder "
                             "that comes of it", name_tail(path));
    char *copy = text_copy(path), *folder = NULL;
    dirname(copy);
    const int above = disk_folder(copy, NULL);
    if (above >= 0 && place_holds_data(above))
        folder = text_copy(copy);
    else if (above >= 0 && image_name(path) == NAME_image)
        folder = place_above(copy);
    if (folder)
        error_set(error, EXIT_input, "data is a file, not a folder: %s: give the folder that holds the data set: %s", name_tail(path),
                  name_tail(folder));
    else
        error_set(error, EXIT_input, "data is a file, not a folder: %s: give the folder that holds it; archives must be unpacked",
                  name_tail(path));
    if (above >= 0)
        close(above);
    free(folder);
    free(copy);
    return false;
}
