/* image_folder.c - a folder of images for each class, alone or within train/, val/ and test/ (or other names: file_names.c).
 *
 *   photos/train/cat/1.jpg      or      photos/cat/1.jpg
 *   photos/val/cat/2.png
 *
 * Classes are the folders' names and images the files' names, each sorted by bytes. val/ and test/ take the classes of
 * train/. Litter is skipped; files whose names do not end like an image's are left out and told. Symbolic links are followed
 * only within the data folder. */

#include "formats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include "disk.h"
#include "folder_parts.h"
#include "text.h"

enum { MEASURED = 1024 };      /* images looked at to find the size of all */

typedef struct Folder {
    char       *part;           /* "train", "Valid", ... or "." */
    char      **files;          /* a name within its class folder for each image */
    uint32_t    room;
} Folder;

/* Class folders alone are the train part. The name is the caller's. */
static char *part_folder(int root, Split split)
{
    FolderParts parts = folder_parts_read(root);
    const char *name = parts.names[split];
    if (!name)
        name = split == SPLIT_train ? "." : split_name(split);
    char *copy = text_copy(name);
    folder_parts_free(&parts);
    return copy;
}

/* A folder, or a link where a part would be: opening it tells why it is not followed. */
static bool has_class_folder(int root)
{
    Listing listing;
    Split split;
    bool found = false;
    if (!listing_read(root, ".", "", &listing, NULL))
        return false;
    for (size_t i = 0; i < listing.count && !found; i++)
        found = listing.entries[i].type == ENTRY_folder || (listing.entries[i].type == ENTRY_link && name_is_part(listing.entries[i].name, &split));
    listing_free(&listing);
    return found;
}

static bool folder_has(int root, Split split)
{
    FolderParts parts = folder_parts_read(root);
    const bool has = folder_parts_any(&parts) ? parts.names[split] != NULL : split == SPLIT_train;
    folder_parts_free(&parts);
    return has;
}

static bool folder_matches(int root)
{
    return has_class_folder(root);
}

/* ---- classes ---- */

static char *shown_path(const Part *part, const char *folder, const char *class_name, const char *file)
{
    char *path = text_copy(part->path);
    const char *names[] = { strcmp(folder, ".") ? folder : "", class_name, file };
    for (int i = 0; i < 3; i++)
        if (*names[i]) {
            char *longer = path_join(path, names[i]);
            free(path);
            path = longer;
        }
    return path;
}

static bool class_names_ok(const char *const *names, int count, const char *shown, Error *error)
{
    if (count == 0)
        return error_set(error, EXIT_input, "no class folders in %s: make a folder for each class and put its images there",
                         name_tail(shown));
    if (count == 1)
        return error_set(error, EXIT_input, "one class only, expected 2 or more: %s holds the folder '%s' alone: "
                         "give the folder whose folders are the classes", name_tail(shown), name_tail(names[0]));
    if (count > MAX_CLASSES)
        return error_set(error, EXIT_input,
                         "%d class folders in %s, the limit is %d: give the folder whose folders are the classes", count,
                         name_tail(shown), MAX_CLASSES);
    for (int i = 0; i < count; i++)
        if (!text_is_printable(names[i]))
            return error_set(error, EXIT_input, "class name is not printable UTF-8: folder '%s' in %s: rename it",
                             name_tail(names[i]), name_tail(shown));
    return true;
}

/* The classes are the folders in `folder`. */
static bool read_classes(Part *part, const char *folder, Error *error)
{
    Listing listing;
    char *shown = shown_path(part, folder, "", "");
    if (!listing_read(part->root, folder, shown, &listing, error)) {
        free(shown);
        return false;
    }
    const char **names = allocate(listing.count, sizeof *names, "class names");
    int count = 0;
    bool good = true;
    for (size_t i = 0; i < listing.count && good; i++) {
        if (listing.entries[i].type == ENTRY_folder)
            names[count++] = listing.entries[i].name;
        if (listing.entries[i].type == ENTRY_link && place_holds_data(part->root))
            good = entry_refuse_in(shown, &listing.entries[i], error);
    }
    good = good && class_names_ok(names, count, shown, error);
    if (good)
        part_set_classes(part, names, count);
    free(names);
    listing_free(&listing);
    free(shown);
    return good;
}

/* val/ and test/ may lack a class of train/, but not have one more. */
static bool no_other_classes(const Part *part, const char *folder, Error *error)
{
    Listing listing;
    char *shown = shown_path(part, folder, "", "");
    bool good = listing_read(part->root, folder, shown, &listing, error);
    for (size_t i = 0; i < listing.count && good; i++) {
        bool known = listing.entries[i].type != ENTRY_folder;
        for (int c = 0; c < part->classes && !known; c++)
            known = !strcmp(part->class_names[c], listing.entries[i].name);
        if (listing.entries[i].type == ENTRY_link)
            good = entry_refuse_in(shown, &listing.entries[i], error);
        else if (!known)
            good = error_set(error, EXIT_input, "class '%s' is in %s but not in train: rename or remove it",
                             name_tail(listing.entries[i].name), name_tail(shown));
    }
    listing_free(&listing);
    free(shown);
    return good;
}

/* ---- images ---- */

static void add_image(Part *part, Folder *state, const char *name, int class)
{
    if (part->count == state->room) {
        state->room = state->room ? state->room * 2 : 1024;
        char **files = allocate(state->room, sizeof *files, "a folder's files");
        uint16_t *labels = allocate(state->room, sizeof *labels, "a folder's labels");
        if (part->count) {
            memcpy(files, state->files, part->count * sizeof *files);
            memcpy(labels, part->labels, part->count * sizeof *labels);
        }
        free(state->files);
        free(part->labels);
        state->files = files;
        part->labels = labels;
    }
    state->files[part->count] = text_copy(name);
    part->labels[part->count++] = (uint16_t)class;
}

/* Skips what is no image; refuses what looks like one but cannot be used. */
static bool add_entry(Part *part, Folder *state, const Entry *entry, int class, const char *shown, Error *error)
{
    const ImageName name = image_name(entry->name);
    if (entry->type == ENTRY_folder)
        return error_set(error, EXIT_input, "folder within a class: %s: images lie directly in their class's folder; "
                         "move them up or give the folder whose folders are the classes", name_tail(shown));
    if (name == NAME_unsupported)
        return error_set(error, EXIT_input, "image format is not supported: %s: convert it to PNG or JPEG", name_tail(shown));
    if (name == NAME_other)
        return true;
    if (entry->type == ENTRY_link)
        return entry_refuse(entry, shown, error);
    if (entry->type == ENTRY_other)
        return error_set(error, EXIT_input, "not a regular file: %s: remove it", name_tail(shown));
    if (part->count == MAX_IMAGES)
        return error_set(error, EXIT_input, "more than %d images: %s: use fewer", MAX_IMAGES, name_tail(part->path));
    add_image(part, state, entry->name, class);
    return true;
}

static bool read_class(Part *part, Folder *state, int class, Error *error)
{
    Listing listing = {0};
    char *path = path_join(state->part, part->class_names[class]);
    char *shown = shown_path(part, state->part, part->class_names[class], "");
    bool good = disk_lacks(part->root, path) || listing_read(part->root, path, shown, &listing, error);
    for (size_t i = 0; i < listing.count && good; i++) {
        char *file = path_join(shown, listing.entries[i].name);
        good = add_entry(part, state, &listing.entries[i], class, file, error);
        free(file);
    }
    listing_free(&listing);
    free(path);
    free(shown);
    return good;
}

/* The bytes of image `index`, and its name for messages. */
static uint8_t *read_image(const Part *part, uint32_t index, size_t *size, char **shown, Error *error)
{
    const Folder *state = part->state;
    char *class_path = path_join(state->part, part->class_names[part->labels[index]]);
    char *path = path_join(class_path, state->files[index]);
    *shown = shown_path(part, state->part, part->class_names[part->labels[index]], state->files[index]);
    uint8_t *bytes = NULL;
    const int file = disk_open_beneath(part->root, path, *shown, IMAGE_MAX_BYTES, size, error);
    if (file >= 0) {
        bytes = allocate(*size + 1, 1, "an image file");
        if (!disk_read(file, bytes, *size, 0, *shown, error)) {
            free(bytes);
            bytes = NULL;
        }
        close(file);
    }
    free(class_path);
    free(path);
    return bytes;
}

static int compare_sides(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static bool measure_image(const Part *part, uint32_t index, ImageSize *found)
{
    size_t size;
    char *shown;
    uint8_t *bytes = read_image(part, index, &size, &shown, NULL);
    const bool good = bytes && image_measure(bytes, size, shown, &(ImageOptions){ .as_stored = part->options->as_stored }, found, NULL);
    free(bytes);
    free(shown);
    return good;
}

/* The size of all, if they have one and it is square; else 32 or 224, whichever is nearer the median. Grey if all are. Up
 * to MEASURED images, evenly spread, are looked at; damaged ones do not count. */
static ImageSize measure(const Part *part)
{
    ImageSize size = { 1, 0, 0 };
    int sides[MEASURED], count = 0;
    bool same = true;
    const uint32_t looked = part->count < MEASURED ? part->count : MEASURED;
    for (uint32_t i = 0; i < looked; i++) {
        ImageSize found;
        if (!measure_image(part, (uint32_t)((uint64_t)i * part->count / looked), &found))
            continue;
        if (count == 0)
            size = (ImageSize){ size.channels, found.height, found.width };
        same = same && found.height == size.height && found.width == size.width;
        if (found.channels == 3)
            size.channels = 3;
        sides[count++] = found.height < found.width ? found.height : found.width;
    }
    if (same && count && size.height == size.width)
        return size;
    qsort(sides, (size_t)count, sizeof *sides, compare_sides);
    size.height = size.width = count == 0 || sides[count / 2] < 64 ? 32 : 224;
    return size;
}

/* The images of one part, whose classes are known. */
static bool read_part(Part *part, Split split, Error *error)
{
    Folder *state = part->state = allocate(1, sizeof *state, "a data set");
    state->part = part_folder(part->root, split);
    for (int c = 0; c < part->classes; c++)
        if (!read_class(part, state, c, error))
            return false;
    if (part->count)
        return true;
    char *shown = shown_path(part, state->part, "", "");
    error_set(error, EXIT_input,
              "no images in %s: its %d class folders hold no PNG, JPEG, BMP, GIF, TGA, PPM or PGM files: "
              "give the folder whose folders are the classes",
              name_tail(shown), part->classes);
    free(shown);
    return false;
}

static void folder_close(Part *part)
{
    Folder *state = part->state;
    for (uint32_t i = 0; state && i < part->count; i++)
        free(state->files[i]);
    if (state) {
        free(state->files);
        free(state->part);
    }
    free(state);
}

/* The other parts' images get the size of the train part's. */
static bool measure_train(Part *part, Error *error)
{
    Part train = { .format = part->format, .options = part->options, .path = part->path, .root = part->root,
                   .classes = part->classes, .class_names = part->class_names };
    const bool good = read_part(&train, SPLIT_train, error);
    if (good)
        part->size = measure(&train);
    folder_close(&train);
    free(train.labels);
    return good;
}

/* The part's classes, names and images. */
static bool read_split(Part *part, Split split, Error *error)
{
    const bool other_part = split != SPLIT_train && folder_has(part->root, SPLIT_train);
    char *of_classes = part_folder(part->root, other_part ? SPLIT_train : split), *own = part_folder(part->root, split);
    const bool good = read_classes(part, of_classes, error) && (!other_part || no_other_classes(part, own, error)) &&
                      read_part(part, split, error);
    free(of_classes);
    free(own);
    if (!good)
        return false;
    if (other_part && !(part->options->side && part->options->channels))
        return measure_train(part, error);
    part->size = measure(part);
    return true;
}

static void add_note(Part *part, const char *what, const NameList *list)
{
    if (list->count == 0)
        return;
    char *notes = text_format("%s; left out: %zu %s: %s%s", part->notes ? part->notes : "", list->count, what, list->first,
                              name_list_more(list));
    free(part->notes);
    part->notes = notes;
}

/* Who names train/ gets a split of it, and may have meant the folder above. */
static void note_part_alone(Part *part)
{
    char *above = folder_part_of(part->path);
    if (above)
        part->notes = text_format("; this is one part of %s, whose other parts are not used: give that folder to validate on them", name_tail(above));
    free(above);
}

static bool folder_open(Part *part, Split split, Error *error)
{
    FolderParts parts = folder_parts_read(part->root);
    const bool good = folder_parts_ok(&parts, part->path, error) && read_split(part, split, error);
    if (good) {
        const FolderSurvey survey = folder_survey(part->root, &parts);
        part->total = survey.images;
        if (folder_parts_any(&parts)) {
            part->notes = text_copy("; parts:");
            for (int i = 0; i < SPLITS; i++)
                if (parts.names[i]) {
                    char *longer = text_format("%s %s/", part->notes, name_tail(parts.names[i]));
                    free(part->notes);
                    part->notes = longer;
                }
        }
        else
            note_part_alone(part);
        add_note(part, survey.files.count == 1 ? "file that is not named like an image" : "files that are not named like images",
                 &survey.files);
        add_note(part, survey.folders.count == 1 ? "folder that is no part" : "folders that are no parts", &survey.folders);
    }
    folder_parts_free(&parts);
    return good;
}

static bool folder_load(const Part *part, uint32_t index, ImageSize wanted, uint8_t *planes, Error *error)
{
    size_t size;
    char *shown;
    Image image;
    const ImageOptions options = { .wanted = wanted, .as_stored = part->options->as_stored, .fit = part->options->fit };
    uint8_t *bytes = read_image(part, index, &size, &shown, error);
    const bool good = bytes && image_decode(bytes, size, shown, &options, &image, error);
    if (good) {
        image_fit(&image, wanted, part->options->fit, planes);
        free(image.pixels);
    }
    free(bytes);
    free(shown);
    return good;
}

static char *folder_name(const Part *part, uint32_t index)
{
    const Folder *state = part->state;
    return shown_path(part, state->part, part->class_names[part->labels[index]], state->files[index]);
}

const Format format_folder = {
    .kind = "folder", .title = "image folder", .mirror_ok = true, .matches = folder_matches, .has = folder_has,
    .open = folder_open, .close = folder_close, .load = folder_load, .name = folder_name,
};
