/* checkpoint_text.h - a checkpoint's metadata: ModelInfo (info_text.c), RunState and what parts keep (run_text.c) as texts under
 * their keys, both ways. */

#ifndef CONVZOO_CHECKPOINT_TEXT_H
#define CONVZOO_CHECKPOINT_TEXT_H

#include "checkpoint.h"

/* Writing fails (EXIT_write) only if a text is not UTF-8, or a number not finite; `path` is for the message. */
bool info_to_text(SafetensorsWriter *writer, const ModelInfo *info, const char *path, Error *error);
bool run_to_text(SafetensorsWriter *writer, const RunState *run, const char *path, Error *error);

/* Reading fails (EXIT_input) if a key is missing, does not parse or contradicts another; what was filled is cleared. */
bool info_from_text(const Safetensors *file, ModelInfo *info, const char *path, Error *error);
bool run_from_text(const Safetensors *file, RunState *run, const char *path, Error *error);

/* Of the info, the keys that only some files have (info_keys.c). Reading leaves a field alone whose key is missing: `info` is cleared before. */
bool info_keys_to_text(SafetensorsWriter *writer, const ModelInfo *info, const char *path, Error *error);
bool info_keys_from_text(const Safetensors *file, ModelInfo *info, const char *path, Error *error);

/* What parts keep beside tensors. Reading gives the values, to be set when all else was read as well. */
typedef union KeptValue {
    uint64_t whole;
    double   real;
} KeptValue;

typedef struct KeptValues {
    KeptValue of[KEPT_NUMBERS];
} KeptValues;

bool numbers_to_text(SafetensorsWriter *writer, const Kept *kept, const char *path, Error *error);
bool numbers_from_text(const Safetensors *file, const Kept *kept, KeptValues *values, const char *path, Error *error);
void numbers_set(const Kept *kept, const KeptValues *values);

#endif
