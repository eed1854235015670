/* run_folder.c - a run's folder; see run_folder.h. */

#include "run_folder.h"

#include "files.h"
#include "log_lines.h"
#include "text.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const file_names[RUN_FILES] = {
    [RUN_arguments] = "args.json", [RUN_log] = "log.jsonl", [RUN_csv] = "log.csv", [RUN_events] = "events.out.tfevents.0.convzoo",
    [RUN_activity] = "activity.jsonl", [RUN_health] = "health.jsonl", [RUN_suspects] = "suspects.csv",
    [RUN_last] = "last.safetensors", [RUN_previous] = "prev.safetensors", [RUN_best] = "best.safetensors",
};

char *run_folder_file(const char *folder, RunFile file)
{
    return text_format("%s/%s", folder, file_names[file]);
}

/* What a process leaves that was killed before it had written anything. */
static bool is_remains(const char *name)
{
    bool remains = !strcmp(name, "run.lock");
    for (int file = 0; file < RUN_FILES && !remains; file++) {
        const size_t length = strlen(file_names[file]);
        remains = !strncmp(name, file_names[file], length) && !strcmp(name + length, ".tmp");
    }
    return remains;
}

static bool folder_unread(const char *path, Error *error)
{
    return error_set(error, EXIT_folder, "cannot read the folder: %s: %s: nothing was changed; name another", path, strerror(errno));
}

/* NULL at the end, and if that fails. */
static const char *next_name(DIR *folder, const char *path, bool *ok, Error *error)
{
    errno = 0;
    const struct dirent *entry = readdir(folder);
    if (!entry)
        *ok = errno == 0 || folder_unread(path, error);
    return entry ? entry->d_name : NULL;
}

/* Whether something lies in the folder that is not such remains. */
static bool folder_used(const char *path, bool *used, Error *error)
{
    DIR *folder = opendir(path);
    *used = false;
    if (!folder)
        return folder_unread(path, error);
    bool ok = true;
    for (const char *name; !*used && (name = next_name(folder, path, &ok, error)) != NULL;)
        *used = strcmp(name, ".") && strcmp(name, "..") && !is_remains(name);
    closedir(folder);
    return ok;
}

/* What stands for an activation in a folder's name: no sign that a shell or scp would take for its own (leaky_relu:0.1, x*sigmoid(2*x)). */
static const char *folder_word(const char *act, char *word, size_t size)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    size_t used = 0;
    for (; *act && used + 1 < size; act++)
        if (strchr(plain, *act))
            word[used++] = *act;
        else if (used && word[used - 1] != '_')
            word[used++] = '_';
    while (used && word[used - 1] == '_')
        used--;
    word[used] = '\0';
    return word;
}

/* Makes runs/<arch>-<act>-<n> with the first n that is free. */
static char *folder_new(const char *arch, const char *act, Error *error)
{
    enum { RUNS_MOST = 1000000 };
    char path[256], word[48];
    if (!folder_create("runs", error))
        return NULL;
    for (int n = 1; n < RUNS_MOST; n++) {
        snprintf(path, sizeof path, "runs/%s-%s-%d", arch, folder_word(act, word, sizeof word), n);
        if (folder_make(path))
            return text_copy(path);
        if (errno != EEXIST)
            break;
    }
    error_set(error, EXIT_folder, "cannot make an output folder: %s: %s: name one with --output", path, strerror(errno));
    return NULL;
}

static bool folder_claim(RunFolder *folder, bool resume, Error *error)
{
    bool begun, saved, used;
    if (resume && (!file_there(folder->files[RUN_arguments], &begun, error) || !file_there(folder->files[RUN_last], &saved, error)))
        return false;
    if (resume && !begun && !saved)
        return error_set(error, EXIT_input, "no run to resume: %s: %s is missing: name a run's folder", folder->path,
                         file_names[RUN_arguments]);
    if (!folder_create(folder->path, error))
        return false;
    folder->lock = folder_lock(folder->path, error);
    if (folder->lock < 0)
        return false;
    if (!resume && !folder_used(folder->path, &used, error))
        return false;
    if (!resume && used)
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

bool run_folder_log(RunFolder *folder, uint32_t epochs, Error *error)
{
    return log_open_cut(&folder->log, folder->files[RUN_log], epochs, log_object_epoch, error);
}

/* ---- finding a run ---- */

char *run_folder_of(const char *path)
{
    struct stat about;
    const char *slash = strrchr(path, '/');
    if (stat(path, &about) != 0 || !S_ISREG(about.st_mode))
        return text_copy(path);
    return slash ? text_format("%.*s", slash == path ? 1 : (int)(slash - path), path) : text_copy(".");
}

static bool is_later(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec > b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec > b->tv_nsec);
}

/* When the run in a folder was written last; zero if there is none. False: that cannot be told now. */
static bool run_written(const char *folder, struct timespec *when, Error *error)
{
    static const RunFile files[] = { RUN_last, RUN_arguments };
    bool known = true, found = false;
    *when = (struct timespec){ 0 };
    for (size_t i = 0; known && !found && i < sizeof files / sizeof *files; i++) {
        struct stat about;
        char *path = run_folder_file(folder, files[i]);
        found = stat(path, &about) == 0;
        if (found)
            *when = about.st_mtim;
        else
            known = errno == ENOENT || errno == ENOTDIR ||
                    error_set(error, EXIT_input, "cannot tell which run is the newest: %s: %s: name one with --resume DIR", path,
                              strerror(errno));
        free(path);
    }
    return known;
}

char *run_folder_newest(const char *root, Error *error)
{
    DIR *folder = opendir(root);
    char *newest = NULL;
    struct timespec latest = { 0 }, when;
    bool ok = folder || errno == ENOENT || folder_unread(root, error);
    for (const char *name; folder && ok && (name = next_name(folder, root, &ok, error)) != NULL;) {
        if (name[0] == '.')
            continue;
        char *path = text_format("%s/%s", root, name);
        ok = run_written(path, &when, error);
        if (ok && is_later(&when, &latest)) {
            free(newest);
            newest = path;
            latest = when;
        } else {
            free(path);
        }
    }
    if (folder)
        closedir(folder);
    if (ok && newest)
        return newest;
    free(newest);
    if (ok)
        error_set(error, EXIT_input, "no run to resume: %s: no folder with a run in it: name one with --resume DIR", root);
    return NULL;
}
