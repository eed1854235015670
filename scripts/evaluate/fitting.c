/* fitting.c - a temperature and a threshold for "unknown", learnt on what training held out and kept in the checkpoint. */

#include "measured.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common_options.h"
#include "folder.h"
#include "run_folder.h"
#include "text.h"

#include <unistd.h>

bool fit_parse(const char *text, Fit *fit, Error *error)
{
    static const char *const names[] = { [REJECT_coverage] = "coverage:", [REJECT_precision] = "precision:" };
    fit->reject = text != NULL;
    if (!text)
        return true;
    for (int by = REJECT_coverage; by <= REJECT_precision; by++) {
        const size_t length = strlen(names[by]);
        char *end;
        if (strncmp(text, names[by], length))
            continue;
        fit->by = (RejectBy)by;
        fit->wanted = strtod(text + length, &end);
        if (text[length] && !*end && fit->wanted > 0 && fit->wanted <= 1)
            return true;
    }
    return error_set(error, EXIT_usage, "'%.100s' is no wish: --fit-reject: use coverage:P, the share of images that get an answer, or "
                     "precision:P, the share of answers that are right, with P such as 0.9", text);
}

bool fit_look(const char *path, Fit *fit, Error *error)
{
    return stat(path, &fit->file) == 0 || error_set(error, EXIT_input, "cannot read: %s: %s: correct the path or its permissions", path, strerror(errno));
}

static bool is_unchanged(const char *path, const Fit *fit, Error *error)
{
    Fit now;
    const struct stat *then = &fit->file;
    return fit_look(path, &now, error) &&
           ((now.file.st_ino == then->st_ino && now.file.st_mtim.tv_sec == then->st_mtim.tv_sec && now.file.st_mtim.tv_nsec == then->st_mtim.tv_nsec) ||
            error_set(error, EXIT_input, "the checkpoint has changed since it was read: %s: what was found is for other weights, and was not written: "
                      "evaluate it again", path));
}

/* A training that is under way would lose its newest best weights to a copy of the older ones: its folder is locked meanwhile. */
static bool write_locked(const char *path, const ModelInfo *info, const Fit *fit, Error *error)
{
    char *file = realpath(path, NULL);      /* a link's file is what is written */
    char *folder = run_folder_of(file ? file : path), *lock_file = text_format("%s/run.lock", folder);
    const bool is_run = strcmp(folder, file ? file : path) && access(lock_file, F_OK) == 0;
    const int lock = is_run ? folder_lock(folder, error) : -1;
    const bool written = (!is_run || lock >= 0) && is_unchanged(path, fit, error) && checkpoint_set_calibration(path, info, error);
    if (lock >= 0)
        folder_unlock(lock);
    free(lock_file);
    free(folder);
    free(file);
    return written;
}

static void tell_temperature(const Measured *m, const ModelInfo *info)
{
    const Calibration before = calibration_measure(&m->outputs, 0), after = calibration_measure(&m->outputs, info->temperature);
    char *text = text_format("temperature %.4f, from %u images: loss %.4f is %.4f with it, expected calibration error %.2f%% is %.2f%%",
                             info->temperature, m->outputs.count, before.loss, after.loss, 100 * before.error, 100 * after.error);
    note_print(NULL, text);
    free(text);
    if (info->temperature < 1.01 * CALIBRATION_COLDEST || info->temperature > 0.99 * CALIBRATION_HOTTEST)
        note_print(NULL, "warning: this is the end of what is tried: the images are too few, or too easy or hard, to say more");
}

static void tell_rejection(const Rejection *found, uint32_t images)
{
    char *text = text_format("unknown below %.4f, from %u images: %.2f%% of them get an answer, %.2f%% of those are right", found->below, images,
                             100 * found->coverage, 100 * found->precision);
    note_print(NULL, text);
    free(text);
}

bool fit_keep(const Measured *m, const Fit *fit, ModelInfo *info, bool quiet, Error *error)
{
    Rejection found = { 0 };
    if (fit->temperature) {
        info->temperature = calibration_temperature(&m->outputs);
        if (!quiet)
            tell_temperature(m, info);
        if (info->reject_below > 0 && !fit->reject && !quiet)
            note_print(NULL, "the threshold for unknown was found with another temperature, and is taken out: give --fit-reject as well to have one");
        info->reject_below = 0;
    }
    if (fit->reject) {
        if (!calibration_threshold(&m->outputs, info->temperature, fit->by, fit->wanted, &found, error))
            return false;
        info->reject_below = found.below;
        if (!quiet)
            tell_rejection(&found, m->outputs.count);
    }
    return write_locked(m->path, info, fit, error);
}
