/* settings_forms.h - how fields of TrainerOptions that are no plain number, text or switch are read and written; for the rows of
 * settings_table.c. A form of its own costs a pair <name>_read and <name>_write in one of the files below, and its name in that file's list. */

#ifndef CONVZOO_SETTINGS_FORMS_H
#define CONVZOO_SETTINGS_FORMS_H

#include "settings.h"

/* settings_forms.c: the network, the loss and the run. */
#define SETTING_FORMS(X) X(arch) X(act) X(denied) X(recipe) X(loss) X(class_weights) X(plan) X(amp) X(max_time) X(early_metric) X(logger)
/* settings_image_forms.c: data and augmentation. */
#define SETTING_IMAGE_FORMS(X) \
    X(val_split) X(hflip) X(image_crop) X(image_filter) X(aug) X(train_sizes) X(scale) X(ratio) X(pad_mode) X(erase_mode) X(policy)
/* settings_optimizer_forms.c: optimisers and schedules. */
#define SETTING_OPTIMIZER_FORMS(X) X(optimizer) X(muon_other) X(schedule) X(betas) X(clip) X(groups) X(milestones)
/* settings_rank_forms.c: a run by several ranks. */
#define SETTING_RANK_FORMS(X) X(bn) X(lr_scaling) X(wire)

#define X(name) extern const SettingForm form_##name;
SETTING_FORMS(X)
SETTING_IMAGE_FORMS(X)
SETTING_OPTIMIZER_FORMS(X)
SETTING_RANK_FORMS(X)
#undef X

/* Whether the text is "none". */
bool setting_is_none(const char *text);
/* The text itself, or "none" for an empty one; returns text. */
const char *setting_text_write(const char *value, char *text, size_t size);
/* Two numbers with a comma between, and nothing after them. */
bool        setting_pair_read(const char *text, double *first, double *second);
const char *setting_pair_write(float first, float second, char *text, size_t size);
/* A time's field, a double of seconds, as "30m", "1h30m" or "90s"; 0: no limit. */
bool        setting_duration_read(const char *option, const char *text, void *field, Error *error);
const char *setting_duration_write(const void *field, char *text, size_t size);
/* An enumeration's field: the place of `text` among the words of `words`; false and a line that lists them if it is none. */
bool setting_word_read(const char *option, const char *words, const char *text, int *place, Error *error);
/* The same where a value has several names: a row of `choices` is a name and what else it is called. */
bool        setting_choice_read(const char *option, const char *const *choices, int count, const char *text, void *field, Error *error);
const char *setting_choice_write(const char *const *choices, const void *field, char *text, size_t size);

#endif
