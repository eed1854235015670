/* folder.c - see folder.h. */

#define _GNU_SOURCE      /* open file description locks, memrchr */

#include "folder.h"

#include "host.h"
#include "text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static bool folder_failed(const char *path, const char *what, Error *error)
{
    return error_set(error, EXIT_folder,
                     "cannot use the output folder: %s: %s: %s: choose another one", path, what, strerror(errno));
}

/* Without this a power cut may take the new folder with all that was synced within it. */
static bool sync_above(const char *path)
{
    char *above = text_copy(path);
    size_t length = strlen(above);
    while (length > 1 && above[length - 1] == '/')
        length--;
    while (length > 0 && above[length - 1] != '/')
        length--;
    above[length] = '\0';
    const int folder = open(length ? above : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(above);
    if (folder < 0)
        return errno == EACCES;      /* may be written to, not read: then it cannot be synced */
    const bool ok = fsync(folder) == 0 || errno == EINVAL;      /* EINVAL: the file system has no such notion */
    const int number = errno;
    close(folder);
    errno = number;
    return ok;
}

bool folder_make(const char *path)
{
    return mkdir(path, 0777) == 0 && sync_above(path);
}

/* Leaves mkdir's errno, which says more than stat's. */
static bool make_or_find(const char *path)
{
    struct stat status;
    if (mkdir(path, 0777) == 0)
        return sync_above(path);
    const int number = errno;
    const bool there = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
    errno = number;
    return there;
}

bool folder_create(const char *path, Error *error)
{
    char *part = text_copy(path);
    bool ok = true;
    for (char *end = part; ok && *end; ) {
        end += strspn(end, "/");
        end += strcspn(end, "/");
        const char next = *end;
        *end = '\0';
        ok = make_or_find(part);
        *end = next;
    }
    const int number = *path ? errno : ENOENT;
    free(part);
    errno = number;
    return (ok && *path) || folder_failed(path, "making it", error);
}

/* ---- the lock ---- */

static bool lock_busy(int lock, const char *path, Error *error)
{
    char holder[128] = "";
    const ssize_t got = pread(lock, holder, sizeof holder - 1, 0);
    holder[got > 0 ? got : 0] = '\0';
    holder[strcspn(holder, "\n")] = '\0';
    return error_set(error, EXIT_folder, "output folder in use: %s (%s): choose another one, or stop that run",
                     path, *holder ? holder : "by an unknown process");
}

/* For whoever finds the folder busy; the lock itself does not need it. */
static bool lock_sign(int lock)
{
    char host[65], date[32] = "", text[128];
    struct tm calendar;
    const time_t now = time(NULL);
    host_name(host, sizeof host);
    if (!localtime_r(&now, &calendar))
        return false;
    strftime(date, sizeof date, "%Y-%m-%d %H:%M", &calendar);
    const int length = snprintf(text, sizeof text, "pid %ld on host %s since %s\n", (long)getpid(), host, date);
    return ftruncate(lock, 0) == 0 && pwrite(lock, text, (size_t)length, 0) == length;
}

int folder_lock(const char *path, Error *error)
{
    char *name = text_format("%s/run.lock", path);
    const int lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0644);
    free(name);
    if (lock < 0) {
        folder_failed(path, "opening run.lock", error);
        return -1;
    }
    struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    if (fcntl(lock, F_OFD_SETLK, &whole) != 0) {
        if (errno == EAGAIN || errno == EACCES)
            lock_busy(lock, path, error);
        else
            folder_failed(path, "locking run.lock", error);
        close(lock);
        return -1;
    }
    if (!lock_sign(lock)) {
        folder_failed(path, "writing run.lock", error);
        close(lock);
        return -1;
    }
    return lock;
}

void folder_unlock(int lock)
{
    if (lock >= 0)
        close(lock);            /* the file stays: removing it would let two processes lock two files of one name */
}

bool folder_remove_orphans(const char *path, Error *error)
{
    DIR *folder = opendir(path);
    if (!folder)
        return folder_failed(path, "reading it", error);
    bool ok = true;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(folder);
        if (!entry) {
            ok = errno == 0 || folder_failed(path, "reading it", error);
            break;
        }
        struct stat status;
        const size_t length = strlen(entry->d_name);
        if (length < 5 || strcmp(entry->d_name + length - 4, ".tmp"))
            continue;
        if (fstatat(dirfd(folder), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(status.st_mode))
            continue;      /* no writer of files made it */
        if (unlinkat(dirfd(folder), entry->d_name, 0) != 0 && errno != ENOENT) {
            ok = folder_failed(path, entry->d_name, error);
            break;
        }
    }
    closedir(folder);
    return ok;
}

/* ---- the log ---- */

static bool log_failed(const LogFile *log, const char *what, Error *error)
{
    return error_set(error, EXIT_write, "cannot write the log: %s: %s: %s", log->path, what, strerror(errno));
}

/* The end of the last whole line within the first `limit` bytes, or -1. */
static int64_t end_of_lines(int descriptor, int64_t limit)
{
    char piece[4096];
    while (limit > 0) {
        const int64_t from = limit > (int64_t)sizeof piece ? limit - (int64_t)sizeof piece : 0;
        const ssize_t got = pread(descriptor, piece, (size_t)(limit - from), from);
        if (got < 0 && errno == EINTR)
            continue;
        if (got != limit - from)
            return -1;
        const char *newline = memrchr(piece, '\n', (size_t)got);
        if (newline)
            return from + (newline - piece) + 1;
        limit = from;
    }
    return 0;
}

/* Its size goes to *size. */
static bool open_file(LogFile *log, const char *path, int64_t *size, Error *error)
{
    *log = (LogFile){ .descriptor = -1, .path = text_copy(path) };
    log->descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0644);
    struct stat status;
    if (log->descriptor < 0 || fstat(log->descriptor, &status) != 0)
        return log_failed(log, "opening", error);
    if (!S_ISREG(status.st_mode))
        return error_set(error, EXIT_write, "cannot write the log: %s: not a regular file: remove it", path);
    *size = (int64_t)status.st_size;
    return true;
}

bool log_open_bytes(LogFile *log, const char *path, Error *error)
{
    int64_t size;
    if (!open_file(log, path, &size, error))
        return false;
    log->bytes = (uint64_t)size;
    return true;
}

bool log_open(LogFile *log, const char *path, uint64_t keep, Error *error)
{
    int64_t size;
    if (!open_file(log, path, &size, error))
        return false;
    const int64_t limit = keep < (uint64_t)size ? (int64_t)keep : size;
    const int64_t end = end_of_lines(log->descriptor, limit);
    if (end < 0 || ftruncate(log->descriptor, end) != 0)
        return log_failed(log, "cutting it to whole lines", error);
    log->bytes = (uint64_t)end;
    return true;
}

bool log_append_bytes(LogFile *log, const void *bytes, size_t length, Error *error)
{
    if (log->descriptor < 0) {
        errno = EBADF;
        return log_failed(log, "appending", error);
    }
    size_t done = 0;
    while (done < length) {
        const ssize_t wrote = pwrite(log->descriptor, (const char *)bytes + done, length - done, (off_t)(log->bytes + done));
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            break;
        done += (size_t)wrote;
    }
    const bool ok = done == length && fdatasync(log->descriptor) == 0;
    if (ok)
        log->bytes += length;
    else {
        log_failed(log, "appending", error);
        (void)!ftruncate(log->descriptor, (off_t)log->bytes);      /* best effort: what comes next starts there anyway */
    }
    return ok;
}

bool log_append(LogFile *log, const char *line, Error *error)
{
    char *text = text_format("%s\n", line);
    const bool ok = log_append_bytes(log, text, strlen(text), error);
    free(text);
    return ok;
}

void log_close(LogFile *log)
{
    if (log->descriptor >= 0)
        close(log->descriptor);
    free(log->path);
    *log = (LogFile){ .descriptor = -1 };
}
