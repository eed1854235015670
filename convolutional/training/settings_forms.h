/* settings_forms.h - how fields of TrainerOptions that are no plain number, text or switch are read and written; for the rows of
 * settings_table.c. A form of its own costs a pair <name>_read and <name>_write in settings_forms.c and its name here. */

#ifndef CONVZOO_SETTINGS_FORMS_H
#define CONVZOO_SETTINGS_FORMS_H

#include "settings.h"

#define SETTING_FORMS(X) \
    X(arch) X(act) X(optimizer) X(schedule) X(betas) X(val_split) X(denied) X(hflip) X(aug) \
    X(pad_mode) X(erase_mode) X(policy) X(loss) X(class_weights) X(plan) X(duration) \
    X(early_metric) X(logger) X(amp) X(clip) X(groups) X(milestones) \
    X(train_sizes) X(scale) X(ratio) X(image_crop) X(image_filter) X(recipe)

/* Of a run by several ranks, in settings_rank_forms.c. */
#define SETTING_RANK_FORMS(X) X(bn) X(lr_scaling) X(wire)

#define X(name) extern const SettingForm form_##name;
SETTING_FORMS(X)
SETTING_RANK_FORMS(X)
#undef X

/* The place of `text` among the words of `words`; false and a line that lists them if it is none. */
bool setting_word_read(const char *option, const char *words, const char *text, int *place, Error *error);

#endif
