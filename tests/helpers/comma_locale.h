/* comma_locale.h - a locale that writes 0,2: what a program in Paris or Berlin that embeds convzoo may have. */

#ifndef CONVZOO_TESTS_COMMA_LOCALE_H
#define CONVZOO_TESTS_COMMA_LOCALE_H

#include <stdbool.h>

/* Sets it for the process: one that is installed, or one that localedef makes in the scratch folder. False, and a line that says so, where
 * there is neither. */
bool comma_locale_set(void);
/* Back to the plain one. */
void comma_locale_reset(void);

#endif
