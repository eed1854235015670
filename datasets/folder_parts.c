/* folder_parts.c - see folder_parts.h. */

#include "folder_parts.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "errors.h"
#include "image.h"
#include "text.h"

bool folder_holds_images(int root, const char *folder)
{
    Listing listing;
    bool found = false;
    if (!listing_read(root, folder, "", &listing, NULL))
        return false;
    for (size_t i = 0; i < listing.count && !found; i++)
        found = listing.entries[i].type != ENTRY_folder && image_name(listing.entries[i].name) == NAME_image;
    listing_free(&listing);
    return found;
}

FolderParts folder_parts_read(int root)
{
    FolderParts parts = {0};
    Listing listing;
    Split split;
    bool deep = false, classes = false;
    if (!listing_read(root, ".", "", &listing, NULL))
        return parts;
    for (size_t i = 0; i < listing.count; i++) {
        const Entry *entry = &listing.entries[i];
        if ((entry->type != ENTRY_folder && entry->type != ENTRY_link) || !name_is_part(entry->name, &split))
            continue;
        char **place = parts.names[split] ? &parts.again[split] : &parts.names[split];
        if (!*place)
            *place = text_copy(entry->name);
        if (entry->type == ENTRY_link && !parts.link.name)
            parts.link = (Entry){ text_copy(entry->name), entry->type, entry->reason };
        deep = deep || (entry->type == ENTRY_folder && !folder_holds_images(root, entry->name));
    }
    for (size_t i = 0; i < listing.count && folder_parts_any(&parts) && !deep && !classes; i++)
        classes = listing.entries[i].type == ENTRY_folder && !name_is_part(listing.entries[i].name, &split) &&
                  folder_holds_images(root, listing.entries[i].name);
    listing_free(&listing);
    if (classes)
        folder_parts_free(&parts);
    return parts;
}

void folder_parts_free(FolderParts *parts)
{
    for (int i = 0; i < SPLITS; i++) {
        free(parts->names[i]);
        free(parts->again[i]);
    }
    free(parts->link.name);
    *parts = (FolderParts){0};
}

bool folder_parts_any(const FolderParts *parts)
{
    return parts->names[SPLIT_train] || parts->names[SPLIT_val] || parts->names[SPLIT_test];
}

bool folder_parts_ok(const FolderParts *parts, const char *path, Error *error)
{
    for (int i = 0; i < SPLITS; i++)
        if (parts->again[i])
            return error_set(error, EXIT_input, "two folders for the %s part: '%s' and '%s' in %s: remove one or move it elsewhere",
                             split_name((Split)i), name_tail(parts->names[i]), name_tail(parts->again[i]), name_tail(path));
    return !parts->link.name || entry_refuse_in(path, &parts->link, error);
}

/* ---- what lies there ---- */

/* `folder` is a class folder's path, which is also what a person is shown. */
static void survey_class(int root, const char *folder, FolderSurvey *survey)
{
    Listing listing;
    if (!listing_read(root, folder, "", &listing, NULL))
        return;
    for (size_t i = 0; i < listing.count; i++) {
        char *path = path_join(folder, listing.entries[i].name);
        if (image_name(listing.entries[i].name) == NAME_image && listing.entries[i].type == ENTRY_file)
            survey->images++;
        else if (listing.entries[i].type != ENTRY_folder)
            name_list_add(&survey->files, path);
        free(path);
    }
    listing_free(&listing);
}

/* The folder that holds the class folders. */
static void survey_part(int root, const char *folder, FolderSurvey *survey)
{
    Listing listing;
    if (!listing_read(root, folder, "", &listing, NULL))
        return;
    for (size_t i = 0; i < listing.count; i++) {
        char *path = path_join(strcmp(folder, ".") ? folder : "", listing.entries[i].name);
        if (listing.entries[i].type == ENTRY_folder)
            survey_class(root, path, survey);
        else
            name_list_add(&survey->files, path);
        free(path);
    }
    listing_free(&listing);
}

FolderSurvey folder_survey(int root, const FolderParts *parts)
{
    FolderSurvey survey = {0};
    Listing listing;
    Split split;
    if (!folder_parts_any(parts)) {
        survey_part(root, ".", &survey);
        return survey;
    }
    for (int i = 0; i < SPLITS; i++)
        if (parts->names[i])
            survey_part(root, parts->names[i], &survey);
    if (!listing_read(root, ".", "", &listing, NULL))
        return survey;
    for (size_t i = 0; i < listing.count; i++)
        if (listing.entries[i].type != ENTRY_folder)
            name_list_add(&survey.files, listing.entries[i].name);
        else if (!name_is_part(listing.entries[i].name, &split))
            name_list_add(&survey.folders, listing.entries[i].name);
    listing_free(&listing);
    return survey;
}

char *folder_part_of(const char *path)
{
    char *above = realpath(path, NULL);
    Split split;
    if (!above)
        return NULL;
    const char *slash = strrchr(above, '/');
    const bool named = slash && name_is_part(slash + 1, &split);
    const int root = named ? disk_folder(dirname(above), NULL) : -1;
    int others = 0;
    if (root >= 0) {
        FolderParts parts = folder_parts_read(root);
        for (int i = 0; i < SPLITS; i++)
            others += i != (int)split && parts.names[i] && !(parts.link.name && !strcmp(parts.names[i], parts.link.name));
        folder_parts_free(&parts);
        close(root);
    }
    if (others)
        return above;
    free(above);
    return NULL;
}
