/* disk.c - opening, reading and listing; see disk.h. */

#include "disk.h"
#include "file_names.h"
#include "text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { OPEN_ATTEMPTS = 1000, PIPE_PATIENCE = 60 /* seconds */ };
static const int OPEN_SAFELY = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;

const char *name_tail(const char *name)
{
    const size_t length = strlen(name);
    if (length <= NAME_SHOWN)
        return name;
    name += length - NAME_SHOWN;
    while (((unsigned char)*name & 0xC0) == 0x80)      /* not in the middle of a UTF-8 character */
        name++;
    return name;
}

bool name_ends_with(const char *name, const char *ending)
{
    const size_t length = strlen(name), tail = strlen(ending);
    return length >= tail && !strcasecmp(name + length - tail, ending);
}

char *path_join(const char *folder, const char *name)
{
    const bool slash = *folder && folder[strlen(folder) - 1] != '/';
    return text_format("%s%s%s", folder, slash ? "/" : "", name);
}

int disk_folder(const char *path, Error *error)
{
    const int folder = open(path, OPEN_SAFELY | O_DIRECTORY);
    if (folder < 0 && errno == ENOTDIR)
        error_set(error, EXIT_input, "data is a file, not a folder: %s: give the folder that holds it; "
                  "archives must be unpacked", name_tail(path));
    else if (folder < 0)
        error_set(error, EXIT_input, "cannot open data folder: %s: %s; give a folder with data_batch_1.bin (CIFAR-10), "
                  "train.bin (CIFAR-100), *-ubyte (MNIST) or a folder of images for each class, or 'shapes'",
                  name_tail(path), strerror(errno));
    return folder;
}

bool disk_has(int folder, const char *name)
{
    return faccessat(folder, name, F_OK, 0) == 0;
}

bool disk_lacks(int folder, const char *name)
{
    struct stat status;
    return fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
}

bool disk_has_folder(int folder, const char *name)
{
    struct stat status;
    return fstatat(folder, name, &status, 0) == 0 && S_ISDIR(status.st_mode);
}

static const char *type_name(mode_t mode)
{
    return S_ISDIR(mode) ? "a folder" : S_ISFIFO(mode) ? "a FIFO" : S_ISSOCK(mode) ? "a socket" : "a device";
}

/* Takes over `file`, which openat returned. */
static int opened(int file, const char *shown, size_t limit, size_t *size, Error *error)
{
    struct stat status;
    if (file < 0 || fstat(file, &status) != 0) {
        error_set(error, EXIT_input, "cannot open: %s: %s: correct the path or its permissions", name_tail(shown),
                  strerror(errno));
    } else if (!S_ISREG(status.st_mode)) {
        error_set(error, EXIT_input, "not a regular file: %s is %s: a file is needed there", name_tail(shown), type_name(status.st_mode));
    } else if ((uint64_t)status.st_size > limit) {
        error_set(error, EXIT_input, "file too large: %s has %lld bytes, the limit is %zu: a smaller one is needed there",
                  name_tail(shown), (long long)status.st_size, limit);
    } else {
        *size = (size_t)status.st_size;
        return file;
    }
    if (file >= 0)
        close(file);
    return -1;
}

int disk_open(int folder, const char *name, const char *shown, size_t limit, size_t *size, Error *error)
{
    return opened(openat(folder, name, OPEN_SAFELY), shown, limit, size, error);
}

/* For kernels without openat2 (before 5.6, or a sandbox): no link at all is followed. */
static int open_without_links(int folder, const char *name)
{
    int at = openat(folder, ".", OPEN_SAFELY | O_DIRECTORY);
    char part[NAME_MAX + 1];
    while (at >= 0 && *name) {
        const size_t length = strcspn(name, "/");
        snprintf(part, sizeof part, "%.*s", (int)length, name);
        const int next = openat(at, part, OPEN_SAFELY | O_NOFOLLOW);
        const int reason = errno;
        close(at);
        errno = reason;
        at = next;
        name += length + (name[length] == '/');
    }
    return at;
}

/* The kernel cannot follow ".." while anything on the machine is renamed, and says so: tried again. */
static int open_beneath(int folder, const char *name)
{
    struct open_how how = { .flags = (uint64_t)OPEN_SAFELY, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
    int file = -1;
    for (int attempt = 0; attempt < OPEN_ATTEMPTS && file < 0 && (attempt == 0 || errno == EAGAIN); attempt++)
        file = (int)syscall(SYS_openat2, folder, name, &how, sizeof how);
    return file < 0 && (errno == ENOSYS || errno == EPERM) ? open_without_links(folder, name) : file;
}

/* Why a path beneath `folder` cannot be opened; `errno` says. */
static bool beneath_failed(const char *shown, Error *error)
{
    if (errno == EXDEV || errno == ELOOP)
        return error_set(error, EXIT_input, "symbolic link leaves the data folder: %s: "
                         "put a copy in its place or remove it", name_tail(shown));
    return error_set(error, EXIT_input, "cannot open: %s: %s: correct the path or its permissions", name_tail(shown),
                     strerror(errno));
}

int disk_open_beneath(int folder, const char *name, const char *shown, size_t limit, size_t *size, Error *error)
{
    const int file = open_beneath(folder, name);
    if (file < 0) {
        beneath_failed(shown, error);
        return -1;
    }
    return opened(file, shown, limit, size, error);
}

bool disk_read(int file, void *bytes, size_t size, size_t offset, const char *shown, Error *error)
{
    for (size_t done = 0; done < size;) {
        const ssize_t got = pread(file, (uint8_t *)bytes + done, size - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set(error, EXIT_input, "cannot read: %s at byte %zu: %s: check the disk", name_tail(shown),
                             offset + done, strerror(errno));
        if (got == 0)
            return error_set(error, EXIT_input,
                             "file became shorter: %s ends at byte %zu of %zu: start again when it is complete", name_tail(shown),
                             offset + done, offset + size);
        done += (size_t)got;
    }
    return true;
}

uint8_t *disk_read_all(int folder, const char *name, const char *shown, size_t limit, size_t *size, Error *error)
{
    const int file = disk_open(folder, name, shown, limit, size, error);
    if (file < 0)
        return NULL;
    uint8_t *bytes = allocate(*size + 1, 1, "a data file");
    const bool read = disk_read(file, bytes, *size, 0, shown, error);
    close(file);
    if (read)
        return bytes;
    free(bytes);
    return NULL;
}

/* Waits for the first bytes of a pipe that nobody may ever write to. */
static bool pipe_ready(int file, const char *shown, Error *error)
{
    struct pollfd wanted = { .fd = file, .events = POLLIN };
    int ready;
    do
        ready = poll(&wanted, 1, PIPE_PATIENCE * 1000);
    while (ready < 0 && errno == EINTR);
    if (ready > 0 && fcntl(file, F_SETFL, O_RDONLY) == 0)
        return true;
    if (ready == 0)
        return error_set(error, EXIT_input, "nothing to read: %s: nobody wrote to it in %d seconds: start what writes to it first",
                         name_tail(shown), PIPE_PATIENCE);
    return error_set(error, EXIT_input, "cannot read: %s: %s: use a file instead", name_tail(shown), strerror(errno));
}

/* All bytes up to the end, which is not known before. */
static uint8_t *stream_read(int file, const char *shown, size_t limit, size_t *size, Error *error)
{
    size_t room = 1 << 16;
    uint8_t *bytes = allocate(room, 1, "a stream");
    for (*size = 0; *size <= limit;) {
        if (*size == room) {
            uint8_t *grown = allocate(2 * room, 1, "a stream");
            memcpy(grown, bytes, *size);
            free(bytes);
            bytes = grown;
            room *= 2;
        }
        const ssize_t got = read(file, bytes + *size, room - *size);
        if (got == 0)
            return bytes;
        if (got < 0 && errno != EINTR) {
            error_set(error, EXIT_input, "cannot read: %s at byte %zu: %s: use a file instead", name_tail(shown), *size,
                      strerror(errno));
            free(bytes);
            return NULL;
        }
        *size += got > 0 ? (size_t)got : 0;
    }
    error_set(error, EXIT_input, "file too large: %s has more than the limit of %zu bytes: use a smaller one", name_tail(shown), limit);
    free(bytes);
    return NULL;
}

bool disk_is_standard_input(const char *path)
{
    return !strcmp(path, "-") || !strcmp(path, "/dev/stdin") || !strcmp(path, "/dev/fd/0");
}

uint8_t *disk_read_named(const char *path, size_t limit, size_t *size, Error *error)
{
    struct stat status;
    if (disk_is_standard_input(path)) {
        if (isatty(STDIN_FILENO)) {
            error_set(error, EXIT_input, "no image: standard input is a terminal: put a pipe or a file there, as in 'cat photo.jpg |'");
            return NULL;
        }
        return stream_read(STDIN_FILENO, "standard input", limit, size, error);
    }
    const bool passed = !strncmp(path, "/dev/fd/", 8) || !strncmp(path, "/proc/self/fd/", 14);
    if (!passed || stat(path, &status) != 0 || !S_ISFIFO(status.st_mode))
        return disk_read_all(AT_FDCWD, path, path, limit, size, error);
    const int file = open(path, OPEN_SAFELY);
    uint8_t *bytes = NULL;
    if (file < 0)
        error_set(error, EXIT_input, "cannot open: %s: %s: correct the path or its permissions", name_tail(path), strerror(errno));
    else if (pipe_ready(file, path, error))
        bytes = stream_read(file, path, limit, size, error);
    if (file >= 0)
        close(file);
    return bytes;
}

static int entry_compare(const void *a, const void *b)
{
    return strcmp(((const Entry *)a)->name, ((const Entry *)b)->name);
}

static EntryType type_of_mode(mode_t mode)
{
    return S_ISREG(mode) ? ENTRY_file : S_ISDIR(mode) ? ENTRY_folder : ENTRY_other;
}

bool entry_refuse(const Entry *entry, const char *shown, Error *error)
{
    if (entry->reason == ENOENT)
        return error_set(error, EXIT_input, "symbolic link to nothing: %s: restore what it leads to, or remove it", name_tail(shown));
    errno = entry->reason;
    return beneath_failed(shown, error);
}

bool entry_refuse_in(const char *folder, const Entry *entry, Error *error)
{
    char *shown = path_join(folder, entry->name);
    entry_refuse(entry, shown, error);
    free(shown);
    return false;
}

/* `path` leads from the root to the entry, for links. */
static bool entry_read(int root, int folder, const struct dirent *found, const char *path, const char *shown, Entry *entry,
                       Error *error)
{
    struct stat status;
    *entry = (Entry){ .type = found->d_type == DT_DIR ? ENTRY_folder : ENTRY_file };
    if (found->d_type == DT_REG || found->d_type == DT_DIR)
        return true;
    if (fstatat(folder, found->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return error_set(error, EXIT_input, "cannot open: %s: %s: correct the path or its permissions", name_tail(shown),
                         strerror(errno));
    entry->type = type_of_mode(status.st_mode);
    if (!S_ISLNK(status.st_mode))
        return true;
    const int file = open_beneath(root, path);
    const bool known = file >= 0 && fstat(file, &status) == 0;
    *entry = (Entry){ .type = known ? type_of_mode(status.st_mode) : ENTRY_link, .reason = known ? 0 : errno };
    if (file >= 0)
        close(file);
    return true;
}

/* Takes over entry->name. */
static void listing_add(Listing *listing, size_t *room, Entry entry)
{
    if (listing->count == *room) {
        *room = *room ? *room * 2 : 64;
        Entry *grown = allocate(*room, sizeof *grown, "a folder's listing");
        if (listing->count)
            memcpy(grown, listing->entries, listing->count * sizeof *grown);
        free(listing->entries);
        listing->entries = grown;
    }
    listing->entries[listing->count++] = entry;
}

bool listing_read(int folder, const char *name, const char *shown, Listing *listing, Error *error)
{
    *listing = (Listing){0};
    const int file = open_beneath(folder, name);
    if (file < 0)
        return beneath_failed(shown, error);
    DIR *stream = fdopendir(file);
    if (!stream) {
        close(file);
        return error_set(error, EXIT_input, "cannot list: %s: %s: check the disk and its permissions", name_tail(shown),
                         strerror(errno));
    }

    bool good = true;
    size_t room = 0;
    for (struct dirent *found; good;) {
        errno = 0;
        if (!(found = readdir(stream))) {
            good = errno == 0 || error_set(error, EXIT_input, "cannot list: %s: %s: check the disk and its permissions",
                                           name_tail(shown), strerror(errno));
            break;
        }
        if (name_is_litter(found->d_name))
            continue;
        char *path = path_join(name, found->d_name), *shown_entry = path_join(shown, found->d_name);
        Entry entry;
        good = entry_read(folder, file, found, path, shown_entry, &entry, error);
        entry.name = good ? text_copy(found->d_name) : NULL;
        if (good)
            listing_add(listing, &room, entry);
        free(path);
        free(shown_entry);
    }
    closedir(stream);
    if (!good) {
        listing_free(listing);
        return false;
    }
    if (listing->count)
        qsort(listing->entries, listing->count, sizeof *listing->entries, entry_compare);
    return true;
}

void listing_free(Listing *listing)
{
    for (size_t i = 0; i < listing->count; i++)
        free(listing->entries[i].name);
    free(listing->entries);
    *listing = (Listing){0};
}
