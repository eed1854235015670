/* settings_image_forms.c - how data and augmentation are written as text; see settings_forms.h. */

#include "settings_forms.h"

#include "names.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

/* The field is DataOptions: a share in val_split, or a name in val_part. */
static bool val_split_read(const char *text, void *field, Error *error)
{
    return split_hold_out(text, field, error);
}

static const char *val_split_write(const void *field, char *text, size_t size)
{
    const DataOptions *data = field;
    if (data->val_part)
        snprintf(text, size, "%s", data->val_part);
    else
        text_of_float(data->val_split, text, size);
    return text;
}

static const char *const flips[] = { [FLIP_automatic] = "auto", [FLIP_on] = "on 0.5", [FLIP_off] = "off 0", [FLIP_alternating] = "alternating",
                                     [FLIP_alternating_automatic] = "auto-alternating" };

static bool hflip_read(const char *text, void *field, Error *error)
{
    return setting_choice_read("hflip", flips, sizeof flips / sizeof *flips, text, field, error);
}

static const char *hflip_write(const void *field, char *text, size_t size)
{
    return setting_choice_write(flips, field, text, size);
}

static bool image_crop_read(const char *text, void *field, Error *error)
{
    return setting_choice_read("crop", image_crops, CROPS, text, field, error);
}

static const char *image_crop_write(const void *field, char *text, size_t size)
{
    return setting_choice_write(image_crops, field, text, size);
}

static bool image_filter_read(const char *text, void *field, Error *error)
{
    return setting_choice_read("interpolation", image_filters, FILTERS, text, field, error);
}

static const char *image_filter_write(const void *field, char *text, size_t size)
{
    return setting_choice_write(image_filters, field, text, size);
}

/* The field is all of TrainerOptions: steps, "true" for the usual ones, "false" for none. */
static bool aug_read(const char *text, void *field, Error *error)
{
    TrainerOptions *o = field;
    o->no_augment = names_match("false off no 0 none", text, strlen(text));
    o->augment.written = !o->no_augment && !names_match("true on yes 1", text, strlen(text));
    return !o->augment.written || pipeline_parse(text, &o->augment.steps, error);
}

static const char *aug_write(const void *field, char *text, size_t size)
{
    const TrainerOptions *o = field;
    char steps[PIPELINE_TEXT];
    snprintf(text, size, "%s", o->no_augment ? "false" : o->augment.written ? pipeline_text(&o->augment.steps, steps) : "true");
    return text;
}

/* Two numbers within the bounds, the first not above the second. */
static bool range_read(const char *option, const char *text, double least, double most, float *low, float *high, const char *example, Error *error)
{
    double first, second;
    if (!setting_pair_read(text, &first, &second) || !(first >= least && first <= second && second <= most))
        return error_set(error, EXIT_usage, "bad value '%.100s': --%s: use two numbers from %g to %g, such as %s", text, option, least, most, example);
    *low = (float)first;
    *high = (float)second;
    return true;
}

static bool train_sizes_read(const char *text, void *field, Error *error)
{
    return stage_sizes_parse(setting_is_none(text) ? "" : text, field, error);
}

static const char *train_sizes_write(const void *field, char *text, size_t size)
{
    return *stage_sizes_text(field, text, size) ? text : strcpy(text, "none");
}

static bool scale_read(const char *text, void *field, Error *error)
{
    ResizedCrop *crop = field;
    crop->automatic = names_match("auto automatic", text, strlen(text));
    crop->least = crop->most = 0.0f;
    return crop->automatic || names_match("off no false none 0", text, strlen(text)) ||
           range_read("scale", text, 0.01, 1.0, &crop->least, &crop->most, "0.08,1; or off", error);
}

static const char *scale_write(const void *field, char *text, size_t size)
{
    const ResizedCrop *crop = field;
    if (!crop->automatic && crop->most > 0.0f)
        return setting_pair_write(crop->least, crop->most, text, size);
    snprintf(text, size, "%s", crop->automatic ? "auto" : "off");
    return text;
}

/* The field is the ResizedCrop. */
static bool ratio_read(const char *text, void *field, Error *error)
{
    ResizedCrop *crop = field;
    return range_read("ratio", text, 0.1, 10.0, &crop->narrowest, &crop->widest, "0.75,1.33", error);
}

static const char *ratio_write(const void *field, char *text, size_t size)
{
    const ResizedCrop *crop = field;
    return setting_pair_write(crop->narrowest, crop->widest, text, size);
}

static bool pad_mode_read(const char *text, void *field, Error *error)
{
    return setting_word_read("pad-mode", PAD_WORDS, text, field, error);
}

static const char *pad_mode_write(const void *field, char *text, size_t size)
{
    return names_word(PAD_WORDS, *(const int *)field, text, size);
}

static bool erase_mode_read(const char *text, void *field, Error *error)
{
    return setting_word_read("remode", ERASE_WORDS, text, field, error);
}

static const char *erase_mode_write(const void *field, char *text, size_t size)
{
    return names_word(ERASE_WORDS, *(const int *)field, text, size);
}

static bool policy_read(const char *text, void *field, Error *error)
{
    char step[POLICY_SIZE];
    const bool none = setting_is_none(text);
    if (!none && !augment_policy(text, step, error))
        return false;
    snprintf(field, POLICY_SIZE, "%s", none ? "" : text);
    return true;
}

static const char *policy_write(const void *field, char *text, size_t size)
{
    return setting_text_write(field, text, size);
}

#define X(name) const SettingForm form_##name = { name##_read, name##_write };
SETTING_IMAGE_FORMS(X)
#undef X
