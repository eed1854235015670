/* run_folder.h - what a training run leaves behind, in a folder that one process at a time may write.
 *
 *   args.json            the options, for resume
 *   log.jsonl, log.csv   an object, and a line, an epoch;  health.jsonl, activity.jsonl, suspects.csv: what parts/ keep
 *   last.safetensors     all that resume needs;  prev.safetensors: the one before
 *   best.safetensors     the weights with the highest validation accuracy
 *   run.lock             who is writing */

#ifndef CONVZOO_RUN_FOLDER_H
#define CONVZOO_RUN_FOLDER_H

#include "folder.h"

typedef enum { RUN_arguments, RUN_log, RUN_csv, RUN_events, RUN_activity, RUN_health, RUN_suspects, RUN_last, RUN_previous, RUN_best, RUN_FILES } RunFile;

typedef struct RunFolder {
    char   *path;
    char   *files[RUN_FILES];
    int     lock;
    LogFile log;
} RunFolder;

/* The folder that `path` names, or a new one, runs/<arch>-<act>-<n>, if path is NULL: made, locked, cleared of what a
 * killed process left. One that holds something is refused unless `resume`, and then one without a run in it. */
RunFolder *run_folder_open(const char *path, const char *arch, const char *act, bool resume, Error *error);
void       run_folder_close(RunFolder *folder);

/* Opens the log without the lines of epochs after the first `epochs`: the checkpoint does not know them. What is no line of an epoch
 * stays (log_lines.h). */
bool run_folder_log(RunFolder *folder, uint32_t epochs, Error *error);

/* The run under `root` that was written last. The caller frees it; NULL and an error if there is none. */
char *run_folder_newest(const char *root, Error *error);

/* The folder of a run that is named by one of its files; the path itself if it is none. The caller frees it. */
char *run_folder_of(const char *path);

/* <folder>/<name of the file>; the caller frees it. */
char *run_folder_file(const char *folder, RunFile file);

#endif
