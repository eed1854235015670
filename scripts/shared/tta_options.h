/* tta_options.h - the options of evaluate and predict that say in how many ways an image is seen. */

#ifndef CONVZOO_TTA_OPTIONS_H
#define CONVZOO_TTA_OPTIONS_H

#include "errors.h"
#include "setting.h"
#include "views.h"

/* Rows of a table over a struct with `const char *tta` and `double tta_below`. */
#define TTA_OPTIONS(Flags)                                                                                                                        \
    { "tta", "test-time-augmentation", 0, SETTING_text, offsetof(Flags, tta), "NAME", "none", .choices = VIEW_SET_NAMES, .group = "Views",        \
      .help = "none, flip, flip-shift or ten: see each image in 1, 2, 6 or 10 ways, and average the outputs", .keep = KEEP_call },                               \
    { "tta-below", NULL, 0, SETTING_real, offsetof(Flags, tta_below), "P", "0", "all images", .most = 1, .group = "Views",                        \
      .help = "only images whose first view is less sure than P, such as 0.9", .keep = KEEP_call, .rare = true }

/* False and a line if one option says nothing without the other. */
static inline bool tta_check(const char *tta, double below, Error *error)
{
    return below <= 0 || view_set_find(tta) != VIEWS_none ||
           error_set(error, EXIT_usage, "--tta-below changes nothing: each image is seen once: leave it out, or say how else it is seen, such as --tta flip");
}

static inline ViewOptions tta_views(const char *tta, double below, double temperature)
{
    return (ViewOptions){ view_set_find(tta), below, temperature };
}

#endif
