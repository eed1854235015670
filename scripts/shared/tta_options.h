/* tta_options.h - the options of evaluate and predict that say in how many ways an image is seen. */

#ifndef CONVZOO_TTA_OPTIONS_H
#define CONVZOO_TTA_OPTIONS_H

#include "setting.h"
#include "views.h"

/* Rows of a table over a struct with `const char *tta` and `double tta_below`. */
#define TTA_OPTIONS(Flags)                                                                                                                        \
    { "tta", "test-time-augmentation", 0, SETTING_text, offsetof(Flags, tta), "NAME", "none", .choices = VIEW_SET_NAMES, .group = "Views",        \
      .help = "none, flip, flip-shift or ten: see each image in 1, 2, 6 or 10 ways, and average the outputs", .keep = KEEP_call },                               \
    { "tta-below", NULL, 0, SETTING_real, offsetof(Flags, tta_below), "P", "0", "all images", .most = 1, .group = "Views",                        \
      .help = "only images whose first view is less sure than P, such as 0.9", .keep = KEEP_call, .rare = true }

static inline ViewOptions tta_views(const char *tta, double below)
{
    return (ViewOptions){ view_set_find(tta), below };
}

#endif
