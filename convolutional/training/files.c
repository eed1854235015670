/* files.c - the replacement of a whole file, step by step; see files.h. */

#define _GNU_SOURCE      /* fallocate */

#include "files.h"

#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <zlib.h>

enum { PIECE = 1 << 18 };       /* bytes written or read at a time: the checksum finds them in the cache */

struct FileWriter {
    char    *path, *temporary;      /* temporary: path.tmp */
    char    *name;                  /* within path: what follows the last slash */
    int      folder, descriptor;    /* -1: not open */
    bool     created;               /* temporary is ours to remove */
    uint64_t bytes, written;
    uLong    checksum;              /* CRC-32 of what was handed over */
};

/* "46.8 MB" */
static const char *size_text(uint64_t bytes, char text[32])
{
    static const char *const units[] = { "bytes", "kB", "MB", "GB", "TB" };
    double value = (double)bytes;
    int unit = 0;
    for (; value >= 1000 && unit < 4; unit++)
        value /= 1000;
    snprintf(text, 32, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return text;
}

bool file_there(const char *path, bool *there, Error *error)
{
    struct stat status;
    *there = access(path, F_OK) == 0;
    if (*there)
        return true;
    if (errno == ENOENT && lstat(path, &status) == 0)
        return error_set(error, EXIT_input, "a link to nothing: %s: nothing was changed; restore what it leads to, or remove it", path);
    return errno == ENOENT ||
           error_set(error, EXIT_input, "cannot tell what is there: %s: %s: nothing was changed; try again when it can be read",
                     path, strerror(errno));
}

/* A link into /proc is one to what the program has open, such as /dev/stdout. */
bool file_check_place(const char *path, Error *error)
{
    static const char open_files[] = "/proc/";
    struct stat there;
    char target[sizeof open_files];
    const bool other = stat(path, &there) == 0 && !S_ISREG(there.st_mode) && !S_ISDIR(there.st_mode);
    const ssize_t length = readlink(path, target, sizeof target);
    if (!other && (length < (ssize_t)sizeof open_files || memcmp(target, open_files, sizeof open_files - 1)))
        return true;
    return error_set(error, EXIT_write, "cannot write: %s: that is no file but a device, a pipe or a socket: name a file", path);
}

static bool free_of(const struct statvfs *system, uint64_t *available)
{
    return system->f_blocks != 0 &&      /* some file systems do not tell */
           !__builtin_mul_overflow((uint64_t)system->f_bavail, (uint64_t)system->f_frsize, available);
}

static bool free_bytes(const FileWriter *writer, uint64_t *available)
{
    struct statvfs system;
    return fstatvfs(writer->folder, &system) == 0 && free_of(&system, available);
}

bool files_have_room(const char *folder, uint64_t bytes, Error *error)
{
    struct statvfs system;
    uint64_t available;
    char need[32], has[32];
    if (statvfs(folder, &system) != 0 || !free_of(&system, &available) || available >= bytes)
        return true;
    return error_set(error, EXIT_write,
                     "no space for the checkpoints: %s: they may come to %s, %s free: free space, or choose another --output",
                     folder, size_text(bytes, need), size_text(available, has));
}

static bool no_space(const FileWriter *writer, const char *more, uint64_t available, Error *error)
{
    char need[32], has[32];
    return error_set(error, EXIT_write, "no space left on device: writing %s needs %s%s, %s free: "
                     "the file is as it was before; free space and save again",
                     writer->path, size_text(writer->bytes, need), more, size_text(available, has));
}

/* The line for a system call that set errno. */
static bool failed(const FileWriter *writer, const char *what, Error *error)
{
    const int number = errno;
    uint64_t available = 0;
    if (number == ENOSPC) {
        free_bytes(writer, &available);
        return no_space(writer, "", available, error);
    }
    return error_set(error, EXIT_write,
                     "cannot write: %s: %s: %s: the file is as it was before", writer->path, what, strerror(number));
}

/* Room for two copies and 5 percent, the present file counted as one: the save after this one fits too. */
static bool check_space(const FileWriter *writer, Error *error)
{
    uint64_t available, need = writer->bytes;
    struct stat old;
    if (!free_bytes(writer, &available))
        return true;
    if (__builtin_mul_overflow(writer->bytes, (uint64_t)2, &need) || __builtin_add_overflow(need, writer->bytes / 20, &need))
        return no_space(writer, "", available, error);
    if (fstatat(writer->folder, writer->name, &old, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(old.st_mode))
        available += (uint64_t)old.st_blocks * 512;
    return available >= need || no_space(writer, ", and as much again for the save after it", available, error);
}

/* The folder part of path is opened once, so that every step after it works in the same folder. */
static bool open_folder(FileWriter *writer, Error *error)
{
    char *slash = strrchr(writer->path, '/');
    writer->name = slash ? slash + 1 : writer->path;
    if (!*writer->name)
        return error_set(error, EXIT_write, "cannot write: '%s': this is a folder's name: name a file", writer->path);
    char *folder = text_copy(writer->path);
    folder[slash ? slash + 1 - writer->path : 0] = '\0';
    writer->folder = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    return writer->folder >= 0 || failed(writer, "its folder", error);
}

static const char *temporary_name(const FileWriter *writer)
{
    return writer->temporary + (writer->name - writer->path);
}

/* A file that takes another's place has its permissions, from the first byte on. */
static bool create_temporary(FileWriter *writer, Error *error)
{
    struct stat old;
    const bool takes_place = fstatat(writer->folder, writer->name, &old, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(old.st_mode);
    const mode_t mode = takes_place ? old.st_mode & 0777 : 0644;
    writer->descriptor = openat(writer->folder, temporary_name(writer), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (writer->descriptor < 0 && errno == EEXIST)
        return error_set(error, EXIT_write, "cannot write: %s: %s is there already: another program writes it now, or one was "
                         "killed; remove it if none is running", writer->path, writer->temporary);
    if (writer->descriptor < 0)
        return failed(writer, "creating the temporary file", error);
    writer->created = true;
    if (takes_place)
        (void)!fchmod(writer->descriptor, mode);      /* what umask takes away; where that is refused, fewer may read it */

    /* fallocate, not posix_fallocate: the latter writes zeros where the file system cannot reserve. */
    int status = 0;
    while (writer->bytes && (status = fallocate(writer->descriptor, 0, 0, (off_t)writer->bytes)) != 0 && errno == EINTR)
        ;
    if (status != 0 && errno != EOPNOTSUPP && errno != ENOSYS)
        return failed(writer, "reserving space", error);
    return true;
}

FileWriter *file_writer_open(const char *path, uint64_t bytes, Error *error)
{
    FileWriter *writer = allocate(1, sizeof *writer, "a file writer");
    *writer = (FileWriter){ .path = text_copy(path), .temporary = text_format("%s.tmp", path), .folder = -1, .descriptor = -1,
                            .bytes = bytes, .checksum = crc32(0, NULL, 0) };
    CHECK(bytes <= INT64_MAX, "%s: %llu bytes are no file's size", path, (unsigned long long)bytes);
    if (file_check_place(path, error) && open_folder(writer, error) && check_space(writer, error) && create_temporary(writer, error))
        return writer;
    file_writer_abandon(writer);
    return NULL;
}

bool file_writer_write(FileWriter *writer, const void *data, size_t count, Error *error)
{
    CHECK(count <= writer->bytes - writer->written, "%s: %zu bytes after %llu of %llu", writer->path, count,
          (unsigned long long)writer->written, (unsigned long long)writer->bytes);
    const unsigned char *from = data;
    while (count > 0) {
        const size_t piece = count < PIECE ? count : PIECE;
        const ssize_t done = write(writer->descriptor, from, piece);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            errno = done < 0 ? errno : EIO;
            return failed(writer, "writing", error);
        }
        writer->checksum = crc32(writer->checksum, from, (uInt)done);
        writer->written += (uint64_t)done;
        from += done;
        count -= (size_t)done;
    }
    return true;
}

/* Reads the file again, from the disk if the kernel drops its cached pages, and compares checksums. */
static bool check_written(const FileWriter *writer, Error *error)
{
    struct stat status;
    if (fstat(writer->descriptor, &status) != 0)
        return failed(writer, "checking its size", error);
    if ((uint64_t)status.st_size != writer->bytes)
        return error_set(error, EXIT_write,
                         "cannot write: %s: %llu bytes were written, the file has %llu: the file is as it was before; "
                         "check the disk", writer->path, (unsigned long long)writer->bytes, (unsigned long long)status.st_size);
    (void)posix_fadvise(writer->descriptor, 0, 0, POSIX_FADV_DONTNEED);      /* advice: no harm if it is refused */

    unsigned char *piece = allocate(PIECE, 1, "a buffer");
    uLong checksum = crc32(0, NULL, 0);
    uint64_t at = 0;
    ssize_t got = 0;
    while (at < writer->bytes) {
        got = pread(writer->descriptor, piece, PIECE, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        checksum = crc32(checksum, piece, (uInt)got);
        at += (uint64_t)got;
    }
    const int number = errno;
    free(piece);
    errno = number;
    if (got < 0)
        return failed(writer, "reading it again", error);
    return (at == writer->bytes && checksum == writer->checksum) ||
           error_set(error, EXIT_write, "cannot write: %s: what was read again differs from what was written: "
                     "the file is as it was before; check the disk", writer->path);
}

/* Gives the old file its second name; the first stays until the new file takes it. */
static bool keep_old(const FileWriter *writer, const char *keep, Error *error)
{
    char *link = text_format("%s.tmp", keep);
    (void)unlink(link);                                            /* a killed run's, if there is one */
    bool kept = linkat(writer->folder, writer->name, AT_FDCWD, link, 0) == 0;
    const bool none = !kept && (errno == ENOENT || errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS || errno == EMLINK);
    if (kept)
        kept = rename(link, keep) == 0;
    const bool ok = kept || none || failed(writer, "keeping the file of before", error);
    (void)unlink(link);             /* rename leaves it if both names were the same file already */
    free(link);
    return ok;
}

/* Close is part of writing: network file systems report errors there. */
static bool close_written(FileWriter *writer, Error *error)
{
    const int descriptor = writer->descriptor;
    writer->descriptor = -1;
    return close(descriptor) == 0 || failed(writer, "closing", error);
}

static bool rename_over(FileWriter *writer, Error *error)
{
    if (renameat(writer->folder, temporary_name(writer), writer->folder, writer->name) != 0)
        return failed(writer, "renaming", error);
    writer->created = false;
    if (fsync(writer->folder) != 0 && errno != EINVAL)             /* EINVAL: the file system has no such notion */
        return error_set(error, EXIT_write, "the new file may not survive a power cut: %s: its folder was not synced: %s: "
                         "check the disk", writer->path, strerror(errno));
    return true;
}

bool file_writer_commit(FileWriter *writer, const char *keep_previous, Error *error)
{
    CHECK(writer->written == writer->bytes, "%s: %llu of %llu bytes", writer->path, (unsigned long long)writer->written,
          (unsigned long long)writer->bytes);
    /* fsync is never tried twice: after an error the kernel may have dropped the pages. */
    const bool ok = (fsync(writer->descriptor) == 0 || failed(writer, "syncing", error)) &&
                    check_written(writer, error) && close_written(writer, error) &&
                    (!keep_previous || keep_old(writer, keep_previous, error)) && rename_over(writer, error);
    file_writer_abandon(writer);
    return ok;
}

void file_writer_abandon(FileWriter *writer)
{
    if (!writer)
        return;
    if (writer->descriptor >= 0)
        (void)close(writer->descriptor);                           /* what it held is removed next */
    if (writer->created)
        (void)unlinkat(writer->folder, temporary_name(writer), 0); /* if it stays, the next run removes it */
    if (writer->folder >= 0)
        (void)close(writer->folder);
    free(writer->path);
    free(writer->temporary);
    free(writer);
}

/* ---- a file in one call ---- */

typedef struct Write {
    FileWriter  *writer;
    const char  *keep_previous;
    FileContent *content;
    const void  *context;
    Error       *error;
    bool         committed, done;
} Write;

static void run_write(void *context)
{
    Write *write = context;
    if (!write->content(write->writer, write->context, write->error))
        return;
    write->done = file_writer_commit(write->writer, write->keep_previous, write->error);
    write->committed = true;
}

bool file_write(const char *path, uint64_t bytes, const char *keep_previous, FileContent *content, const void *context, Error *error)
{
    Error own;
    if (!error)
        error = &own;
    Write write = { .writer = file_writer_open(path, bytes, error), .keep_previous = keep_previous, .content = content, .context = context,
                    .error = error };
    if (!write.writer)
        return false;
    const bool had_memory = memory_guard(run_write, &write, error);
    if (!write.committed)
        file_writer_abandon(write.writer);
    if (!had_memory)
        memory_refused(error);
    return write.done;
}

typedef struct Text {
    const void *data;
    size_t      count;
} Text;

static bool write_text(FileWriter *writer, const void *context, Error *error)
{
    const Text *text = context;
    return file_writer_write(writer, text->data, text->count, error);
}

bool file_replace(const char *path, const void *data, size_t count, Error *error)
{
    return file_write(path, count, NULL, write_text, &(Text){ data, count }, error);
}
