/* scratch.h - folders and files that a test makes and removes. */

#ifndef CONVZOO_SCRATCH_H
#define CONVZOO_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>

/* A folder of its own under $TMPDIR, or /tmp; path has 256 bytes. */
void scratch_new(char *path);
/* Removes it and everything in it. */
void scratch_remove(const char *path);
/* The same as a group's fixtures for cmocka: one folder for all its cases. */
extern char scratch_folder[256];
int scratch_setup(void **state);
int scratch_teardown(void **state);

/* <folder>/<name> in path, which has 256 bytes; returns it. */
const char *scratch_path(char *path, const char *folder, const char *name);

void  scratch_write(const char *path, const void *bytes, size_t count);
/* The file's bytes and a NUL; NULL if there is no such file. The caller frees it. */
char *scratch_read(const char *path, size_t *count);
/* True if the file holds exactly these bytes. */
bool  scratch_holds(const char *path, const void *bytes, size_t count);
bool  scratch_exists(const char *path);

#endif
