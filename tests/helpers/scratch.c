/* scratch.c - see scratch.h. */

#define _GNU_SOURCE      /* nftw */

#include "scratch.h"

#include "errors.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_ROOM = 256 };

void scratch_new(char *path)
{
    const char *root = getenv("TMPDIR");
    snprintf(path, PATH_ROOM, "%s/convzoo-test-XXXXXX", root && *root ? root : "/tmp");
    CHECK(mkdtemp(path), "%s: %s", path, strerror(errno));
}

static int scratch_remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

void scratch_remove(const char *path)
{
    CHECK(nftw(path, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0, "%s: %s", path, strerror(errno));
}

const char *scratch_path(char *path, const char *folder, const char *name)
{
    CHECK(snprintf(path, PATH_ROOM, "%s/%s", folder, name) < PATH_ROOM, "%s/%s is too long", folder, name);
    return path;
}

void scratch_write(const char *path, const void *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");
    CHECK(file, "%s: %s", path, strerror(errno));
    CHECK(fwrite(bytes, 1, count, file) == count && fclose(file) == 0, "%s: %s", path, strerror(errno));
}

char *scratch_read(const char *path, size_t *count)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    CHECK(fseek(file, 0, SEEK_END) == 0, "%s: %s", path, strerror(errno));
    *count = (size_t)ftell(file);
    rewind(file);
    char *bytes = allocate(*count + 1, 1, path);
    CHECK(fread(bytes, 1, *count, file) == *count, "%s: %s", path, strerror(errno));
    fclose(file);
    return bytes;
}

bool scratch_holds(const char *path, const void *bytes, size_t count)
{
    size_t has;
    char *held = scratch_read(path, &has);
    const bool same = held && has == count && !memcmp(held, bytes, count);
    free(held);
    return same;
}

bool scratch_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

char scratch_folder[256];

int scratch_setup(void **state)
{
    (void)state;
    scratch_new(scratch_folder);
    return 0;
}

int scratch_teardown(void **state)
{
    (void)state;
    scratch_remove(scratch_folder);
    return 0;
}
