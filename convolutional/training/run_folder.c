/* run_folder.c - a run's folder; see run_folder.h. */

#include "run_folder.h"

#include "text.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *const file_names[RUN_FILES] = {
    [RUN_arguments] = "args.json", [RUN_log] = "log.jsonl",
    [RUN_last] = "last.safetensors", [RUN_previous] = "prev.safetensors", [RUN_best] = "best.safetensors",
};

char *run_folder_file(const char *folder, RunFile file)
{
    return text_format("%s/%s", folder, file_names[file]);
}

/* Whether something other than a lock lies in the folder. */
static bool folder_used(const char *path)
{
    DIR *folder = opendir(path);
    if (!folder)
        return false;
    bool used = false;
    for (const struct dirent *entry; !used && (entry = readdir(folder)) != NULL;)
        used = strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") && strcmp(entry->d_name, "run.lock");
    closedir(folder);
    return used;
}

/* Makes runs/<arch>-<act>-<n> with the first n that is free. */
static char *folder_new(const char *arch, const char *act, Error *error)
{
    enum { RUNS_MOST = 1000000 };
    char path[256];
    if (!folder_create("runs", error))
        return NULL;
    for (int n = 1; n < RUNS_MOST; n++) {
        snprintf(path, sizeof path, "runs/%s-%s-%d", arch, act, n);
        for (char *letter = path; *letter; letter++)      /* leaky_relu:0.1: a colon means a host to scp and rsync */
            if (*letter == ':')
                *letter = '_';
        if (mkdir(path, 0777) == 0)
            return text_copy(path);
        if (errno != EEXIST)
            break;
    }
    error_set(error, EXIT_folder, "cannot make an output folder: %s: %s: name one with --output", path, strerror(errno));
    return NULL;
}

static bool folder_claim(RunFolder *folder, bool resume, Error *error)
{
    struct stat about;
    if (resume && stat(folder->files[RUN_arguments], &about) != 0 && stat(folder->files[RUN_last], &about) != 0)
        return error_set(error, EXIT_input, "no run to resume: %s: %s is missing: name a run's folder", folder->path,
                         file_names[RUN_arguments]);
    if (!folder_create(folder->path, error))
        return false;
    folder->lock = folder_lock(folder->path, error);
    if (folder->lock < 0)
        return false;
    if (!resume && folder_used(folder->path))
        return error_set(error, EXIT_folder, "output folder not empty: %s: use --resume %s to go on, or another --output",
                         folder->path, folder->path);
    return folder_remove_orphans(folder->path, error);
}

RunFolder *run_folder_open(const char *path, const char *arch, const char *act, bool resume, Error *error)
{
    CHECK(path || !resume, "resume needs a folder");
    char *name = path ? text_copy(path) : folder_new(arch, act, error);
    if (!name)
        return NULL;
    size_t length = strlen(name);
    while (length > 1 && name[length - 1] == '/')
        name[--length] = '\0';

    RunFolder *folder = allocate(1, sizeof *folder, "a run's folder");
    folder->path = name;
    folder->lock = -1;
    folder->log.descriptor = -1;
    for (int file = 0; file < RUN_FILES; file++)
        folder->files[file] = run_folder_file(name, (RunFile)file);
    if (folder_claim(folder, resume, error))
        return folder;
    run_folder_close(folder);
    return NULL;
}

void run_folder_close(RunFolder *folder)
{
    if (!folder)
        return;
    log_close(&folder->log);
    if (folder->lock >= 0)
        folder_unlock(folder->lock);
    for (int file = 0; file < RUN_FILES; file++)
        free(folder->files[file]);
    free(folder->path);
    free(folder);
}

/* The bytes of the log's first lines that tell of epochs up to this one; 0 if there is no log. */
static uint64_t bytes_of_epochs(const char *path, uint32_t epochs)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    uint64_t bytes = 0;
    for (ssize_t length; file && (length = getline(&line, &room, file)) > 0; bytes += (uint64_t)length) {
        json_t *object = json_loads(line, 0, NULL);
        const json_int_t epoch = json_integer_value(json_object_get(object, "epoch"));
        json_decref(object);
        if (epoch < 1 || epoch > epochs || line[length - 1] != '\n')
            break;
    }
    free(line);
    if (file)
        fclose(file);
    return bytes;
}

bool run_folder_log(RunFolder *folder, uint32_t epochs, Error *error)
{
    return log_open(&folder->log, folder->files[RUN_log], bytes_of_epochs(folder->files[RUN_log], epochs), error);
}

char *run_folder_newest(const char *root, Error *error)
{
    DIR *folder = opendir(root);
    char *newest = NULL;
    struct timespec when = { 0 };
    for (const struct dirent *entry; folder && (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        char *path = text_format("%s/%s", root, entry->d_name), *last = run_folder_file(path, RUN_last),
             *made = run_folder_file(path, RUN_arguments);
        struct stat about;
        const bool found = stat(last, &about) == 0 || stat(made, &about) == 0;
        const struct timespec *at = &about.st_mtim;
        const bool later =
            found && (!newest || at->tv_sec > when.tv_sec || (at->tv_sec == when.tv_sec && at->tv_nsec > when.tv_nsec));
        free(last);
        free(made);
        free(later ? newest : path);
        if (later) {
            newest = path;
            when = *at;
        }
    }
    if (folder)
        closedir(folder);
    if (!newest)
        error_set(error, EXIT_input, "no run to resume: %s: no folder with a run in it: name one with --resume DIR", root);
    return newest;
}
