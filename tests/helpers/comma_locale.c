/* comma_locale.c - see comma_locale.h. */

#include "comma_locale.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scratch.h"

bool comma_locale_set(void)
{
    if (setlocale(LC_ALL, "de_DE.UTF-8") || setlocale(LC_ALL, "fr_FR.UTF-8"))
        return true;
    char folder[256], command[600];
    snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 '%s' >/dev/null 2>&1", scratch_path(folder, scratch_folder, "de_DE.UTF-8"));
    if (system(command) == 0 && setenv("LOCPATH", scratch_folder, 1) == 0 && setlocale(LC_ALL, "de_DE.UTF-8"))
        return true;
    print_message("no locale with a decimal comma here (Debian: the package locales): numbers under the plain one alone\n");
    return false;
}

void comma_locale_reset(void)
{
    setlocale(LC_ALL, "C");
}
